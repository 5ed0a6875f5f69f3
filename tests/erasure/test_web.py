"""Erasure over HTTP: by an admin, with a receipt."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from temporalio.service import RPCError, RPCStatusCode

from aftercare.erasure import Erasure
from aftercare.web.erasures import erasure_routes
from aftercare.web.problems import answer_with_problems
from tests.cases.desk import Desk
from tests.erasure.people import customer, places
from tests.erasure.test_broken_off import breaking

AWAY = RPCError("no connection", RPCStatusCode.UNAVAILABLE, b"")


async def admin() -> str:
    """Everybody who asks, here."""
    return "key-1"


def site(erasure: Erasure) -> httpx.AsyncClient:
    app = FastAPI()
    answer_with_problems(app)
    app.include_router(erasure_routes(erasure, admin))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


@pytest_asyncio.fixture(loop_scope="session")
async def http(erasure: Erasure) -> AsyncIterator[httpx.AsyncClient]:
    """The routes, over the desk."""
    async with site(erasure) as asked:
        yield asked


async def test_a_customer_is_erased_and_the_receipt_can_be_asked_for(desk: Desk, http: httpx.AsyncClient) -> None:
    """It says who erased how much, and the same stands there later."""
    who = customer()
    await who.case(desk, "asked").watched()
    answer = await http.post("/v1/erasures", json={"customer": who.id, "known": [who.name]})
    receipt = answer.json()
    assert (answer.status_code, receipt["complete"], receipt["by"]) == (200, True, "key-1")
    assert (await http.get(f"/v1/erasures/{receipt['id']}")).json() == receipt
    assert await places(desk.cases.database, who.name, who.mail, who.id) == []


@pytest.mark.parametrize("body", [{}, {"customer": " "}, {"customer": "a\x00"}, {"customer": "a", "known": ["x"] * 21}])
async def test_what_cannot_be_read_is_refused(http: httpx.AsyncClient, body: dict[str, object]) -> None:
    """As a problem, and nothing is erased."""
    assert (await http.post("/v1/erasures", json=body)).status_code == 422


async def test_an_unknown_receipt_is_not_found(http: httpx.AsyncClient) -> None:
    """An id that nobody gave out, and one that cannot be."""
    assert (await http.get("/v1/erasures/erasure-0123456789ab")).status_code == 404
    assert (await http.get("/v1/erasures/c-1047")).status_code == 422


async def test_without_temporal_it_is_unavailable(desk: Desk) -> None:
    """Nothing was erased; it may be asked for again."""
    async with site(breaking(desk, AWAY, count_workflows=0)) as http:
        answer = await http.post("/v1/erasures", json={"customer": "c-1"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "nothing was erased" in answer.json()["detail"]


async def test_what_is_half_done_is_accepted(desk: Desk) -> None:
    """The receipt says what is left, and the status that it is not finished."""
    who = customer()
    await who.case(desk, "half").watched()
    async with site(breaking(desk, AWAY, delete=0)) as http:
        answer = await http.post("/v1/erasures", json={"customer": who.id})
    assert (answer.status_code, answer.json()["complete"], len(answer.json()["left"])) == (202, False, 1)
