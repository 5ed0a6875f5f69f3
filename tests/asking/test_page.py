"""The answer page takes one answer, changes nothing when it is looked at, and loses nothing that was entered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from aftercare.asking.links import Links
from tests.asking.conftest import OPEN_FOR, REF, SECRET, Clock
from tests.asking.page import Kept, app_of

GOOD = {"resolved": "1", "csat": "4", "ces": "6", "comment": "Quick!"}


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def page(links: Links) -> str:
    return f"/v1/survey/{links.token(REF)}"


@pytest_asyncio.fixture(loop_scope="session")
async def web(links: Links, kept: Kept, clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    app = app_of(links, kept, "Tom & <script>alert(1)</script>", clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://care") as client:
        yield client


async def test_looking_changes_nothing(web: httpx.AsyncClient, kept: Kept, page: str) -> None:
    """Mail scanners open links, with GET and with HEAD."""
    for _ in range(2):
        looked = await web.get(page)
        assert (looked.status_code, "How did it go?" in looked.text) == (200, True)
    assert (await web.head(page)).status_code == 200
    assert kept.bodies == {}


async def test_an_answer_is_taken_once(web: httpx.AsyncClient, kept: Kept, page: str) -> None:
    """The second, other one is told that there is one."""
    thanks = await web.post(page, data=GOOD)
    assert (thanks.status_code, "Thank you" in thanks.text) == (200, True)
    assert kept.values == {"survey-1-resolved": 1, "survey-1-csat": 4, "survey-1-ces": 6}
    again = await web.post(page, data=GOOD | {"csat": "1"})
    assert (again.status_code, "already have your answer" in again.text) == (409, True)
    assert kept.values["survey-1-csat"] == 4
    looked = await web.get(page)
    assert (looked.status_code, "already have your answer" in looked.text) == (200, True)


async def test_nothing_is_added_to_an_answer(web: httpx.AsyncClient, kept: Kept, page: str) -> None:
    """What was left out the first time is not asked again."""
    await web.post(page, data={"resolved": "1"})
    assert (await web.post(page, data={"resolved": "1", "csat": "5"})).status_code == 409
    assert (await web.post(page, data={"csat": "5"})).status_code == 409
    assert list(kept.bodies) == ["survey-1-resolved"]


async def test_a_button_pressed_twice_is_one_answer(web: httpx.AsyncClient, kept: Kept, page: str) -> None:
    """Both are thanked."""
    answers = await asyncio.gather(*(web.post(page, data=GOOD) for _ in range(2)))
    assert [a.status_code for a in answers] == [200, 200]
    assert len(kept.bodies) == 3


async def test_an_answer_that_broke_off_is_completed(web: httpx.AsyncClient, kept: Kept, page: str) -> None:
    """The store went away in the middle; what was entered is on the page, and may be sent again."""
    kept.fails_at = "survey-1-ces"
    broken = await web.post(page, data=GOOD)
    assert broken.status_code == 503
    assert "send it again" in broken.text
    assert "Quick!" in broken.text
    assert broken.text.count(" checked") == 3
    kept.fails_at = None
    assert (await web.post(page, data=GOOD)).status_code == 200
    assert kept.values == {"survey-1-resolved": 1, "survey-1-csat": 4, "survey-1-ces": 6}


async def test_what_is_wrong_is_said_and_what_was_entered_is_kept(
    web: httpx.AsyncClient, kept: Kept, page: str
) -> None:
    """At the top, and at the question, tied to it for those who hear the page."""
    answer = await web.post(page, data={"resolved": "0", "csat": "9", "comment": "x" * 2_001})
    assert answer.status_code == 422
    assert "<title>Error: " in answer.text
    assert 'id="csat" class="scale" aria-describedby="csat-wrong"' in answer.text
    assert 'aria-describedby="comment-hint comment-wrong" aria-invalid="true"' in answer.text
    assert 'name="resolved" value="0" checked' in answer.text
    assert "x" * 2_001 in answer.text
    assert kept.bodies == {}


async def test_an_empty_answer_is_not_one(web: httpx.AsyncClient, kept: Kept, page: str) -> None:
    """It may still be given."""
    answer = await web.post(page, data={"comment": "  "})
    assert (answer.status_code, "at least one question" in answer.text) == (422, True)


@pytest.mark.parametrize(
    ("token", "status"), [("nonsense", 404), ("a.b", 404), ("x" * 500, 404), (Links(["f" * 32]).token(REF), 404)]
)
async def test_a_link_that_is_not_ours_opens_nothing(
    web: httpx.AsyncClient, kept: Kept, token: str, status: int
) -> None:
    """Neither to look nor to answer."""
    assert (await web.get(f"/v1/survey/{token}")).status_code == status
    assert (await web.post(f"/v1/survey/{token}", data=GOOD)).status_code == status
    assert kept.bodies == {}


async def test_a_link_expires(web: httpx.AsyncClient, kept: Kept, page: str, clock: Clock) -> None:
    """Also for a page that lay open."""
    clock.forward(OPEN_FOR)
    looked, answered = await web.get(page), await web.post(page, data=GOOD)
    assert (looked.status_code, answered.status_code, kept.bodies) == (410, 410, {})
    assert "expired" in looked.text


async def test_of_an_erased_case_nothing_is_taken(web: httpx.AsyncClient, kept: Kept, page: str) -> None:
    """Its link is still out."""
    kept.erased = True
    assert (await web.get(page)).status_code == 410
    assert (await web.post(page, data=GOOD)).status_code == 410
    assert kept.bodies == {}


async def test_markup_is_text(web: httpx.AsyncClient, page: str) -> None:
    """In the organisation's name and in what a customer wrote."""
    looked = await web.get(page)
    assert "Tom &amp; &lt;script&gt;" in looked.text
    shown = await web.post(page, data={"csat": "x", "comment": "</textarea><script>alert(2)</script>"})
    assert "<script" not in looked.text + shown.text
    assert "&lt;/textarea&gt;" in shown.text


async def test_every_answer_carries_its_protection(web: httpx.AsyncClient, page: str) -> None:
    """Nothing from elsewhere, no frame, no referrer with the token in it, no copy in a cache."""
    for answer in (await web.get(page), await web.post(page, data={}), await web.get("/v1/survey/x")):
        policy = answer.headers["content-security-policy"]
        assert policy.split("; ") == [
            "default-src 'none'",
            "style-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "http://" not in answer.text
        assert "https://" not in answer.text


async def test_the_longest_comment_in_any_script_fits(web: httpx.AsyncClient, kept: Kept, page: str) -> None:
    """As the page sends it."""
    fields = {"comment": (None, "🙂" * 2_000), "csat": (None, "5")}
    assert (await web.post(page, files=fields)).status_code == 200
    assert kept.bodies["survey-1-csat"]["comment"] == "🙂" * 2_000


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"comment=" + b"x" * 20_000, "application/x-www-form-urlencoded", 413),
        (b"&".join(b"f%d=x" % n for n in range(50)), "application/x-www-form-urlencoded", 400),
        (b"no boundary", "multipart/form-data", 400),
        (b"nonsense", "multipart/form-data; boundary=b", 400),
        (
            b'--b\r\nContent-Disposition: form-data; name="csat"; filename="f"\r\n\r\n5\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
            400,
        ),
        (b'{"csat": 5}', "application/json", 422),
        (b"csat=%ff%fe", "application/x-www-form-urlencoded", 422),
        (b"\xff\xfe\x00", "application/x-www-form-urlencoded", 422),
        (b"", "", 422),
    ],
)
async def test_what_is_no_form_is_told_so(
    web: httpx.AsyncClient, kept: Kept, page: str, body: bytes, kind: str, status: int
) -> None:
    """On a page, whatever it is, and nothing is kept."""
    answer = await web.post(page, content=body, headers={"content-type": kind})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert kept.bodies == {}


async def test_half_characters_are_no_reason_to_fall_over(web: httpx.AsyncClient, kept: Kept, page: str) -> None:
    """A form may name any encoding."""
    body = b'--b\r\nContent-Disposition: form-data; name="comment"\r\n\r\na\\ud800\\x00b\r\n--b--\r\n'
    kind = "multipart/form-data; boundary=b; charset=unicode_escape"
    assert (await web.post(page, content=body, headers={"content-type": kind})).status_code == 200
    assert kept.bodies["survey-1-comment"]["comment"] == "ab"


async def test_the_style_is_ours(web: httpx.AsyncClient) -> None:
    """From beside the page."""
    style = await web.get("/v1/survey.css")
    assert (style.status_code, style.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert "url(" not in style.text
    assert "@import" not in style.text


async def test_a_secret_that_was_replaced_still_opens_what_is_out(kept: Kept, clock: Clock, page: str) -> None:
    """Until it is taken away."""
    app = app_of(Links(["f" * 32, SECRET]), kept, "ACME", clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://care") as web:
        assert (await web.get(page)).status_code == 200
