"""What a freeze asks the store for: what its own claim has to do with, found by index."""

from __future__ import annotations

import json
from typing import Any

import pytest_asyncio
from sqlalchemy import delete, insert, text
from sqlalchemy.dialects import sqlite
from sqlmodel import col

from aftercare.learning.datasets.problems import Akin
from aftercare.messages.case import Case, Step, StepKind
from aftercare.store.audited import drawn_among, drawn_of_nobody
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.store.datasets import EXAMPLE, _staged
from aftercare.store.tables import CaseRow
from tests.datasets.shelf import AGENT, FIRING, Shelf, trace


@pytest_asyncio.fixture(loop_scope="session")
async def on_sqlite(tmp_path: Any) -> Any:
    """A store whose plans can be read."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}")
    await database.migrate()
    yield Shelf(Cases(database))
    await database.close()


async def plan(shelf: Shelf, statement: Any) -> list[str]:
    """How SQLite finds what is asked for."""
    asked = statement.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    async with shelf.cases.database.engine.connect() as connection:
        return [row.detail for row in await connection.execute(text(f"EXPLAIN QUERY PLAN {asked}"))]


def row(dataset: str) -> dict[str, Any]:
    """A row that some attempt staged."""
    empty = dict.fromkeys(("problem", "side", "redaction", "digest"), "")
    return empty | {"dataset": dataset, "number": 1, "case_id": "c", "body": {}, "provenance": {}}


async def test_what_was_staged_is_found_by_its_key(on_sqlite: Shelf) -> None:
    """However many rows all the datasets have: nobody else writes meanwhile."""
    (told,) = await plan(on_sqlite, delete(EXAMPLE).where(_staged(FIRING, "sqlite")))
    assert told.startswith("SEARCH example USING")
    assert "(dataset>? AND dataset<?)" in told


async def test_an_attempt_clears_away_its_own_dataset_alone(shelf: Shelf) -> None:
    """Not that of an agent whose name differs in its case or its signs, nor that of a later cycle."""
    others = ["Desk/override/1#a", "desk/override/11#a", "desk/override/1", "de_sk/override/1#a", "desk/over-ride/1#a"]
    async with shelf.cases.database.engine.begin() as connection:
        await connection.execute(insert(EXAMPLE), [row(name) for name in (*others, f"{FIRING}#a", f"{FIRING}#f09")])
    await shelf.datasets.begin(FIRING)
    async with shelf.cases.database.engine.connect() as connection:
        assert set((await connection.execute(EXAMPLE.select())).scalars()) == set(others)
    await shelf.datasets.begin("Desk/override/1")
    async with shelf.cases.database.engine.connect() as connection:
        assert set((await connection.execute(EXAMPLE.select())).scalars()) == set(others[1:])


async def test_drawn_cases_are_found_by_customer_ticket_or_id(on_sqlite: Shelf) -> None:
    """None of the agent's others are passed over; of those that name nobody, only drawn ones are."""
    for column in (CaseRow.customer, CaseRow.ticket, CaseRow.case_id):
        told = await plan(on_sqlite, drawn_among(AGENT, col(column).in_(["a", "b"])))
        assert len(told) == 2
        assert told[0].startswith("SEARCH support_case USING")
        assert told[1].startswith("SEARCH review USING INDEX sqlite_autoindex_review_1 (id=?)")
    assert not any(line.startswith("SCAN") for line in await plan(on_sqlite, drawn_of_nobody(AGENT)))


async def test_only_drawn_cases_that_may_be_about_the_same_are_read(shelf: Shelf) -> None:
    """The claimed ones, those of the same customer or ticket, and those that name no customer; each once."""
    known = {"own": "eve", "hers": "ann", "ticket": "bob", "apart": "cid", "undrawn": "ann"}
    for id, customer in known.items():
        ticket = {"ticket": "t:1", "own": "t:1"}.get(id)
        await shelf.settled(id, trace(f"This is about order {id} of mine."), customer=customer, ticket=ticket)
    await shelf.settled("nobody", trace("Where is my refund, please?"))
    await shelf.settled("erased", trace("Where is my parcel, please?"), customer="dora-1")
    await shelf.audited("own", "hers", "ticket", "apart", "nobody", "erased")
    await shelf.erase("dora-1")
    akin = Akin({"own", "erased"}, {"ann", "eve", "dora-1"}, {"t:1"})
    found = [marks.case_id async for marks in shelf.datasets.audited(AGENT, akin)]
    assert sorted(found) == ["hers", "nobody", "own", "ticket"]
    assert [marks.case_id async for marks in shelf.datasets.audited("other", akin)] == []


async def test_a_case_that_names_no_customer_is_asked_for_by_its_trace(shelf: Shelf) -> None:
    """On either side: as claimed, and as drawn."""
    asked = Step(
        number=1, kind=StepKind.RETRIEVE, heard="Where is it?", input={"user_id": "ann-1"}, output=json.dumps({})
    )
    await shelf.settled("drawn", trace("My kettle does not boil at all."), customer="ann-1")
    await shelf.settled("traced", (asked,))
    await shelf.settled("named", trace("Where is my refund, please?"), customer="bob-1")
    await shelf.settled("bobs", (asked.model_copy(update={"input": {"user_id": "bob-1"}}),))
    await shelf.audited("drawn", "bobs")
    await shelf.claimed("traced", "named")
    assert (await shelf.freeze()).sides == {"audit": 2}


def test_what_is_asked_for_is_told_by_the_cases_of_the_claim() -> None:
    """Their ids, customers and tickets."""
    akin = Akin()
    akin.add(Case(id="c", agent="a", domain="retail", customer="ann", ticket="t:1"), trace("Cancel it, please."))
    assert akin == Akin({"c"}, {"ann"}, {"t:1"})
