"""What an answer means: taken in, refused for good, or to be tried again, and when."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercare.client.answers import Answer, Later, RefusedForGood, Taken, meaning, pause, told_to_wait
from aftercare.messages.work import Standing

NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


def answered(status: int, body: Any = None, type: str = "application/problem+json", **headers: str) -> Answer:
    return Answer(status, {"content-type": type, **headers}, json.dumps(body).encode())


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_json_object_of_success_means_taken(status: int) -> None:
    """With the standing it tells."""
    assert meaning(answered(status, {"id": "x", "standing": "waiting"})) == Taken(Standing.WAITING)


@pytest.mark.parametrize("status", [400, 404, 409, 410, 413, 415, 422])
def test_a_refusal_is_final_and_has_its_reasons(status: int) -> None:
    """The same message again would be refused again."""
    assert meaning(answered(status, {"reasons": ["a", "b"]})) == RefusedForGood(status, ("a", "b"))
    assert meaning(answered(status, {"detail": "a"})) == RefusedForGood(status, ("a",))


@pytest.mark.parametrize("status", [0, 401, 408, 429, 500, 502, 503, 504])
def test_trouble_is_tried_again(status: int) -> None:
    """A server that is down or busy, and a key that may be put right."""
    assert isinstance(meaning(answered(status)), Later)


@pytest.mark.parametrize(("status", "all_cases"), [(403, False), (500, False), (401, True), (429, True), (0, True)])
def test_what_may_be_about_one_case_holds_up_only_that_one(status: int, all_cases: bool) -> None:
    """A key for one agent may not speak of another's case, and may of its own."""
    later = meaning(answered(status))
    assert isinstance(later, Later)
    assert later.all_cases is all_cases


@pytest.mark.parametrize(
    "answer",
    [
        answered(200, "<html>Sign in to this network</html>", "text/html"),
        answered(302, None, "text/html"),
        answered(404, {"detail": "Not Found"}, "application/json"),
    ],
)
def test_an_answer_that_is_not_aftercares_loses_nothing(answer: Answer) -> None:
    """A page to sign in at, a redirection, another program at the address: the message is kept."""
    assert isinstance(meaning(answer), Later)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("Fri, 02 Jan 2026 12:00:30 GMT", 30.0),
        ("Fri, 02 Jan 2026 11:00:00 GMT", 0.0),
        ("", 0.0),
        ("soon", 0.0),
        ("-5", 0.0),
        ("99999999", 3600.0),
    ],
)
def test_it_is_waited_as_long_as_the_server_says(header: str, seconds: float) -> None:
    """In seconds or until a date, an hour at the most."""
    assert told_to_wait(header, NOW) == seconds


@given(tries=st.integers(0, 10_000), at_least=st.floats(0, 3600), chance=st.floats(0, 1))
def test_a_pause_grows_to_a_minute_and_keeps_to_what_was_said(tries: int, at_least: float, chance: float) -> None:
    """Never under what the server asks for, never over a minute without its asking."""
    seconds = pause(tries, at_least, chance)
    assert at_least <= seconds <= max(60.0, at_least)
    assert seconds >= min(0.25 * 2 ** min(tries, 7), 30.0)


@given(st.binary(), st.integers(100, 599), st.text(max_size=40))
def test_any_answer_has_a_meaning(body: bytes, status: int, header: str) -> None:
    """Whatever stands between may answer anything."""
    assert isinstance(meaning(Answer(status, {"retry-after": header}, body)), Taken | RefusedForGood | Later)
