"""What a supervisor and an improvement cost in Temporal: the figures of docs/histories.md."""

from __future__ import annotations

from temporalio.client import WorkflowHandle

from aftercare.demo.cost import Cost, cost_of
from tests.cases.desk import SKIPPING
from tests.improvement.bench import Bench


async def cost(of: WorkflowHandle[object, object]) -> Cost:
    """Without the events that skipping time leaves behind."""
    history = await of.fetch_history()
    return cost_of([e for e in history.events if e.event_type not in SKIPPING])


async def test_a_look_that_finds_nothing(bench: Bench) -> None:
    """An activity, a timer, and the workflow tasks between them."""
    row = await bench.supervised("daily")
    await row.later(hours=1)
    before = await cost(row.handle)
    await row.later(hours=2)
    after = await cost(row.handle)
    assert (after.events - before.events, after.actions - before.actions) == (11, 2)


async def test_an_improvement_that_ends_prepared(bench: Bench) -> None:
    """Its start and three activities."""
    row = await (await bench.row("daily").goes_wrong(3)).supervised()
    await row.ended("prepared")
    found = await cost(row.child(1))
    assert (found.events, found.actions) == (23, 4)
