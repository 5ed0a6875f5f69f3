"""A small shop of one customer, and one for each recorded database, each spoken to over HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from aftercare.demo.shop.airline import AIRLINE
from aftercare.demo.shop.domain import Domain
from aftercare.demo.shop.records import Database
from aftercare.demo.shop.retail import RETAIL
from aftercare.demo.shop.service import create_app

DATA = Path(__file__).parents[3] / "shared" / "data"
DOMAINS = {"airline": AIRLINE, "retail": RETAIL}
HOME = {"address1": "1 Elm Road", "address2": "", "city": "Leeds", "state": "WY", "country": "UK", "zip": "10001"}


def order(id: str, status: str, *item_ids: str, paid_with: str = "card_1") -> dict[str, Any]:
    items = [{"name": "Mug", "product_id": "mug", "item_id": i, **VARIANTS[i]} for i in item_ids]
    payment = {"transaction_type": "payment", "amount": 10.0 * len(items), "payment_method_id": paid_with}
    shared = {"address": HOME, "fulfillments": [], "payment_history": [payment]}
    return {"order_id": id, "user_id": "ann", "items": items, "status": status, **shared}


VARIANTS: dict[str, dict[str, Any]] = {
    "red": {"price": 10.0, "options": {"colour/glaze": "red"}},
    "blue": {"price": 12.5, "options": {"colour/glaze": "blue"}},
    "gold": {"price": 99.0, "options": {"colour/glaze": "gold"}},
    "gone": {"price": 5.0, "options": {"colour/glaze": "grey"}},
}
METHODS = {
    "card_1": {"source": "credit_card", "id": "card_1"},
    "card_2": {"source": "credit_card", "id": "card_2"},
    "gift_1": {"source": "gift_card", "id": "gift_1", "balance": 30},
}
ANN = {"name": {"first_name": "Ann", "last_name": "Lee"}, "address": HOME, "email": "ann@example.com"}
VARIANT_RECORDS = {i: {"item_id": i, "available": i != "gone", **v} for i, v in VARIANTS.items()}
SMALL = {
    "orders": {
        "#W1": order("#W1", "pending", "red", "red"),
        "#W2": order("#W2", "delivered", "red", "blue"),
        "#W3": order("#W3", "pending", "red", paid_with="gift_1"),
    },
    "products": {"mug": {"name": "Mug", "product_id": "mug", "variants": VARIANT_RECORDS}},
    "users": {"ann": {**ANN, "payment_methods": METHODS, "orders": ["#W1", "#W2", "#W3"]}},
}


@pytest.fixture
def small_data(tmp_path: Path) -> Path:
    path = tmp_path / "small.json"
    path.write_text(json.dumps(SMALL))
    return path


@pytest.fixture
async def shop(tmp_path: Path, small_data: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Speaks to copy `one` of the small shop unless told another."""
    async with client(app_on(tmp_path / "shop.sqlite", small_data), "http://shop/copies/one/") as speaking:
        yield speaking


@pytest.fixture(scope="session")
async def recorded_shops(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    """A shop for each recorded database that is here, by its line of business."""
    folder = tmp_path_factory.mktemp("recorded")
    async with AsyncExitStack() as stack:
        shops = {}
        for name, domain in DOMAINS.items():
            data = DATA / f"taubench_{name}_db.json.gz"
            if data.exists():
                app = app_on(folder / f"{name}.sqlite", data, domain)
                shops[name] = await stack.enter_async_context(client(app, "http://shop/copies/"))
        yield shops


@pytest.fixture
def recorded_shop(recorded_shops: dict[str, httpx.AsyncClient], case: dict[str, Any]) -> httpx.AsyncClient:
    """The shop that a recorded case was about."""
    if case["domain"] not in recorded_shops:
        pytest.skip(f"the recorded {case['domain']} database is not here")
    return recorded_shops[case["domain"]]


def app_on(path: Path, data: Path, domain: Domain = RETAIL) -> FastAPI:
    database = Database(path)
    database.load(data)
    return create_app(database, domain)


def client(app: FastAPI, base_url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base_url)
