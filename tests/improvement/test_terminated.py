"""An operator may terminate a supervisor at any time: the next run takes up where it was, from the store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError

from aftercare.messages.improvement import EndFiring, FireTrigger, FiringStatus
from aftercare.store.tables import FiringRow
from tests.improvement.bench import Bench, Row
from tests.improvement.history import activities


async def fired_and_gone(bench: Bench, trigger: str) -> Row:
    """A row whose supervisor was terminated between its firing and the start of the improvement."""
    row = await bench.row(trigger).goes_wrong(3)
    book, now = await bench.matrices.now(), datetime.now(UTC)
    declared = book.matrix.triggers[trigger]
    await bench.triggers.check(row.agent, trigger, declared, book.digest, now)
    fired = await bench.triggers.fire(FireTrigger(agent=row.agent, trigger=trigger, cycle=1), declared, now)
    assert fired.firing
    return row


async def test_before_it_fired(bench: Bench) -> None:
    """What was counted stays counted, and makes the firing with what comes later."""
    row = await (await bench.row("daily").goes_wrong(2)).supervised()
    assert (await row.checked()).waiting == 2
    await row.terminated()
    await (await row.goes_wrong(1)).supervised()
    (firing,) = await row.ended("prepared")
    assert firing.cases == 3


async def test_between_a_firing_and_the_start_of_its_improvement(bench: Bench) -> None:
    """The next run finds the firing open, and starts its improvement: once."""
    row = await fired_and_gone(bench, "daily")
    await row.supervised()
    (firing,) = await row.ended("prepared")
    assert (firing.cycle, firing.cases) == (1, 3)
    assert "fire_trigger" not in await activities(row)


async def test_while_its_improvement_is_under_way(bench: Bench) -> None:
    """The improvement goes on by itself; the next run waits for it, and starts no other."""
    row = bench.row("quick")
    bench.preparing.holds.add(row.agent)
    await (await row.goes_wrong(3)).supervised()
    began = (await (await row.under_way(1)).child(1).describe()).run_id
    await row.terminated()
    await (await row.goes_wrong(3)).supervised()
    assert (await row.checked()).open
    bench.preparing.holds.clear()
    first, second = await row.ended("prepared", "prepared")
    assert (first.cases, second.cases) == (3, 3)
    assert (await row.child(1).describe()).run_id == began


async def test_while_its_improvement_is_under_way_and_fails(bench: Bench) -> None:
    """Nobody was there when it failed: the next run sees it, and gives the evidence back."""
    row = bench.row("daily")
    bench.preparing.holds.add(row.agent)
    await (await row.goes_wrong(3)).supervised()
    await (await row.under_way(1)).terminated()
    bench.preparing.fails.add(row.agent)
    bench.preparing.holds.clear()
    with pytest.raises(WorkflowFailureError):
        await row.child(1).result()
    assert [one.status for one in await row.firings()] == [FiringStatus.STARTED]
    await row.supervised()
    (failed,) = await row.ended("failed")
    assert failed.note == "the disk is full"
    assert (await row.checked()).waiting == 3


async def test_both_it_and_its_improvement(bench: Bench) -> None:
    """Closed is closed, by whomever: the evidence is free again, and the next cycle claims it."""
    row = bench.row("daily")
    bench.preparing.holds.add(row.agent)
    await (await row.goes_wrong(3)).supervised()
    await (await row.under_way(1)).terminated()
    await row.child(1).terminate()
    bench.preparing.holds.clear()
    await row.supervised()
    await row.ended("failed")
    await row.later(hours=24)
    assert (await row.ended("failed", "prepared"))[-1].cases == 3


async def test_while_it_cools_down(bench: Bench) -> None:
    """The next run sleeps out what is left: the firing says when it was."""
    row = await (await bench.row("daily").goes_wrong(3)).supervised()
    await row.ended("prepared")
    await row.terminated()
    await (await row.goes_wrong(3)).supervised()
    assert (await row.checked()).due
    await row.later(hours=23)
    assert len(await row.firings()) == 1
    await row.later(hours=1)
    first, second = await row.ended("prepared", "prepared")
    assert second.at - first.at >= timedelta(days=1)


async def test_while_it_is_paused(bench: Bench) -> None:
    """A pause is the operator's, and stays until somebody takes it back."""
    row = await bench.supervised("daily")
    await row.paused("holidays")
    await row.terminated()
    await (await row.goes_wrong(3)).supervised()
    standing = await row.checked()
    assert (standing.paused_by, standing.pause_reason, standing.open) == ("r.meyer", "holidays", None)
    await row.resumed()
    await row.ended("prepared")


@pytest.mark.parametrize("update", ["paused", "resumed"])
async def test_who_speaks_first_to_the_next_run_is_heard_as_well(bench: Bench, update: str) -> None:
    """Before it has looked for the first time it asks the store, and then answers."""
    row = await bench.supervised("daily")
    if update == "resumed":
        await row.paused()
    await row.terminated()
    await row.supervised()
    standing = await getattr(row, update)()
    assert bool(standing.paused_by) == (update == "paused")
    assert standing.book


async def test_an_improvement_that_is_closed_after_its_last_word_has_not_failed(bench: Bench) -> None:
    """What the store knows counts, and nothing is given back."""
    row = bench.row("daily")
    bench.preparing.holds.add(row.agent)
    await (await row.goes_wrong(3)).supervised()
    await row.under_way(1)
    done = EndFiring(firing=f"{row.agent}/daily/1", status=FiringStatus.PREPARED, note="all was done")
    await bench.triggers.end(done, datetime.now(UTC))
    await row.child(1).terminate()
    bench.preparing.holds.clear()
    (firing,) = await row.ended("prepared")
    assert firing.note == "all was done"
    assert (await row.checked()).waiting == 0
    assert "in a row failed" not in await row.details()


async def test_a_store_that_does_not_know_what_was_done_has_the_evidence_back(bench: Bench) -> None:
    """A backup was restored: the improvement has ended, its firing is open, and no look at it says more."""
    row = await (await bench.row("daily").goes_wrong(3)).supervised()
    await row.ended("prepared")
    await row.terminated()
    async with bench.database.session() as session:
        (await session.get_one(FiringRow, f"{row.agent}/daily/1")).status = FiringStatus.STARTED
    await row.supervised()
    (firing,) = await row.ended("failed")
    assert firing.note == "its workflow has ended, and the store does not know how"
    assert (await row.checked()).waiting == 3


async def test_a_supervisor_that_is_cancelled_leaves_its_improvement_alone(bench: Bench) -> None:
    """It ends as cancelled; the improvement goes on, and the next run hears how it ended."""
    row = bench.row("daily")
    bench.preparing.holds.add(row.agent)
    await (await row.goes_wrong(3)).supervised()
    await row.under_way(1)
    await row.handle.cancel()
    with pytest.raises(WorkflowFailureError):
        await row.handle.result()
    assert await row.status() is WorkflowExecutionStatus.CANCELED
    assert [one.status for one in await row.firings()] == [FiringStatus.STARTED]
    await row.supervised()
    bench.preparing.holds.clear()
    await row.ended("prepared")
