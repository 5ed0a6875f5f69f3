"""Nothing is left of a person in what is learned from, and the receipt says which datasets are others now."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest_asyncio

from aftercare.erasure import Erasure
from aftercare.learning.datasets.freezing import digest_of, digest_of_rows
from aftercare.learning.datasets.problems import customer_mark
from aftercare.redaction import redactor_of
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.store.erasing import Erasing
from aftercare.store.tables import ExampleRow
from tests.cases.desk import Desk
from tests.commands.conftest import Terminal
from tests.datasets.shelf import FIRING, NOW, Shelf, fired, override, trace
from tests.erasure.people import Customer, customer, places, rows

ANN, NAME = "ann-4711", "Zoë Meyer"
OTHER = "desk/csat/1"


@pytest_asyncio.fixture(loop_scope="session")
async def shelf(store_url: str) -> AsyncIterator[Shelf]:
    """Two datasets, redacted of nothing: hers and one of others, one of whom mentions her."""
    database = Database(store_url)
    await database.migrate()
    kept = Shelf(Cases(database))
    said = f"It was {NAME} ({ANN}) who ordered it."
    await kept.settled("hers", trace(f"I am {NAME}, cancel my order."), override("o1", rationale=said), customer=ANN)
    await kept.settled("his", trace("Cancel my order, please."), override("o2", rationale=said), customer="bob-1")
    await kept.settled("theirs", trace("Where is my refund, please?"), customer="cid-1")
    await kept.claimed("hers", "his", "theirs")
    await kept.claimed("theirs", firing=OTHER, kind="csat")
    for firing in (FIRING, OTHER):
        await kept.freeze(firing)
        await kept.diagnosed(firing)
    yield kept
    await database.close()


async def test_rows_of_her_cases_go_and_others_no_longer_mention_her(shelf: Shelf) -> None:
    """Every digest is that of what is left, and the accounts say what became of her pieces."""
    before = {row.case_id: row for row in await shelf.rows()}
    traces = await shelf.erase(ANN, NAME)
    assert await Erasing(shelf.cases.database).compact()
    assert await places(shelf.cases.database, NAME) == []
    left = {row.case_id: row for row in await shelf.rows()}
    assert set(left) == {"his", "theirs"}
    assert left["his"].body["overrides"][0]["rationale"] == "It was [erased] ([erased]) who ordered it."
    assert left["his"].digest == digest_of(left["his"].body) != before["his"].digest
    assert left["theirs"] == before["theirs"]
    frozen = await shelf.frozen_row()
    assert frozen.digest == digest_of_rows([(row.digest, row.side) for row in left.values()])
    assert [(a["case"], a["became"]) for a in frozen.accounts] == [
        ("hers", "erased"),
        ("his", "kept"),
        ("theirs", "kept"),
    ]
    assert (traces.rows["example"], traces.mentions["example"]) == (1, 1)


async def test_the_diagnosis_is_told_anew_from_what_is_left(shelf: Shelf) -> None:
    """Neither counted nor quoted, she is in no line of it."""
    before = (await shelf.frozen_row()).diagnosis
    assert (before["rows"], len(before["said"])) == (3, 2)
    await shelf.erase(ANN, NAME)
    after = (await shelf.frozen_row()).diagnosis
    assert (after["rows"], [quote["case_id"] for quote in after["said"]]) == (2, ["his"])
    assert after["headline"] == (await shelf.diagnosed()).headline


async def test_the_receipt_lists_the_datasets_that_are_others_now(shelf: Shelf) -> None:
    """With both digests, and what was built before; one that had nothing of her stays as it was."""
    await shelf.datasets.built(FIRING, "model-7")
    before, other = await shelf.frozen_row(), await shelf.frozen_row(OTHER)
    (told,) = (await shelf.erase(ANN, NAME)).datasets
    assert (told.dataset, told.before, told.rows, told.changed, told.built) == (
        FIRING,
        before.digest,
        1,
        1,
        ("model-7",),
    )
    assert told.after == (await shelf.frozen_row()).digest != told.before
    assert await shelf.frozen_row(OTHER) == other


async def test_a_second_erasure_changes_no_dataset(shelf: Shelf) -> None:
    """There is nothing of her in any."""
    await shelf.erase(ANN, NAME)
    before = await rows(shelf.cases.database)
    assert not (await shelf.erase(ANN, NAME)).any
    assert await rows(shelf.cases.database) == before


async def test_a_preview_shows_the_datasets_and_changes_none(shelf: Shelf) -> None:
    """It tells what an erasure then does."""
    before = await rows(shelf.cases.database)
    seen = await Erasing(shelf.cases.database).preview(ANN, (NAME,), NOW)
    assert await rows(shelf.cases.database) == before
    assert (await shelf.erase(ANN, NAME)).datasets == seen.datasets != ()


async def test_whoever_repeated_her_row_is_gone_with_it(shelf: Shelf) -> None:
    """There was one text of both, and it was hers."""
    for id, whose in (("a", "dora-1"), ("b", "emil-1")):
        await shelf.settled(id, trace("Please send me the invoice."), customer=whose)
    await shelf.claimed("a", "b", firing="desk/csat/2", kind="csat")
    assert (await shelf.freeze("desk/csat/2")).accounts == {"kept": 1, "duplicate": 1}
    (told,) = (await shelf.erase("dora-1")).datasets
    assert (told.rows, (await shelf.freeze("desk/csat/2")).accounts) == (1, {"erased": 2})


async def test_a_piece_without_a_row_is_accounted_for_too(shelf: Shelf) -> None:
    """Her case had no trace, and was in the dataset by its id alone."""
    await shelf.settled("bare", (), customer="dora-1")
    await shelf.claimed("bare", firing="desk/csat/2", kind="csat")
    assert (await shelf.freeze("desk/csat/2")).accounts == {"without a trace": 1}
    assert (await shelf.erase("dora-1")).datasets == ()
    assert (await shelf.freeze("desk/csat/2")).accounts == {"erased": 1}


async def test_no_problem_keeps_her_mark(shelf: Shelf) -> None:
    """Whoever knows her id could tell by it that the rows of others had to do with her."""
    for id, whose in (("a", "dora-1"), ("b", "emil-1")):
        await shelf.settled(id, trace(f"This is about {id}, I think."), customer=whose, ticket="t:1")
    await shelf.claimed("a", "b", firing="desk/csat/2", kind="csat")
    await shelf.freeze("desk/csat/2")
    gone = min("dora-1", "emil-1", key=customer_mark)
    assert {row.problem for row in await shelf.rows("desk/csat/2")} == {customer_mark(gone)}
    await shelf.erase(gone)
    (left,) = await shelf.rows("desk/csat/2")
    assert left.problem != customer_mark(gone)


async def test_what_was_staged_goes_too(shelf: Shelf) -> None:
    """An attempt that was broken off left rows that no dataset has."""
    await shelf.settled("more", trace(f"I am {NAME}, where is it?"), customer=ANN)
    await shelf.claimed("more", firing="desk/csat/3", kind="csat")
    staging = await shelf.datasets.begin("desk/csat/3")
    async with shelf.cases.database.session() as session:
        hers = (await shelf.rows())[0].model_dump() | {"dataset": staging.name}
        session.add(ExampleRow(**hers))
    assert await shelf.staged() == 1
    await shelf.erase(ANN, NAME)
    assert await shelf.staged() == 0


async def test_what_is_frozen_while_she_is_looked_for_is_found(shelf: Shelf) -> None:
    """Looking takes its time, and a dataset may be frozen meanwhile from what is not scrubbed yet."""
    erasing = Erasing(shelf.cases.database)
    await erasing.mark(ANN, NOW)
    scrubbing = await erasing._looked(ANN, (NAME,))
    await shelf.claimed("his", firing="desk/csat/2", kind="csat")
    await shelf.freeze("desk/csat/2")
    async with erasing._alone() as connection:
        traces = await scrubbing.carry_out(connection)
    assert sorted(told.dataset for told in traces.datasets) == ["desk/csat/2", FIRING]
    (left,) = await shelf.rows("desk/csat/2")
    assert NAME not in str(left.body)


async def test_the_command_prints_them(desk: Desk, terminal: Terminal) -> None:
    """Which dataset, from which digest to which, how many rows, and what was built from it."""
    shelf, who = Shelf(desk.cases), customer()
    firing = await frozen_with(shelf, who)
    await shelf.datasets.built(firing, "model-7")
    before = (await shelf.frozen_row(firing)).digest
    seen = await terminal.types("erase", "--customer", who.id, "--dry-run")
    said = await terminal.types("erase", "--customer", who.id, "--yes")
    after = (await shelf.frozen_row(firing)).digest
    rows_gone = "1 row gone, 0 rows of others changed"
    line = f"dataset {firing}: {rows_gone}; digest {before[:12]} -> {after[:12]}; built from it: model-7"
    assert (seen.code, said.code) == (0, 0)
    assert " ".join(line.split()) in " ".join(seen.out.split())
    assert " ".join(line.split()) in " ".join(said.out.split())
    assert await places(desk.cases.database, who.name, who.mail, who.id) == []


async def test_nothing_is_left_of_her_in_what_was_learned_from_real_cases(desk: Desk, erasure: Erasure) -> None:
    """One that settled corrected and one still watched, frozen by the shipped redactor: no file or column has her."""
    shelf, who = Shelf(desk.cases, redactor_of(False)), customer()
    settled, watched = await who.case(desk, "settled").watched(), await who.case(desk, "watched").watched()
    await settled.overridden(rationale=f"{who.name} had asked for something else.")
    await settled.settled()
    firing = f"retail/override/{who.number}"
    await shelf.claimed(settled.id, watched.id, firing=firing)
    assert (await shelf.freeze(firing)).accounts == {"kept": 2}
    kept = {row.case_id: row.body for row in await shelf.rows(firing)}
    assert [kept[case.id]["settled"] for case in (settled, watched)] == [True, False]
    assert [o["reviewer"] for o in kept[settled.id]["overrides"]] == [settled.override()["reviewer"]]
    assert not any(value in json.dumps(kept, ensure_ascii=False) for value in (who.name, who.mail, who.id))
    receipt = await erasure.erase(who.request, "admin")
    assert [(told.dataset, told.rows) for told in receipt.traces.datasets] == [(firing, 2)]
    assert (await shelf.freeze(firing)).accounts == {"erased": 2}
    assert await places(desk.cases.database, who.name, who.mail, who.id) == []


async def frozen_with(shelf: Shelf, who: Customer) -> str:
    """A dataset with a case of hers."""
    firing = f"desk/csat/{who.number}"
    await shelf.settled(f"lesson-{who.number}", trace(f"I am {who.name}, {who.mail}. Cancel it."), customer=who.id)
    await shelf.claimed(f"lesson-{who.number}", firing=firing, kind="csat")
    await shelf.activities.freeze_dataset(fired(firing))
    return firing
