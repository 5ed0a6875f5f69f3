"""A supervisor watches: it looks, fires where that is due, awaits the improvement, cools down, and looks again."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from aftercare.messages.improvement import FiringStatus
from tests.improvement.bench import Bench
from tests.improvement.history import timers


async def test_it_fires_by_itself_when_its_row_is_due(bench: Bench) -> None:
    """Nobody tells it: it looks, claims what waits, and starts the work that its row names."""
    row = await bench.row("daily").goes_wrong(3)
    await row.supervised()
    (firing,) = await row.ended("prepared")
    assert (firing.cases, firing.cycle, firing.by) == (3, 1, "")
    assert firing.note
    assert (await row.child(1).result())["dataset"] == firing.id
    assert (await row.child(1).describe()).workflow_type == "RetrainingWorkflow"


async def test_each_kind_of_work_is_done_by_its_own_workflow(bench: Bench) -> None:
    """What a row starts is what the book says."""
    for trigger, workflow in (("quick", "KnowledgeUpdateWorkflow"), ("thrifty", "PlaybookRevisionWorkflow")):
        row = await (await bench.row(trigger).goes_wrong(3)).supervised()
        await row.ended("prepared")
        assert (await row.child(1).describe()).workflow_type == workflow


async def test_it_rests_the_longer_the_less_comes(bench: Bench) -> None:
    """Each look that finds nothing doubles the wait; a look that finds something starts over."""
    row = await bench.supervised("daily")
    await row.later(hours=8)
    assert await timers(row) == [1, 2, 4, 8]
    await row.goes_wrong(1)
    await row.later(hours=8)
    assert await timers(row) == [1, 2, 4, 8, 1]


async def test_what_comes_while_it_rests_is_found(bench: Bench) -> None:
    """No message tells a supervisor of evidence: it looks."""
    row = await bench.supervised("daily")
    await row.goes_wrong(3)
    assert await row.firings() == []
    await row.later(hours=1)
    assert len(await row.ended("prepared")) == 1


async def test_it_cools_down_between_two_firings(bench: Bench) -> None:
    """What is due in the meantime waits, and fires when the cooldown is over."""
    row = await (await bench.row("daily").goes_wrong(3)).supervised()
    await row.ended("prepared")
    await row.goes_wrong(5)
    await row.later(hours=23)
    assert len(await row.firings()) == 1
    await row.later(hours=1)
    first, second = await row.ended("prepared", "prepared")
    assert second.at - first.at >= timedelta(days=1)
    assert second.cases == 5


async def test_without_a_cooldown_it_goes_on_at_once(bench: Bench) -> None:
    """Evidence that came while an improvement was under way makes the next."""
    row = await (await bench.row("quick").goes_wrong(3)).supervised()
    bench.preparing.holds.add(row.agent)
    await row.until(lambda fired: len(fired) == 1)
    await row.goes_wrong(4)
    bench.preparing.holds.clear()
    first, second = await row.ended("prepared", "prepared")
    assert (first.cases, second.cases) == (3, 4)


async def test_a_spent_budget_holds_until_a_week_has_passed(bench: Bench) -> None:
    """Two a week: the third waits for the first to be a week old, and its page says so."""
    row = await (await bench.row("thrifty").goes_wrong(2)).supervised()
    await row.ended("prepared")
    await row.goes_wrong(2)
    await row.later(hours=1)
    first, _ = await row.ended("prepared", "prepared")
    await row.goes_wrong(2)
    await row.later(days=5)
    assert len(await row.firings()) == 2
    assert f"over its budget until {first.at + timedelta(days=7):%Y-%m-%d %H:%M} UTC" in await row.details()
    await row.later(days=2)
    assert len(await row.ended("prepared", "prepared", "prepared")) == 3


async def test_a_check_now_fires_once(bench: Bench) -> None:
    """However many ask at once, and while the supervisor itself looks; each has an answer."""
    row = await bench.supervised("daily")
    await row.checked()
    await row.goes_wrong(3)
    answers = await asyncio.gather(*(row.checked() for _ in range(5)))
    assert all(one.last and one.last.cycle == 1 for one in answers)
    assert sum(one.counted for one in answers) == 3
    assert len(await row.ended("prepared")) == 1


async def test_a_check_now_counts_during_a_cooldown_and_does_not_fire(bench: Bench) -> None:
    """It says that it is due, and until when it cools down."""
    row = await (await bench.row("daily").goes_wrong(3)).supervised()
    await row.ended("prepared")
    await row.goes_wrong(3)
    standing = await row.checked()
    assert (standing.counted, standing.waiting, standing.open) == (3, 3, None)
    assert standing.due
    await row.later(hours=24)
    assert len(await row.ended("prepared", "prepared")) == 2


async def test_a_failed_improvement_gives_its_evidence_back(bench: Bench) -> None:
    """The next cycle, after the cooldown, claims the same cases again."""
    row = bench.row("daily")
    bench.preparing.fails.add(row.agent)
    await (await row.goes_wrong(3)).supervised()
    (failed,) = await row.ended("failed")
    assert failed.note == "the disk is full"
    bench.preparing.fails.clear()
    await row.later(hours=24)
    _, second = await row.ended("failed", "prepared")
    assert (second.cases, second.cycle) == (3, 2)


async def test_three_failures_in_a_row_pause_it(bench: Bench) -> None:
    """A person looks first; once resumed it tries again, with all the evidence there is."""
    row = bench.row("quick")
    bench.preparing.fails.add(row.agent)
    await (await row.goes_wrong(3)).supervised()
    await row.ended("failed", "failed", "failed")
    standing = await row.checked()
    assert standing.paused_by == "aftercare"
    assert standing.pause_reason == "3 improvements in a row failed, the last because: the disk is full"
    assert (await row.checked()).open is None
    bench.preparing.fails.clear()
    assert (await row.resumed()).open
    assert (await row.ended("failed", "failed", "failed", "prepared"))[-1].cases == 3


async def test_an_improvement_that_is_terminated_or_cancelled_gives_its_evidence_back(bench: Bench) -> None:
    """Whatever an operator does to it."""
    row = bench.row("daily")
    bench.preparing.holds.add(row.agent)
    await (await row.goes_wrong(3)).supervised()
    await (await row.under_way(1)).child(1).terminate()
    await row.ended("failed")
    await row.later(hours=24)
    await (await row.under_way(2)).child(2).cancel()
    bench.preparing.holds.clear()
    await row.ended("failed", "failed")
    assert (await row.checked()).waiting == 3


async def test_an_edited_book_is_taken_at_the_next_check(bench: Bench) -> None:
    """And said so, with the time; one that cannot be taken leaves the last one in force, and is said to be wrong."""
    row = await (await bench.row("daily").goes_wrong(2)).supervised()
    before, book = (await row.checked()).book, bench.book.read_text()
    try:
        bench.book.write_text(book.replace("cases: 3}", "cases: 2}", 1))
        taken = await row.checked()
        assert taken.book != before
        assert taken.open
        assert "- Took an edited book at" in await row.details()
        bench.book.write_text(book.replace("volume", "vulome"))
        wrong = await row.checked()
        assert wrong.book == taken.book
        assert "vulome" in wrong.problem
        assert "**Not in order**: " in await row.details()
    finally:
        bench.book.write_text(book)
    assert (await row.checked()).problem == ""
    assert (await row.ended("prepared"))[0].status is FiringStatus.PREPARED
