"""What a case costs: events, billable actions and bytes, of a quiet case and of each message more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from temporalio.client import WorkflowHistory

from aftercare.demo.cost import Cost, cost_of
from aftercare.messages.case import Steps
from tests.cases.desk import Desk
from tests.replay.record import HISTORIES


def within(cost: Cost, events: int, actions: int) -> bool:
    return cost.events <= events and cost.actions <= actions and cost.bytes <= 8_000


async def whole(desk: Desk) -> Cost:
    case = desk.case("whole")
    case.cancelled()
    await case.reported()
    await case.settled()
    return await case.cost()


async def live(desk: Desk) -> Cost:
    case = desk.case("live")
    case.cancelled()
    await case.registered()
    await case.worked_on()
    await case.resolved()
    await case.settled()
    return await case.cost()


async def cheapest(desk: Desk, play: Callable[[Desk], Awaitable[Cost]]) -> Cost:
    """Of three: a busy machine may need one workflow task more, which is none of the story's doing."""
    return min([await play(desk) for _ in range(3)], key=lambda cost: cost.events)


async def test_a_quiet_case_reported_whole_costs_32_events_and_8_actions(desk: Desk) -> None:
    """The budget of the design, and at most eight kilobytes."""
    assert within(await cheapest(desk, whole), 32, 8)


async def test_a_quiet_case_reported_live_costs_44_events_and_12_actions(desk: Desk) -> None:
    """Registered, one batch of steps, resolved."""
    assert within(await cheapest(desk, live), 44, 12)


async def test_another_batch_of_steps_costs_5_events_and_1_action(desk: Desk) -> None:
    """An update and its workflow task; the steps themselves lie in the store."""
    case = desk.case("batches")
    case.cancelled()
    await case.registered()
    await case.worked_on()
    more = case.steps[2].model_copy(update={"number": 5})
    await desk.gateway.record_steps(case.id, Steps(id="steps-2", steps=(more,)))
    await case.resolved()
    await case.settled()
    cost = await case.cost()
    assert (cost.events, cost.actions) == (49, 12)


def test_evidence_in_the_watch_costs_5_events_and_2_actions() -> None:
    """A signal, its workflow task and the marker of its being stored; a changed outcome is indexed once more."""
    history = WorkflowHistory.from_json("case", (HISTORIES / "recontacted_and_scored.json").read_text("utf-8"))
    cost = cost_of(history.events)
    assert (cost.events, cost.actions) == (32 + 2 * 5 + 1, 8 + 2 * 2 + 1)
