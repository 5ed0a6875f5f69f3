"""What the shop promises about its records: history, isolation, one effect per key."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

CANCEL = {"order_id": "#W1", "reason": "no longer needed"}
MOVE = {"address1": "2", "address2": "", "city": "Hull", "state": "WY", "country": "UK", "zip": "2"}
KEY = {"Idempotency-Key": "k-1"}


async def status(shop: httpx.AsyncClient, query: str = "") -> Any:
    return (await shop.get(f"records/orders/%23W1{query}")).json()["status"]


async def test_a_record_is_seen_as_it_stood_before(shop: httpx.AsyncClient) -> None:
    """Before each operation there is the state the one before it left."""
    await shop.post("tools/modify_pending_order_address", json={"order_id": "#W1", **MOVE})
    await shop.post("tools/cancel_pending_order", json=CANCEL)
    cities = []
    for query in ("?before=op-1", "?before=op-2"):
        order = (await shop.get(f"records/orders/%23W1{query}")).json()
        assert order["status"] == "pending"
        cities.append(order["address"]["city"])
    assert cities == ["Leeds", "Hull"]
    assert await status(shop) == "cancelled"


async def test_the_journal_tells_what_happened_in_order(shop: httpx.AsyncClient) -> None:
    """Accepted and refused writes of agent and staff stand there as they came, with what each changed."""
    fix = {"record": "orders/#W1", "fields": {"/status": "pending"}, "by": "r.meyer", "reason": "not asked for"}
    await shop.post("tools/cancel_pending_order", json={**CANCEL, "order_id": "#W3"})
    await shop.post("tools/cancel_pending_order", json={**CANCEL, "order_id": "#W3"})
    await shop.post("staff/correct", json={**fix, "record": "orders/#W3"})
    journal = (await shop.get("operations")).json()
    assert [(entry["operation"], entry["by"], entry["accepted"]) for entry in journal] == [
        ("op-1", "agent", True),
        ("op-2", "agent", False),
        ("op-3", "staff", True),
    ]
    assert [entry["changed"] for entry in journal] == [["orders/#W3", "users/ann"], [], ["orders/#W3"]]
    assert journal[2]["arguments"]["by"] == "r.meyer"


async def test_copies_do_not_see_each_other(shop: httpx.AsyncClient) -> None:
    """What happens on one copy leaves every other as the base is."""
    await shop.post("tools/cancel_pending_order", json=CANCEL)
    other = "http://shop/copies/two"
    assert (await shop.get(f"{other}/records/orders/%23W1")).json()["status"] == "pending"
    assert (await shop.get(f"{other}/operations")).json() == []
    assert (await shop.get(f"{other}/records/orders/%23W1?before=op-1")).status_code == 404


async def test_copies_work_at_the_same_time(shop: httpx.AsyncClient) -> None:
    """Twenty copies cancel at once, and each has its own first operation."""
    urls = [f"http://shop/copies/copy-{n}/tools/cancel_pending_order" for n in range(20)]
    answers = await asyncio.gather(*(shop.post(url, json=CANCEL) for url in urls))
    assert [answer.json()["operation"] for answer in answers] == ["op-1"] * 20


async def test_a_repeated_key_has_one_effect(shop: httpx.AsyncClient) -> None:
    """The first answer comes again, also when all come at once; the order is cancelled once."""
    calls = [shop.post("tools/cancel_pending_order", json=CANCEL, headers=KEY) for _ in range(5)]
    answers = await asyncio.gather(*calls)
    assert {answer.text for answer in answers} == {answers[0].text}
    assert answers[0].status_code == 200
    assert len((await shop.get("operations")).json()) == 1


async def test_a_repeated_key_repeats_a_refusal(shop: httpx.AsyncClient) -> None:
    """What was refused under a key stays refused under it."""
    refused = {**CANCEL, "order_id": "#W2"}
    answers = [await shop.post("tools/cancel_pending_order", json=refused, headers=KEY) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [409, 409]
    assert answers[0].json() == answers[1].json()


async def test_a_key_serves_one_request_only(shop: httpx.AsyncClient) -> None:
    """The same key with another body is a 422 without effect; on another copy it is another key."""
    await shop.post("tools/cancel_pending_order", json=CANCEL, headers=KEY)
    changed = await shop.post("tools/cancel_pending_order", json={**CANCEL, "order_id": "#W3"}, headers=KEY)
    assert (changed.status_code, len((await shop.get("operations")).json())) == (422, 1)
    url = "http://shop/copies/two/tools/cancel_pending_order"
    assert (await shop.post(url, json=CANCEL, headers=KEY)).status_code == 200


@pytest.mark.parametrize(
    "path", ["records/orders/%23W9", "records/ghosts/1", "records/orders/%23W1?before=op-9", "nothing"]
)
async def test_what_is_not_there_is_a_problem(shop: httpx.AsyncClient, path: str) -> None:
    """An unknown record, kind, operation or address is a 404 problem."""
    answer = await shop.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


async def test_a_copy_has_a_plain_name(shop: httpx.AsyncClient) -> None:
    """A name that is not safe in an address is refused."""
    assert (await shop.get("http://shop/copies/a%20b/operations")).status_code == 422
