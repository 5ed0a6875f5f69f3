"""Whatever is sent, the answer is a problem that says what is wrong, and nothing changes."""

from __future__ import annotations

import pytest
from sqlmodel import func, select

from aftercare.keys import Role
from aftercare.store.tables import EvidenceRow
from aftercare.web.limits import LARGEST_BODY
from tests.web.conftest import Site

FEEDBACK = "/v1/cases/bad/feedback"
BODIES = {
    "malformed": (b'{"id": ', 400, "not-json"),
    "a bare word": (b"hello", 400, "not-json"),
    "empty": (b"", 422, "refused"),
    "a list": (b"[1]", 422, "refused"),
    "nested too deeply": (
        b'{"id":"x","kind":"csat","payload":' + b'{"a":' * 500 + b"1" + b"}" * 500 + b"}",
        400,
        "too-deep",
    ),
    "nested beyond any parser": (b"[" * 200_000, 400, "too-deep"),
    "not UTF-8": (b'{"id":"x","kind":"csat","comment":"\xff"}', 400, "not-utf-8"),
    "half a character": (rb'{"id":"x","kind":"csat","comment":"\ud800"}', 422, "refused"),
    "a NUL": (rb'{"id":"x","kind":"csat","comment":"\u0000"}', 422, "refused"),
    "not a number": (b'{"id":"x","kind":"csat","value":NaN}', 422, "refused"),
    "no end of a number": (b'{"id":"x","kind":"csat","payload":{"a":' + b"9" * 5000 + b"}}", 400, None),
    "infinite": (b'{"id":"x","kind":"csat","payload":{"a":1e999}}', 422, "refused"),
    "too large": (b'{"id":"x","comment":"' + b"a" * LARGEST_BODY + b'"}', 413, "too-large"),
    "larger than evidence": (b'{"id":"x","kind":"csat","payload":{"a":"' + b"a" * 70_000 + b'"}}', 422, "refused"),
    "at the end of the calendar": (b'{"id":"x","kind":"csat","at":"0001-01-01T00:00:00+14:00"}', 422, "refused"),
    "the registration's own id": (b'{"id":"registration","kind":"csat"}', 422, "refused"),
    "in UTF-16": (r'{"\"":'.encode("utf-16-le") + ("[" * 900).encode("utf-16-le"), 400, "not-utf-8"),
    "a bad id": (b'{"id":"../x","kind":"csat"}', 422, "refused"),
    "a kind without a name": (b'{"id":"x","kind":""}', 422, "refused"),
}


async def held(site: Site) -> int:
    async with site.desk.cases.database.session() as session:
        counted = select(func.count()).where(EvidenceRow.case_id == "bad")
        return (await session.exec(counted)).one()


@pytest.mark.parametrize(("body", "status", "slug"), BODIES.values(), ids=BODIES)
async def test_a_bad_body_has_its_own_error(site: Site, body: bytes, status: int, slug: str | None) -> None:
    """As problem details, with the reason; and the inbox is as it was."""
    headers = site.as_(Role.CUSTOMER_CHANNEL) | {"Content-Type": "application/json"}
    answer = await site.http.post(FEEDBACK, content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == status
    assert told["reasons"]
    assert slug is None or told["type"] == f"urn:aftercare:problem:{slug}"
    assert await held(site) == 0


async def test_an_unknown_path_and_method_are_problems_too(site: Site) -> None:
    """No answer of the API is anything else."""
    for method, path, status in (("GET", "/v1/nothing", 404), ("DELETE", "/v1/cases/x", 405)):
        answer = await site.ask(method, path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def test_a_case_nobody_heard_of(site: Site) -> None:
    """Is not found; neither is a message of it."""
    for path in ("/v1/cases/never-heard-of", "/v1/cases/never-heard-of/messages/m"):
        assert (await site.ask("GET", path)).status_code == 404


async def test_a_body_that_only_says_it_is_packed_is_looked_at_all_the_same(site: Site) -> None:
    """No route but that of the traces unpacks anything."""
    headers = site.as_(Role.CUSTOMER_CHANNEL) | {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = await site.http.post(FEEDBACK, content=BODIES["nested too deeply"][0], headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:aftercare:problem:too-deep")


@pytest.mark.parametrize(
    "query", ["opened_after=0001-01-01T00:00:00%2B14:00", "cursor=WyIyMDAxLTAxLTAxIiwiXHVkODAwIl0="]
)
async def test_a_list_of_no_sense_is_refused(site: Site, query: str) -> None:
    """A time that no store keeps; a cursor that no page gave, with half a character."""
    assert (await site.ask("GET", f"/v1/cases?{query}")).status_code == 422
