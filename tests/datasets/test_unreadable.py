"""A case that can no longer be read costs its own pieces, and nobody else's; nothing it says gets out."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from sqlmodel import col, update

from aftercare.store.tables import CaseRow, ExampleRow, SettlementRow, StepRow
from tests.datasets.shelf import FIRING, Shelf, override, trace

WORDS = "Zoe Brandt, 5 Elm Street"
STEP = update(StepRow).where(col(StepRow.case_id) == "a", col(StepRow.number) == 1)
BROKEN = {
    "step": STEP.values(body={"number": WORDS, "kind": "act"}),
    "half a character": STEP.values(body={"number": 1, "kind": "reply", "heard": f"{WORDS} \ud800 is where I live"}),
    "case": update(CaseRow).where(col(CaseRow.case_id) == "a").values(body={"id": WORDS}),
    "settlement": update(SettlementRow).where(col(SettlementRow.case_id) == "a").values(body={"outcome": WORDS}),
    "state": update(SettlementRow).where(col(SettlementRow.case_id) == "a").values(state={"stage": WORDS}),
}


async def changed(shelf: Shelf, how: Any) -> None:
    """What lies in the store was written by a build that is gone."""
    async with shelf.cases.database.engine.begin() as connection:
        await connection.execute(how)


async def two(shelf: Shelf) -> None:
    """Two claimed cases, both corrected."""
    for id in ("a", "b"):
        await shelf.settled(id, trace(f"This is about order {id} of mine."), override(), customer=f"{id}-1")
    await shelf.claimed("a", "b")


@pytest.mark.parametrize("part", BROKEN)
async def test_a_case_that_cannot_be_read_fails_no_other(
    shelf: Shelf, part: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Its pieces are accounted for as such, and the log has its id and the error's type alone."""
    await two(shelf)
    await changed(shelf, BROKEN[part])
    with caplog.at_level(logging.DEBUG):
        frozen = await shelf.freeze()
    accounts = [(a["case"], a["became"]) for a in (await shelf.frozen_row()).accounts]
    assert (frozen.rows, frozen.accounts) == (1, {"unreadable": 1, "kept": 1})
    assert accounts == [("a", "unreadable"), ("b", "kept")]
    assert [row.case_id for row in await shelf.rows()] == ["b"]
    (warned,) = [record for record in caplog.records if "case_unreadable" in record.getMessage()]
    said = vars(warned)
    assert said["case_id"] == "a"
    assert said["reason"] in ("ValidationError", "UnicodeEncodeError")
    assert not any("Zoe" in str(vars(record)) for record in caplog.records if "aiosqlite" not in record.name)


async def test_a_claim_of_which_nothing_can_be_read_is_an_empty_dataset(shelf: Shelf) -> None:
    """It says what became of its evidence, and its improvement goes on to say that there is nothing to learn from."""
    await two(shelf)
    await changed(shelf, update(StepRow).values(body={"number": WORDS}))
    frozen = await shelf.freeze()
    assert (frozen.rows, frozen.accounts) == (0, {"unreadable": 2})
    assert (await shelf.diagnosed()).headline == "No evidence is left to learn from."


async def test_a_drawn_case_that_cannot_be_read_keeps_its_customer_from_being_trained_on(shelf: Shelf) -> None:
    """Whose it is stands beside it."""
    await shelf.settled("a", trace("My kettle does not boil at all."), customer="ann")
    await shelf.settled("b", trace("Where is my refund, please?"), customer="ann")
    await shelf.audited("a")
    await changed(shelf, BROKEN["step"])
    await shelf.claimed("b")
    assert (await shelf.freeze()).sides == {"audit": 1}


async def test_a_row_that_cannot_be_read_is_left_out_of_the_diagnosis(shelf: Shelf) -> None:
    """Which says so, also when it is told anew after an erasure."""
    await two(shelf)
    await shelf.settled("c", trace("Where is my refund, please?"), customer="c-1")
    await shelf.claimed("c")
    await shelf.freeze()
    await changed(shelf, update(ExampleRow).where(col(ExampleRow.case_id) == "a").values(body={"settled": WORDS}))
    await shelf.diagnosed()
    told = (await shelf.frozen_row(FIRING)).diagnosis
    assert (told["rows"], told["unreadable"], [case["case_id"] for case in told["cases"]]) == (2, 1, ["b", "c"])
    await shelf.erase("c-1")
    told = (await shelf.frozen_row(FIRING)).diagnosis
    assert (told["rows"], told["unreadable"]) == (1, 1)
