"""What a support person does where a fault left a record otherwise than it was recorded."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from aftercare.demo.people import ByHand
from aftercare.demo.recorded.format import Correction
from aftercare.demo.story import SHOP
from tests.shop.conftest import app_on, client

RECORD = "orders/#A101"
WHERE = "/copies/case-1/records/orders/%23A101"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with client(app_on(tmp_path / "shop.sqlite", SHOP), "http://shop") as speaking:
        yield speaking


async def test_what_can_be_corrected_is_and_what_cannot_is_told(
    shop: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """The order was to be un-cancelled, and its cancellation had been dropped: there is no reason to take away."""
    fields = {"/cancel_reason": None, "/status": "pending", "/address/city": "Salem"}
    first = await ByHand("case-1", shop, "wrong order").correct(Correction(record=RECORD, fields=fields), "1")
    now = (await shop.get(WHERE)).json()
    assert (now["status"], now["address"]["city"]) == ("pending", "Salem")
    told = json.loads(capsys.readouterr().out)
    assert (told["event"], told["case"], told["record"]) == ("not_corrected", "case-1", RECORD)
    journal = (await shop.get("/copies/case-1/operations")).json()
    assert [entry["accepted"] for entry in journal] == [False, False, True, True]
    assert first == journal[2]["operation"]


async def test_a_correction_that_fits_is_made_at_once(shop: httpx.AsyncClient) -> None:
    """One operation, whose name the override then gives as its receipt."""
    correction = Correction(record=RECORD, fields={"/status": "lost", "/note": "x"})
    assert await ByHand("case-1", shop, "it was lost").correct(correction, "1") == "op-1"
    assert len((await shop.get("/copies/case-1/operations")).json()) == 1
