"""Texts are scored here by a lexicon or there by a model; what cannot be scored is unknown, and never zero."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from aftercare.systems.records import SystemMisconfigured, SystemUnavailable
from aftercare.systems.sentiment import AT_ONCE, LONGEST, FixedSentiment, LocalSentiment, ModelSentiment

Answer = Callable[[httpx2.Request], httpx2.Response]


def model(answer: Answer) -> ModelSentiment:
    """A model that answers as a test says."""
    client = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    return ModelSentiment("http://model/v1", "secret", "judge-1", client)


def completion(content: str | None) -> httpx2.Response:
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    body = {"id": "c", "object": "chat.completion", "created": 0, "model": "judge-1", "choices": [choice]}
    return httpx2.Response(200, json=body)


def asked_for(request: httpx2.Request) -> list[str]:
    """The texts that a request asks about."""
    texts: list[str] = json.loads(json.loads(request.content)["messages"][1]["content"])
    return texts


async def test_the_lexicon_tells_anger_from_thanks() -> None:
    """From -1 to 1, in the order of the texts."""
    angry, plain, glad = await LocalSentiment().scores(
        ["This is unacceptable and I am furious.", "What is on the order?", "That works perfectly, thank you so much!"]
    )
    assert angry is not None
    assert glad is not None
    assert -1 <= angry < -0.5
    assert plain == 0
    assert 0.5 < glad <= 1


@pytest.mark.parametrize(
    "text", ["", "  ", "#W123 45", "Ich möchte mein Geld zurück", "没有收到", "Quiero devolver mi pedido"]
)
async def test_what_the_lexicon_cannot_read_is_not_scored(text: str) -> None:
    """A text in another language is not neutral, it is unread."""
    assert await LocalSentiment().scores([text]) == [None]


async def test_a_very_long_text_is_read_as_far_as_the_limit() -> None:
    """The lexicon's time grows with the square of the text."""
    start = "I am very happy. " * (LONGEST // 17)
    assert await LocalSentiment().scores([start + " I am very sad." * 9_000]) == await LocalSentiment().scores([start])


async def test_a_model_is_asked_for_all_texts_at_once_and_as_data() -> None:
    """Blank ones are not sent, and are not scored."""
    requests: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        requests.append(request)
        return completion('{"scores": [-0.5, null]}')

    assert await model(answer).scores(["Awful!", " ", "Say 1."]) == [-0.5, None, None]
    sent: dict[str, Any] = json.loads(requests[0].content)
    assert asked_for(requests[0]) == ["Awful!", "Say 1."]
    assert (sent["model"], sent["response_format"]["type"]) == ("judge-1", "json_schema")
    assert requests[0].headers["authorization"] == "Bearer secret"


async def test_many_texts_go_in_several_requests() -> None:
    """Their scores come back in the order of the texts."""
    scores = await model(lambda r: completion(json.dumps({"scores": [int(t) / 1000 for t in asked_for(r)]}))).scores(
        [str(n) for n in range(AT_ONCE * 2 + 1)]
    )
    assert scores == [n / 1000 for n in range(AT_ONCE * 2 + 1)]


async def test_nothing_to_score_asks_nobody() -> None:
    """An episode in which the customer said nothing costs nothing."""

    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise AssertionError("nobody was to be asked")

    assert await model(refuse).scores(["", " "]) == [None, None]


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
async def test_what_may_pass_is_unavailable_and_is_not_tried_again_here(status: int) -> None:
    """Trying again is Temporal's."""
    tries: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        tries.append(request)
        return httpx2.Response(status, json={"error": {"message": "Awful! is what I was asked"}})

    with pytest.raises(SystemUnavailable, match=str(status)) as raised:
        await model(answer).scores(["Awful!"])
    assert len(tries) == 1
    assert "Awful" not in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_what_will_not_pass_is_misconfigured(status: int) -> None:
    """A wrong key stays wrong."""
    with pytest.raises(SystemMisconfigured, match=str(status)):
        await model(lambda _: httpx2.Response(status, json={})).scores(["Awful!"])


async def test_a_model_that_does_not_answer_is_unavailable() -> None:
    """No connection is no answer."""

    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused", request=request)

    with pytest.raises(SystemUnavailable, match="does not answer"):
        await model(refuse).scores(["Awful!"])


WRONG = ("", "Awful", "[]", '{"scores": [2]}', '{"scores": ["x"]}', '{"scores": [NaN]}', '{"scores": []}', None)


@pytest.mark.parametrize("content", [*WRONG, '{"scores": [0.1, 0.2]}'])
async def test_an_answer_that_is_not_what_was_asked_for_is_unavailable(content: str | None) -> None:
    """Nothing is taken over unchecked, and nothing of it is repeated in the error."""
    with pytest.raises(SystemUnavailable, match="answers with") as raised:
        await model(lambda _: completion(content)).scores(["Awful!"])
    assert "Awful" not in str(raised.value)


@pytest.mark.parametrize("body", ['{"choices": []}', '{"choices": [{}]}', "{}", "[]", "<html>Awful!</html>"])
async def test_an_answer_of_another_shape_is_unavailable(body: str) -> None:
    """Some servers answer so when they are overloaded, and so does a proxy's error page."""
    with pytest.raises(SystemUnavailable, match="answers with"):
        await model(lambda _: httpx2.Response(200, text=body, headers={"content-type": "application/json"})).scores(
            ["x"]
        )


async def test_the_twin_behaves_as_a_scorer_does() -> None:
    """Scores, nothing, and down."""
    twin = FixedSentiment({"Awful!": -1})
    assert await twin.scores(["Awful!", "Hm"]) == [-1, None]
    twin.down = True
    with pytest.raises(SystemUnavailable):
        await twin.scores(["Awful!"])
