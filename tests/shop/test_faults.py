"""Faults at known places: what the shop acknowledges, what its records then hold, and what its ledger says of it."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from aftercare.demo.shop.changes import changes

MOVE = {"order_id": "#W1", "address1": "2", "address2": "b", "city": "Hull", "state": "WI", "country": "IE", "zip": "2"}
CANCEL = {"order_id": "#W3", "reason": "no longer needed"}  # paid with a gift card, which gets 10.00 back


async def planned(shop: httpx.AsyncClient, *kinds: str | None, **of_copy: Any) -> None:
    """The writes of the copy have these faults, one after the other."""
    faults = {str(n): {"kind": kind} for n, kind in enumerate(kinds, 1) if kind}
    answer = await shop.put("faults", json={"writes": faults, **of_copy})
    assert answer.status_code == 200, answer.text


async def use(shop: httpx.AsyncClient, tool: str, body: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = await shop.post(f"tools/{tool}", json=body, **more)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def move(shop: httpx.AsyncClient, **other: str) -> dict[str, Any]:
    return await use(shop, "modify_pending_order_address", MOVE | other)


async def cancel(shop: httpx.AsyncClient) -> dict[str, Any]:
    return await use(shop, "cancel_pending_order", CANCEL)


async def record(shop: httpx.AsyncClient, name: str = "orders/%23W1", query: str = "") -> dict[str, Any]:
    found: dict[str, Any] = (await shop.get(f"records/{name}{query}")).json()
    return found


async def ledger(shop: httpx.AsyncClient) -> dict[str, Any]:
    told: dict[str, Any] = (await shop.get("faults")).json()
    return told


def fields(told: dict[str, Any]) -> list[str]:
    return [f"{fact['record']} {fact['field']}" for fact in told["injected"]]


async def test_a_dropped_write_is_acknowledged_and_changes_nothing(shop: httpx.AsyncClient) -> None:
    """Its answer and its place in the journal are those of a write that went well; the records know nothing of it."""
    order, customer = await record(shop, "orders/%23W3"), await record(shop, "users/ann")
    await planned(shop, "drop")
    answer = await cancel(shop)
    assert (answer["operation"], answer["result"]["status"]) == ("op-1", "cancelled")
    assert [entry["accepted"] for entry in (await shop.get("operations")).json()] == [True]
    assert (await record(shop, "orders/%23W3"), await record(shop, "users/ann")) == (order, customer)
    assert fields(await ledger(shop)) == [
        "orders/#W3 status",
        "orders/#W3 payment_history",
        "orders/#W3 cancel_reason",
        "users/ann payment_methods.gift_1.balance",
    ]


@pytest.mark.parametrize("choice", range(12))
async def test_a_write_applied_wrongly_has_one_wrong_fact(shop: httpx.AsyncClient, choice: int) -> None:
    """One value, of the right type, neither the one acknowledged nor the one that stood there; the rest is right."""
    await shop.put("faults", json={"writes": {"1": {"kind": "wrong", "choice": choice}}})
    await cancel(shop)
    (fact,) = (await ledger(shop))["injected"]
    assert fact["right"] != fact["stored"]
    assert isinstance(fact["stored"], str) == isinstance(fact["right"], str)
    well = "http://shop/copies/well/"
    await shop.post(f"{well}tools/cancel_pending_order", json=CANCEL)
    right = (await shop.get(f"{well}faults")).json()["records"]
    stored = (await ledger(shop))["records"]
    ((name, field),) = [(name, c.name) for name in right for c in changes(stored[name], right[name])]
    assert (name, fact["field"].startswith(field)) == (fact["record"], True)


async def test_any_fact_that_a_write_changes_may_be_the_wrong_one(shop: httpx.AsyncClient) -> None:
    """Status, reason, the refund in the history, the balance of the gift card: none is spared."""
    hit = set()
    for choice in range(6):
        copy = f"http://shop/copies/any-{choice}/"
        await shop.put(f"{copy}faults", json={"writes": {"1": {"kind": "wrong", "choice": choice}}})
        await shop.post(f"{copy}tools/cancel_pending_order", json=CANCEL)
        hit |= set(fields((await shop.get(f"{copy}faults")).json()))
    assert hit == {
        "orders/#W3 status",
        "orders/#W3 cancel_reason",
        "orders/#W3 payment_history.1.amount",
        "orders/#W3 payment_history.1.transaction_type",
        "orders/#W3 payment_history.1.payment_method_id",
        "users/ann payment_methods.gift_1.balance",
    }


async def test_an_eventual_write_shows_after_its_time(shop: httpx.AsyncClient) -> None:
    """Nothing, and then all of it; the ledger knows from the start what it will come to."""
    before = await record(shop)
    await shop.put("faults", json={"writes": {"1": {"kind": "eventual", "shows_after": 0.5}}})
    acknowledged = (await move(shop))["result"]
    assert await record(shop) == before
    assert (await ledger(shop))["records"] == {"orders/#W1": acknowledged}
    deadline = time.monotonic() + 10
    while await record(shop) == before:
        assert time.monotonic() < deadline
    assert await record(shop) == acknowledged


@pytest.mark.parametrize("kind", ["drop", "wrong", "eventual"])
async def test_a_later_write_sets_right_what_it_sets(shop: httpx.AsyncClient, kind: str) -> None:
    """The records hold the last word on every fact, also where an earlier word comes later."""
    await planned(shop, kind)
    await move(shop)
    acknowledged = await move(shop, address1="3", address2="c", city="Bath", state="WX", country="FR", zip="3")
    assert await record(shop) == acknowledged["result"]
    assert (await ledger(shop))["records"]["orders/#W1"] == acknowledged["result"]


async def test_what_an_operation_met_is_what_was_acknowledged_before_it(shop: httpx.AsyncClient) -> None:
    """The shop worked out the second write from the first, whatever became of it since."""
    await planned(shop, "drop")
    await move(shop)
    await move(shop, city="Bath")
    assert (await record(shop, query="?before=op-2"))["address"]["city"] == "Hull"
    now = await record(shop)
    assert (now["address"]["city"], now["address"]["zip"]) == ("Bath", "10001")


async def test_a_refused_write_has_no_fault(shop: httpx.AsyncClient) -> None:
    """It changed nothing that could be lost, and nothing is noted."""
    await planned(shop, None, "drop")
    await cancel(shop)
    assert (await shop.post("tools/cancel_pending_order", json=CANCEL)).status_code == 409
    assert (await ledger(shop))["injected"] == []
    assert (await record(shop, "orders/%23W3"))["status"] == "cancelled"


async def test_a_write_sent_again_has_its_fault_once(shop: httpx.AsyncClient) -> None:
    """A repeated key gets the first answer, and neither the effect nor a second entry."""
    await planned(shop, "drop")
    for _ in range(2):
        await use(shop, "modify_pending_order_address", MOVE, headers={"Idempotency-Key": "k-1"})
    told = await ledger(shop)
    assert len(told["injected"]) == len(set(fields(told))) == 6


async def test_a_slow_copy_answers_late_and_right(shop: httpx.AsyncClient) -> None:
    """Its records only; another copy is as fast as ever."""
    await planned(shop, slow=0.3)
    acknowledged = (await move(shop))["result"]
    began = time.monotonic()
    assert await record(shop) == acknowledged
    assert time.monotonic() - began >= 0.3
    began = time.monotonic()
    await shop.get("http://shop/copies/two/records/users/ann")
    assert time.monotonic() - began < 0.3


async def test_a_copy_goes_down_after_the_operation_it_is_told(shop: httpx.AsyncClient) -> None:
    """No record of it can be read any more, now or before; tools, staff and other copies go on."""
    await planned(shop, down_after=2)
    await move(shop)
    assert (await shop.get("records/users/ann")).status_code == 200
    await cancel(shop)
    for path in ("records/users/ann", "records/orders/%23W1?before=op-1", "records/ghosts/1"):
        assert (await shop.get(path)).status_code == 503
    body = {"record": "orders/#W1", "fields": {"/status": "x"}, "by": "r.meyer", "reason": "put right"}
    assert (await shop.post("staff/correct", json=body)).status_code == 200
    assert (await shop.get("http://shop/copies/two/records/users/ann")).status_code == 200


async def test_staff_see_and_change_what_the_records_hold(shop: httpx.AsyncClient) -> None:
    """A dropped cancellation can be made by hand; the truth about the agent's own operations stays what it was."""
    await planned(shop, "drop")
    before = await record(shop, "orders/%23W3")
    acknowledged = (await cancel(shop))["result"]
    body = {"record": "orders/#W3", "by": "r.meyer", "reason": "it was never cancelled"}
    nowhere = await shop.post("staff/correct", json=body | {"fields": {"/cancel_reason": None}})
    assert nowhere.status_code == 409
    fields = {"/status": "cancelled", "/cancel_reason": "no longer needed"}
    fields |= {"/payment_history/1": acknowledged["payment_history"][1]}
    assert (await shop.post("staff/correct", json=body | {"fields": fields})).status_code == 200
    assert await record(shop, "orders/%23W3") == acknowledged
    assert (await ledger(shop))["records"]["orders/#W3"] == before


async def test_faults_are_planned_before_anything_happens(shop: httpx.AsyncClient) -> None:
    """Later is refused, and so is a plan that cannot be read."""
    for plan in ({"writes": {"1": {"kind": "lost"}}}, {"slow": -1}, {"writes": {"first": {"kind": "drop"}}}, {"x": 1}):
        assert (await shop.put("faults", json=plan)).status_code == 422
    await move(shop)
    assert (await shop.put("faults", json={"slow": 1})).status_code == 409


async def test_a_copy_without_faults_has_a_ledger_too(shop: httpx.AsyncClient) -> None:
    """What its operations came to, corrections by staff left out: so a twin tells what is right."""
    acknowledged = (await move(shop))["result"]
    body = {"record": "orders/#W1", "fields": {"/status": "x"}, "by": "r.meyer", "reason": "put right"}
    await shop.post("staff/correct", json=body)
    told = await ledger(shop)
    assert told == {"plan": None, "injected": [], "records": {"orders/#W1": acknowledged}, "made": {}}
