"""People speak to a supervisor: they ask for a check, pause it, let it go on, fire it; and are refused plainly."""

from __future__ import annotations

import pytest
from temporalio.client import WorkflowUpdateFailedError

from tests.improvement.bench import Bench, Row
from tests.improvement.history import accepted


async def refused(asked: object) -> str:
    """What somebody hears who asks for what cannot be."""
    with pytest.raises(WorkflowUpdateFailedError) as error:
        await asked  # type: ignore[misc]
    return str(error.value.cause)


async def test_a_paused_row_counts_and_starts_nothing(bench: Bench) -> None:
    """Until somebody lets it go on; then what became due fires at once."""
    row = await bench.supervised("daily")
    await row.paused("we change the book")
    await row.goes_wrong(3)
    standing = await row.checked()
    assert (standing.waiting, standing.open, standing.paused_by) == (3, None, "r.meyer")
    await row.later(hours=2)
    assert await row.firings() == []
    assert (await row.resumed()).open
    assert len(await row.ended("prepared")) == 1


async def test_a_pause_is_said_with_who_and_why(bench: Bench) -> None:
    """On the page, from the moment on."""
    row = await bench.supervised("daily")
    await row.paused("we change the book")
    told = await row.details()
    assert told.startswith("# Paused by r.meyer")
    assert "- **Paused** by r.meyer: “we change the book”. Evidence is counted, and nothing is started" in told


async def test_an_improvement_that_is_under_way_survives_a_pause(bench: Bench) -> None:
    """A pause starts nothing new, and ends nothing."""
    row = bench.row("quick")
    bench.preparing.holds.add(row.agent)
    await (await row.goes_wrong(3)).supervised()
    await row.until(lambda fired: len(fired) == 1)
    await row.paused()
    await row.goes_wrong(3)
    bench.preparing.holds.clear()
    await row.ended("prepared")
    assert (await row.checked()).due


async def test_a_person_fires_what_is_not_due(bench: Bench) -> None:
    """With what evidence there is, named in the firing, and whatever the cooldown says."""
    row = await bench.supervised("daily")
    await row.goes_wrong(1)
    first = (await row.fired("a customer rang")).firing
    assert first
    assert (first.cases, first.by) == (1, "r.meyer")
    assert "a customer rang" in first.because
    await row.ended("prepared")
    await row.goes_wrong(2)
    assert (await row.fired()).firing
    assert [one.cases for one in await row.ended("prepared", "prepared")] == [1, 2]


async def test_firing_starts_a_cooldown_too(bench: Bench) -> None:
    """What is due after it waits as after any other."""
    row = await bench.supervised("daily")
    await row.goes_wrong(1)
    await row.fired()
    await row.ended("prepared")
    await row.goes_wrong(3)
    assert (await row.checked()).open is None
    await row.later(hours=24)
    await row.ended("prepared", "prepared")


async def test_a_paused_row_is_fired_by_a_person(bench: Bench) -> None:
    """Who fires knows what they do; it stays paused."""
    row = await (await bench.row("daily").goes_wrong(1)).supervised()
    await row.paused()
    assert (await row.fired()).firing
    await row.ended("prepared")
    assert (await row.checked()).paused_by == "r.meyer"


async def test_what_cannot_be_is_refused_before_it_gets_into_the_history(bench: Bench) -> None:
    """Pausing twice, going on without a pause, firing beside an improvement that is under way."""
    row = bench.row("quick")
    bench.preparing.holds.add(row.agent)
    await (await row.goes_wrong(3)).supervised()
    await row.until(lambda fired: len(fired) == 1)
    assert await refused(row.resumed()) == "Refused: it is not paused"
    under_way = f"an improvement is under way: {row.agent}/quick/1; the next may fire once it has ended"
    assert await refused(row.fired()) == f"Refused: {under_way}"
    await row.paused()
    assert await refused(row.paused()) == "Refused: it is paused already, by r.meyer"
    assert await accepted(row) == 1
    bench.preparing.holds.clear()


async def test_there_is_no_firing_without_evidence(bench: Bench) -> None:
    """An improvement has to learn from something."""
    row = await bench.supervised("daily")
    assert await refused(row.fired()) == "Refused: there is no evidence that no firing has claimed"
    assert await row.firings() == []


@pytest.mark.parametrize(
    ("update", "told", "missing"),
    [("fire", {"by": "r.meyer"}, "missing: reason"), ("pause", {}, "missing: by")],
)
async def test_who_says_too_little_is_told_what_is_missing(
    bench: Bench, update: str, told: dict[str, str], missing: str
) -> None:
    """By the name of the field, and before it gets into the history."""
    row = await bench.supervised("daily")
    assert await refused(row.handle.execute_update(update, told)) == f"Refused: {missing}"
    assert await accepted(row) == 0


async def test_the_standing_is_there_for_the_asking(bench: Bench) -> None:
    """As the last look left it."""
    row: Row = await (await bench.row("daily").goes_wrong(2)).supervised()
    await row.checked()
    standing = await row.standing()
    assert (standing.waiting, standing.volume, standing.next_cycle) == (2, 3, 1)
    assert (standing.says, standing.due) == ("People correct what the agent decides.", "")
