"""What the retail shop answers about its records; nothing here changes one."""

from __future__ import annotations

from aftercare.demo.shop.domain import Arguments, Read, Record, Records, Refused

NOUNS = {"orders": "order", "products": "product", "users": "customer"}


class Nothing(Arguments):
    pass


class OrderId(Arguments):
    order_id: str


class ProductId(Arguments):
    product_id: str


class CustomerId(Arguments):
    user_id: str


class Email(Arguments):
    email: str


class NameAndZip(Arguments):
    first_name: str
    last_name: str
    zip: str


def existing(records: Records, kind: str, id: str) -> Record:
    record = records.find(kind, id)
    if record is None:
        raise Refused(f"There is no {NOUNS[kind]} {id}.")
    return record


def customer_of(records: Records, order: Record) -> Record:
    return existing(records, "users", order["user_id"])


def order_details(records: Records, wanted: OrderId) -> Record:
    return existing(records, "orders", wanted.order_id)


def product_details(records: Records, wanted: ProductId) -> Record:
    return existing(records, "products", wanted.product_id)


def customer_details(records: Records, wanted: CustomerId) -> Record:
    return existing(records, "users", wanted.user_id)


def customer_by_email(records: Records, wanted: Email) -> str:
    for id, customer in records.all("users").items():
        if customer["email"].lower() == wanted.email.lower():
            return id
    raise Refused(f"There is no customer with the email address {wanted.email}.")


def customer_by_name(records: Records, wanted: NameAndZip) -> str:
    name = f"{wanted.first_name} {wanted.last_name}"
    for id, customer in records.all("users").items():
        known = f"{customer['name']['first_name']} {customer['name']['last_name']}"
        if known.lower() == name.lower() and customer["address"]["zip"] == wanted.zip:
            return id
    raise Refused(f"There is no customer called {name} at zip code {wanted.zip}.")


def product_types(records: Records, wanted: Nothing) -> dict[str, str]:
    return dict(sorted((product["name"], id) for id, product in records.all("products").items()))


READS = {
    "find_user_id_by_email": Read(Email, customer_by_email),
    "find_user_id_by_name_zip": Read(NameAndZip, customer_by_name),
    "get_order_details": Read(OrderId, order_details),
    "get_product_details": Read(ProductId, product_details),
    "get_user_details": Read(CustomerId, customer_details),
    "list_all_product_types": Read(Nothing, product_types),
}
