"""The retail shop's operations: orders, customers and stock, and what the shop's own rules allow."""

from __future__ import annotations

from typing import Literal

from aftercare.demo.shop.domain import Arguments, Changed, Domain, Record, Records, Refused, Write
from aftercare.demo.shop.retail_reads import READS, customer_of, existing


class Cancellation(Arguments):
    order_id: str
    reason: Literal["no longer needed", "ordered by mistake"]


class Swap(Arguments):
    order_id: str
    item_ids: list[str]
    new_item_ids: list[str]
    payment_method_id: str


class Return(Arguments):
    order_id: str
    item_ids: list[str]
    payment_method_id: str


class PaymentChange(Arguments):
    order_id: str
    payment_method_id: str


class Address(Arguments):
    address1: str
    address2: str
    city: str
    state: str
    country: str
    zip: str


class OrderAddress(Address):
    order_id: str


class CustomerAddress(Address):
    user_id: str


def cancel_order(records: Records, wanted: Cancellation) -> Changed:
    order = _order(records, wanted.order_id, "pending", "cancelled")
    customer = customer_of(records, order)
    refunds = []
    for method_id, amount in _still_paid(order).items():
        customer = _credited(customer, method_id, amount)
        refunds.append(_entry("refund", amount, method_id))
    history = order["payment_history"] + refunds
    return _changed(
        {**order, "status": "cancelled", "cancel_reason": wanted.reason, "payment_history": history}, customer
    )


def modify_items(records: Records, wanted: Swap) -> Changed:
    order = _order(records, wanted.order_id, "pending", "modified")
    customer = customer_of(records, order)
    items = _swapped(records, order, wanted)
    extra = _price_difference(order["items"], items)
    _require_funds(customer, wanted.payment_method_id, extra)
    entry = _entry("payment" if extra > 0 else "refund", abs(extra), wanted.payment_method_id)
    history = [*order["payment_history"], entry]
    return _changed(
        {**order, "status": "pending (item modified)", "items": items, "payment_history": history},
        _credited(customer, wanted.payment_method_id, -extra),
    )


def exchange_items(records: Records, wanted: Swap) -> Changed:
    order = _order(records, wanted.order_id, "delivered", "exchanged")
    extra = _price_difference(order["items"], _swapped(records, order, wanted))
    _require_funds(customer_of(records, order), wanted.payment_method_id, extra)
    request = {
        "status": "exchange requested",
        "exchange_items": sorted(wanted.item_ids),
        "exchange_new_items": sorted(wanted.new_item_ids),
        "exchange_payment_method_id": wanted.payment_method_id,
        "exchange_price_difference": extra,
    }
    return _changed({**order, **request})


def return_items(records: Records, wanted: Return) -> Changed:
    order = _order(records, wanted.order_id, "delivered", "returned")
    _positions(order, wanted.item_ids)
    method = _payment_method(customer_of(records, order), wanted.payment_method_id)
    paid_with = order["payment_history"][0]["payment_method_id"]
    if method["source"] != "gift_card" and method["id"] != paid_with:
        raise Refused(f"A refund goes to the original payment method, {paid_with}, or to a gift card.")
    request = {
        "status": "return requested",
        "return_items": sorted(wanted.item_ids),
        "return_payment_method_id": wanted.payment_method_id,
    }
    return _changed({**order, **request})


def modify_payment(records: Records, wanted: PaymentChange) -> Changed:
    order = _order(records, wanted.order_id, "pending", "modified")
    history = order["payment_history"]
    if len(history) != 1 or history[0]["transaction_type"] != "payment":
        raise Refused(f"Order {wanted.order_id} was not paid in a single payment, so its payment cannot be changed.")
    old_method, amount = history[0]["payment_method_id"], history[0]["amount"]
    if wanted.payment_method_id == old_method:
        raise Refused(f"Order {wanted.order_id} is already paid with {old_method}.")
    customer = customer_of(records, order)
    _require_funds(customer, wanted.payment_method_id, amount)
    entries = [_entry("payment", amount, wanted.payment_method_id), _entry("refund", amount, old_method)]
    customer = _credited(_credited(customer, wanted.payment_method_id, -amount), old_method, amount)
    return _changed({**order, "payment_history": history + entries}, customer)


def modify_order_address(records: Records, wanted: OrderAddress) -> Changed:
    order = _order(records, wanted.order_id, "pending", "modified")
    return _changed({**order, "address": wanted.model_dump(exclude={"order_id"})})


def modify_customer_address(records: Records, wanted: CustomerAddress) -> Changed:
    customer = existing(records, "users", wanted.user_id)
    moved = {**customer, "address": wanted.model_dump(exclude={"user_id"})}
    return Changed(moved, {("users", wanted.user_id): moved})


def _order(records: Records, order_id: str, status: str, done: str) -> Record:
    order = existing(records, "orders", order_id)
    if order["status"] != status:
        raise Refused(f"Order {order_id} is {order['status']}; only a {status} order can be {done}.")
    return order


def _changed(order: Record, customer: Record | None = None) -> Changed:
    records = {("orders", order["order_id"]): order}
    if customer is not None:
        records["users", order["user_id"]] = customer
    return Changed(order, records)


def _swapped(records: Records, order: Record, wanted: Swap) -> list[Record]:
    """The order's items with each wanted one replaced by its new variant, in place."""
    if len(wanted.item_ids) != len(wanted.new_item_ids):
        raise Refused("The number of items and the number of new items must be the same.")
    items = list(order["items"])
    for position, new_id in zip(_positions(order, wanted.item_ids), wanted.new_item_ids, strict=True):
        items[position] = _variant(records, items[position], new_id)
    return items


def _positions(order: Record, item_ids: list[str]) -> list[int]:
    """Where in the order these items stand; an item named twice must be there twice."""
    if not item_ids:
        raise Refused("At least one item must be named.")
    left = {position: item["item_id"] for position, item in enumerate(order["items"])}
    positions = []
    for item_id in item_ids:
        position = next((place for place, held in left.items() if held == item_id), None)
        if position is None:
            raise Refused(f"Order {order['order_id']} has no item {item_id}, or not that many of it.")
        del left[position]
        positions.append(position)
    return positions


def _variant(records: Records, item: Record, new_id: str) -> Record:
    variant = existing(records, "products", item["product_id"])["variants"].get(new_id)
    if variant is None or not variant["available"]:
        raise Refused(f"Item {new_id} is not an available variant of {item['name']}.")
    return {**item, "item_id": new_id, "price": variant["price"], "options": variant["options"]}


def _price_difference(before: list[Record], after: list[Record]) -> float:
    return _cents(sum(item["price"] for item in after) - sum(item["price"] for item in before))


def _payment_method(customer: Record, method_id: str) -> Record:
    method: Record | None = customer["payment_methods"].get(method_id)
    if method is None:
        raise Refused(f"The customer has no payment method {method_id}.")
    return method


def _require_funds(customer: Record, method_id: str, amount: float) -> None:
    method = _payment_method(customer, method_id)
    if method["source"] == "gift_card" and method["balance"] < amount:
        raise Refused(f"The balance of {method_id} is {method['balance']:.2f}, less than the {amount:.2f} due.")


def _credited(customer: Record, method_id: str, amount: float) -> Record:
    """The customer after the amount went to this method: at once for a gift card, elsewhere the bank's matter."""
    method = _payment_method(customer, method_id)
    if method["source"] != "gift_card":
        return customer
    credited = {**method, "balance": _cents(method["balance"] + amount)}
    return {**customer, "payment_methods": {**customer["payment_methods"], method_id: credited}}


def _still_paid(order: Record) -> dict[str, float]:
    """What each payment method has paid and not yet had back."""
    paid: dict[str, float] = {}
    for entry in order["payment_history"]:
        sign = 1 if entry["transaction_type"] == "payment" else -1
        paid[entry["payment_method_id"]] = _cents(paid.get(entry["payment_method_id"], 0) + sign * entry["amount"])
    return {method_id: amount for method_id, amount in paid.items() if amount > 0}


def _entry(kind: Literal["payment", "refund"], amount: float, method_id: str) -> Record:
    return {"transaction_type": kind, "amount": amount, "payment_method_id": method_id}


def _cents(amount: float) -> float:
    return round(amount, 2)


WRITES = {
    "cancel_pending_order": Write(Cancellation, cancel_order),
    "exchange_delivered_order_items": Write(Swap, exchange_items),
    "modify_pending_order_address": Write(OrderAddress, modify_order_address),
    "modify_pending_order_items": Write(Swap, modify_items),
    "modify_pending_order_payment": Write(PaymentChange, modify_payment),
    "modify_user_address": Write(CustomerAddress, modify_customer_address),
    "return_delivered_order_items": Write(Return, return_items),
}
RETAIL = Domain(kinds=frozenset({"orders", "products", "users"}), tools={**READS, **WRITES})
