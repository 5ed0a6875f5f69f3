"""What customers of the airline pay with: gift cards and certificates hold an amount, credit cards are the bank's."""

from __future__ import annotations

from collections.abc import Sequence

from aftercare.demo.shop.domain import Arguments, Record, Refused


class Payment(Arguments):
    payment_id: str
    amount: int | float


def paid_for_booking(customer: Record, payments: Sequence[Payment], price: float) -> Record:
    """The customer after paying exactly the price: a certificate is used up whole, whatever was left on it."""
    methods = dict(customer["payment_methods"])
    for payment in payments:
        method = methods.get(payment.payment_id)
        if method is None:
            raise Refused(f"payment method {payment.payment_id} not found")
        if method["source"] != "credit_card" and method["amount"] < payment.amount:
            raise Refused(f"not enough balance in payment method {payment.payment_id}")
    paid = sum(payment.amount for payment in payments)
    if cents(paid) != cents(price):
        raise Refused(f"payment amount does not add up, total price is {price}, but paid {paid}")
    for payment in payments:
        method = methods.pop(payment.payment_id)
        if method["source"] != "certificate":
            methods[payment.payment_id] = _less(method, payment.amount)
    return {**customer, "payment_methods": methods}


def paid_for_change(customer: Record, payment_id: str, price: float) -> Record:
    """The customer after paying for a change, or, where the price is negative, getting money back."""
    method = customer["payment_methods"].get(payment_id)
    if method is None:
        raise Refused("payment method not found")
    if method["source"] == "certificate":
        raise Refused("certificate cannot be used to update reservation")
    if method["source"] == "gift_card" and method["amount"] < price:
        raise Refused("gift card balance is not enough")
    methods = {**customer["payment_methods"], payment_id: _less(method, price)}
    return {**customer, "payment_methods": methods}


def entry(payment_id: str, price: float) -> list[Record]:
    """What a change leaves in the payment history: nothing, where nothing was due."""
    return [{"payment_id": payment_id, "amount": price}] if price else []


def cents(amount: float) -> float:
    """An amount of money, without what floating point adds to it."""
    return round(amount, 2)


def _less(method: Record, amount: float) -> Record:
    return {**method, "amount": cents(method["amount"] - amount)} if method["source"] == "gift_card" else method
