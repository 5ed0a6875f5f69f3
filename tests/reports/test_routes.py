"""The reports over HTTP: the same figures, typed; what cannot be asked is a 422 that says why."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI, HTTPException

from aftercare.learning.measures import MEASURES
from aftercare.reporting import Comparison, Report, report
from aftercare.web.problems import answer_with_problems
from aftercare.web.reports import report_routes
from tests.reports.shelf import HOUR, NOW, Shelf


def app_of(shelf: Shelf, allowed: bool = True) -> FastAPI:
    """An API of reports alone."""

    def may_read() -> None:
        if not allowed:
            raise HTTPException(403, "not for you")

    app = FastAPI()
    answer_with_problems(app)
    app.include_router(report_routes(shelf.cases, may_read))
    return app


@pytest_asyncio.fixture(loop_scope="session")
async def http(shelf: Shelf) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who asks."""
    for number in range(3):
        await shelf.settled(f"c{number}", intent=f"i{number % 2}", opened_at=NOW + number * 12 * HOUR)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app_of(shelf)), base_url="http://test") as client:
        yield client


async def test_a_report_is_the_same_through_every_door(shelf: Shelf, http: httpx.AsyncClient) -> None:
    """What the core tells, as JSON."""
    answer = await http.get("/v1/reports", params={"by": "intent", "handled_by": "agent"})
    told = Report.model_validate(answer.json())
    assert [(group.group, group.cases) for group in told.groups] == [("i0", 2), ("i1", 1)]
    whole = Report.model_validate((await http.get("/v1/reports")).json())
    assert whole == await report(shelf.cases)
    assert len(whole.groups[0].figures) == len(MEASURES)


async def test_weeks_are_those_of_the_zone_that_is_asked_for(shelf: Shelf, http: httpx.AsyncClient) -> None:
    """Sunday's eleven at night in UTC is Monday's midnight in Berlin."""
    await shelf.settled("late-on-sunday", opened_at=NOW - 13 * HOUR)
    asked = {"by": "week", "figure": ["durable", "csat"]}
    for zone, cases in (("UTC", [1, 3]), ("Europe/Berlin", [4])):
        groups = (await http.get("/v1/reports", params={**asked, "zone": zone})).json()["groups"]
        assert [group["cases"] for group in groups] == cases
        assert [figure["name"] for figure in groups[-1]["figures"]] == ["durable", "csat"]


async def test_a_comparison_is_typed(http: httpx.AsyncClient) -> None:
    """With what each side has, and a finding."""
    answer = await http.get("/v1/reports/compare", params={"a": "now", "b": "human", "same_intent": True})
    told = Comparison.model_validate(answer.json())
    assert (told.cases_a, told.cases_b, told.intents) == (3, 0, ())
    assert {figure.finding for figure in told.figures} == {"too few"}


@pytest.mark.parametrize(
    ("path", "asked", "why"),
    [
        ("", {"by": "moon"}, "by"),
        ("", {"of": "moon"}, "'moon' is no set of cases"),
        ("", {"of": "history:moon"}, "nothing was imported"),
        ("", {"figure": "moon"}, "there is no figure moon"),
        ("", {"zone": "Moon/Base"}, "there is no time zone 'Moon/Base'"),
        ("", {"zone": "../../etc/passwd"}, "there is no time zone"),
        ("", {"handled_by": "moon"}, "handled_by"),
        ("", {"since": "2026-11-23T12:00"}, "since"),
        ("", {"since": "0001-01-01T00:00:00+14:00"}, "since"),
        ("", {"since": "2026-11-24T00:00Z", "until": "2026-11-23T00:00Z"}, "since must be before until"),
        ("", {"intent": "a\x00b"}, "control character"),
        ("/compare", {"a": "now"}, "b"),
        ("/compare", {"a": "now", "b": "history:\x00"}, "one line"),
        ("/compare", {"a": "release:r1", "b": "human", "handled_by": "human"}, "is of the handled_by 'agent'"),
    ],
)
async def test_a_bad_filter_is_a_422(http: httpx.AsyncClient, path: str, asked: dict[str, Any], why: str) -> None:
    """With the reason, as problem details."""
    answer = await http.get(f"/v1/reports{path}", params=asked)
    assert answer.status_code == 422, answer.text
    assert why in answer.json()["detail"]


async def test_only_those_who_may_read_reports_do(shelf: Shelf) -> None:
    """Whoever the app lets in, it asks first."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app_of(shelf, False)), base_url="http://test") as client:
        for path in ("", "/compare?a=now&b=human"):
            assert (await client.get(f"/v1/reports{path}")).status_code == 403


def test_the_routes_are_described(shelf: Shelf) -> None:
    """Every parameter and both answers, in OpenAPI."""
    described = app_of(shelf).openapi()
    parameters = {p["name"] for p in described["paths"]["/v1/reports"]["get"]["parameters"]}
    assert parameters == {
        *("of", "by", "agent", "release", "intent", "handled_by", "since", "until", "zone", "figure"),
    }
    assert {"Report", "Comparison", "Group", "Figure", "Compared"} <= set(described["components"]["schemas"])
