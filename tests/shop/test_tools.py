"""What the tools promise an agent."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

CANCEL = {"order_id": "#W1", "reason": "no longer needed"}


def swap(order: str, item_ids: list[str], new_item_ids: list[str], method: str) -> dict[str, Any]:
    return {"order_id": order, "item_ids": item_ids, "new_item_ids": new_item_ids, "payment_method_id": method}


async def balance(shop: httpx.AsyncClient) -> float:
    customer = (await shop.get("records/users/ann")).json()
    return float(customer["payment_methods"]["gift_1"]["balance"])


async def test_a_cancelled_order_is_refunded(shop: httpx.AsyncClient) -> None:
    """What a gift card paid is back on it at once."""
    answer = (await shop.post("tools/cancel_pending_order", json={**CANCEL, "order_id": "#W3"})).json()
    assert answer["operation"] == "op-1"
    assert answer["result"]["status"] == "cancelled"
    assert answer["result"]["payment_history"][1]["transaction_type"] == "refund"
    assert await balance(shop) == 40.0


async def test_one_of_two_equal_items_is_modified(shop: httpx.AsyncClient) -> None:
    """Only as many as were named change, and the gift card pays the difference."""
    wanted = swap("#W1", ["red"], ["blue"], "gift_1")
    order = (await shop.post("tools/modify_pending_order_items", json=wanted)).json()["result"]
    assert sorted(item["item_id"] for item in order["items"]) == ["blue", "red"]
    assert order["status"] == "pending (item modified)"
    assert order["payment_history"][1] == {
        "transaction_type": "payment",
        "amount": 2.5,
        "payment_method_id": "gift_1",
    }
    assert await balance(shop) == 27.5


async def test_an_exchange_moves_no_money_yet(shop: httpx.AsyncClient) -> None:
    """The price difference is only noted until the goods are back."""
    wanted = swap("#W2", ["red", "blue"], ["blue", "red"], "gift_1")
    order = (await shop.post("tools/exchange_delivered_order_items", json=wanted)).json()["result"]
    assert order["exchange_items"] == order["exchange_new_items"] == ["blue", "red"]
    assert order["exchange_price_difference"] == 0
    assert len(order["payment_history"]) == 1
    assert await balance(shop) == 30


async def test_a_payment_changes_once(shop: httpx.AsyncClient) -> None:
    """The new method pays, the old one is refunded, and a later cancellation refunds only what is still paid."""
    change = {"order_id": "#W1", "payment_method_id": "gift_1"}
    assert (await shop.post("tools/modify_pending_order_payment", json=change)).status_code == 200
    assert await balance(shop) == 10.0
    again = await shop.post("tools/modify_pending_order_payment", json={**change, "payment_method_id": "card_2"})
    assert again.status_code == 409
    history = (await shop.post("tools/cancel_pending_order", json=CANCEL)).json()["result"]["payment_history"]
    assert [entry["payment_method_id"] for entry in history] == ["card_1", "gift_1", "card_1", "gift_1"]
    assert await balance(shop) == 30.0


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("cancel_pending_order", {**CANCEL, "order_id": "#W2"}),
    ("cancel_pending_order", {**CANCEL, "order_id": "#W9"}),
    ("modify_pending_order_items", swap("#W1", ["red"], ["blue", "blue"], "card_1")),
    ("modify_pending_order_items", swap("#W1", [], [], "card_1")),
    ("modify_pending_order_items", swap("#W1", ["red"] * 3, ["blue"] * 3, "card_1")),
    ("modify_pending_order_items", swap("#W1", ["red"], ["gone"], "card_1")),
    ("modify_pending_order_items", swap("#W1", ["red"], ["gold"], "gift_1")),
    ("modify_pending_order_items", swap("#W1", ["red"], ["blue"], "card_9")),
    ("exchange_delivered_order_items", swap("#W1", ["red"], ["blue"], "card_1")),
    ("return_delivered_order_items", {"order_id": "#W2", "item_ids": ["red"], "payment_method_id": "card_2"}),
    ("modify_pending_order_payment", {"order_id": "#W1", "payment_method_id": "card_1"}),
]


@pytest.mark.parametrize(("tool", "arguments"), REFUSED)
async def test_a_refusal_says_why_and_changes_nothing(
    shop: httpx.AsyncClient, tool: str, arguments: dict[str, Any]
) -> None:
    """What the shop's rules forbid is a 409 with a sentence, journalled, and without effect."""
    answer = await shop.post(f"tools/{tool}", json=arguments)
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    (entry,) = (await shop.get("operations")).json()
    assert (answer.json()["operation"], answer.json()["detail"]) == (entry["operation"], entry["reason"])
    assert (entry["accepted"], entry["changed"]) == (False, [])


MALFORMED = [
    ({"order_id": "#W1"}, "reason"),
    ({**CANCEL, "reason": "a whim"}, "reason"),
    ({**CANCEL, "order_id": 1}, "order_id"),
    ({**CANCEL, "colour": "red"}, "colour"),
    ([], "body"),
]


@pytest.mark.parametrize(("arguments", "named"), MALFORMED)
async def test_malformed_arguments_are_named(shop: httpx.AsyncClient, arguments: Any, named: str) -> None:
    """A missing, wrong or unknown argument is a 422 that says which, and no operation."""
    answer = await shop.post("tools/cancel_pending_order", json=arguments)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(f"{named}: ")
    assert (await shop.get("operations")).json() == []


async def test_reads_are_no_operations(shop: httpx.AsyncClient) -> None:
    """A read answers without a trace; what is not there is a 404 that says so."""
    found = await shop.post("tools/find_user_id_by_email", json={"email": "Ann@example.com"})
    assert found.json() == {"operation": None, "result": "ann"}
    assert (await shop.post("tools/list_all_product_types", json={})).json()["result"] == {"Mug": "mug"}
    missing = await shop.post("tools/find_user_id_by_email", json={"email": "bob@example.com"})
    assert (missing.status_code, "bob@example.com" in missing.json()["detail"]) == (404, True)
    assert (await shop.post("tools/think", json={})).status_code == 404
    assert (await shop.get("operations")).json() == []
