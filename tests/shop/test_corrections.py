"""What the shop promises staff who correct a record by hand."""

from __future__ import annotations

from typing import Any

import httpx
import pytest


async def correct(shop: httpx.AsyncClient, fields: dict[str, Any], record: str = "orders/#W1") -> httpx.Response:
    body = {"record": record, "fields": fields, "by": "r.meyer", "reason": "the customer asked otherwise"}
    return await shop.post("staff/correct", json=body)


async def order(shop: httpx.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await shop.get("records/orders/%23W1")).json()
    return found


async def test_fields_are_set_and_removed(shop: httpx.AsyncClient) -> None:
    """Pointers reach into lists and escaped keys; null removes; a new last key and a list's end may be set."""
    fields = {
        "/status": "delivered",
        "/items/1/options/colour~1glaze": "green",
        "/items/0/price": None,
        "/note": "gift",
        "/payment_history/1": {"amount": 1},
        "/payment_history/-": {"amount": 2},
    }
    assert (await correct(shop, fields)).json() == {"operation": "op-1", "result": None}
    now = await order(shop)
    assert (now["status"], now["note"], "price" in now["items"][0]) == ("delivered", "gift", False)
    assert now["items"][1]["options"] == {"colour/glaze": "green"}
    assert [entry["amount"] for entry in now["payment_history"]] == [20.0, 1, 2]


@pytest.mark.parametrize(
    "pointer",
    ["/items/2/price", "/items/3", "/items/01", "/items/x", "/none/of", "/status/x", "/items/0/no/way", "status", ""],
)
async def test_a_pointer_into_nothing_is_refused(shop: httpx.AsyncClient, pointer: str) -> None:
    """The refusal names the pointer, and the fields before it are not set either."""
    before = await order(shop)
    answer = await correct(shop, {"/status": "lost", pointer: "x"})
    assert (answer.status_code, pointer in answer.json()["detail"]) == (409, True)
    assert await order(shop) == before


async def test_only_what_is_there_can_be_removed(shop: httpx.AsyncClient) -> None:
    """Removing a missing field or record, or correcting a missing record, is refused."""
    assert (await correct(shop, {"/cancel_reason": None})).status_code == 409
    assert (await correct(shop, {"/status": "x"}, record="orders/#W9")).status_code == 409
    assert (await correct(shop, {"/status": "x"}, record="orders")).status_code == 409
    assert (await correct(shop, {}, record="orders/#W9")).status_code == 409
    assert (await correct(shop, {"": None}, record="orders/#W9")).status_code == 409
    assert (await correct(shop, {"/status": "x", "": {"status": "y"}}, record="orders/#W9")).status_code == 409


async def test_a_whole_record_is_made_changed_and_removed(shop: httpx.AsyncClient) -> None:
    """The empty pointer is the record itself; what is removed is gone for reads and tools, and stays in history."""
    made = {"order_id": "#W9", "user_id": "ann", "status": "lost"}
    assert (await correct(shop, {"": made, "/status": "pending"}, record="orders/#W9")).status_code == 200
    assert (await shop.get("records/orders/%23W9")).json() == {**made, "status": "pending"}
    assert (await correct(shop, {"": None}, record="orders/#W9")).json()["operation"] == "op-2"
    assert (await shop.get("records/orders/%23W9")).status_code == 404
    assert (await shop.get("records/orders/%23W9?before=op-2")).json()["status"] == "pending"
    journal = (await shop.get("operations")).json()
    assert [entry["changed"] for entry in journal] == [["orders/#W9"], ["orders/#W9"]]


async def test_a_removed_record_is_found_by_no_search(shop: httpx.AsyncClient) -> None:
    """Whoever lists or searches a kind of record meets only what is there."""
    await correct(shop, {"": None}, record="users/ann")
    assert (await shop.post("tools/find_user_id_by_email", json={"email": "ann@example.com"})).status_code == 404
    elsewhere = "http://shop/copies/two/tools/find_user_id_by_email"
    assert (await shop.post(elsewhere, json={"email": "ann@example.com"})).json()["result"] == "ann"


@pytest.mark.parametrize(
    ("record", "whole"), [("orders/#W1", "x"), ("orders/#W1", []), ("orders/", {}), ("ghosts/1", {})]
)
async def test_a_whole_record_is_an_object_of_a_known_kind(shop: httpx.AsyncClient, record: str, whole: Any) -> None:
    """Nothing else can be made, and a refusal changes nothing."""
    before = await order(shop)
    assert (await correct(shop, {"": whole}, record=record)).status_code == 409
    assert await order(shop) == before


async def test_a_correction_with_a_key_is_made_once(shop: httpx.AsyncClient) -> None:
    """A correction sent again after a lost answer appends no second entry."""
    body = {"record": "orders/#W1", "fields": {"/items/-": {}}, "by": "r.meyer", "reason": "one was missing"}
    for _ in range(2):
        await shop.post("staff/correct", json=body, headers={"Idempotency-Key": "k-1"})
    assert len((await order(shop))["items"]) == 3
