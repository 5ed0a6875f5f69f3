"""What an agent may report, and when: idempotent by its own ids, refused with a reason, never doubled."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.client import WithStartWorkflowOperation, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy

from aftercare.lifecycle.state import Refused, held_of
from aftercare.messages.case import Action, Case, CaseInput, Resolution, Steps
from aftercare.messages.outcome import Outcome, Stage
from tests.cases.desk import Desk
from workflows.conventions import CASES_QUEUE


async def test_a_case_is_registered_once(desk: Desk) -> None:
    """The same again gets the same receipt; nothing is assigned as a release yet."""
    case = desk.case("registered")
    first = await desk.gateway.register(case.about)
    assert first == await desk.gateway.register(case.about)
    assert first.release is None


async def test_another_case_under_the_same_id_is_refused(desk: Desk) -> None:
    """An id stands for one case."""
    case = await desk.case("taken").registered()
    with pytest.raises(Refused, match="registered already, with other particulars"):
        await desk.gateway.register(case.about.model_copy(update={"channel": "phone"}))


async def test_a_settled_case_may_be_registered_again_without_effect(desk: Desk) -> None:
    """An agent that lost its receipt asks again after the end, and hears the same."""
    case = desk.case("late-registration")
    case.cancelled()
    await case.registered()
    await case.resolved()
    await case.settled()
    receipt = await desk.gateway.register(case.about)
    assert receipt.id == "registration"
    assert (await case.handle.result()).outcome is Outcome.CONFIRMED


async def test_a_domain_without_a_policy_book_is_refused(desk: Desk) -> None:
    """The agent hears which domains there are, and no run stays behind."""
    case = desk.case("no-book")
    with pytest.raises(Refused, match=r"no policy book for the domain 'circus'; there are: .*retail"):
        await desk.gateway.register(Case(id=case.id, agent="clown", domain="circus"))
    with pytest.raises(WorkflowFailureError):
        await case.handle.result()


async def test_the_same_batch_twice_is_counted_once(desk: Desk) -> None:
    """A batch that is sent again after a lost answer changes nothing."""
    case = await desk.case("batch").registered()
    await case.worked_on()
    await case.worked_on()
    assert (await case.snapshot()).steps.count == 4
    assert len(await desk.cases.steps(case.id, 99)) == 4


async def test_steps_are_never_written_over(desk: Desk) -> None:
    """Another step under a number that is in use is refused, and the trace stays as it was."""
    case = await desk.case("rewritten").registered()
    await case.worked_on()
    other = case.steps[3].model_copy(update={"name": "something_else"})
    with pytest.raises(Refused, match=r"already has other steps under the numbers \[4\]"):
        await desk.gateway.record_steps(case.id, Steps(id="steps-2", steps=(other,)))
    assert (await desk.cases.steps(case.id, 99))[3].name == "cancel_pending_order"


async def test_nothing_is_reported_after_the_end_unless_the_case_is_reopened(desk: Desk) -> None:
    """It is no longer the agent's turn, and it hears why."""
    case = desk.case("over")
    case.cancelled()
    await case.registered()
    await case.resolved()
    await case.until(Stage.WATCHING)
    with pytest.raises(Refused, match="it is not the agent's turn"):
        await case.resolved(id="resolution-2")


async def test_the_same_resolution_twice_is_one(desk: Desk) -> None:
    """The receipt of the first is given again."""
    case = desk.case("resolved-twice")
    case.cancelled()
    await case.registered()
    await case.resolved()
    await case.until(Stage.WATCHING)
    await case.resolved()
    assert len((await case.snapshot()).episodes) == 1


async def test_a_report_to_a_case_nobody_opened_is_refused(desk: Desk) -> None:
    """Steps and resolutions need a registered case."""
    with pytest.raises(Refused, match="was never registered, or it has settled"):
        await desk.case("unopened").resolved()


async def test_a_plain_temporal_client_may_send_its_steps_inline(desk: Desk) -> None:
    """Without the gateway the workflow itself puts the steps into the store, and they are audited."""
    case = desk.case("inline")
    case.cancelled()
    start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
        "CaseWorkflow",
        CaseInput(case_id=case.id),
        id=f"case/{case.id}",
        task_queue=CASES_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    report = {
        "id": "report",
        "case": {"id": case.id, "agent": "retail", "domain": "retail"},
        "steps": [s.model_dump(mode="json") for s in case.steps],
        "resolution": case.resolution().model_dump(mode="json"),
    }
    await desk.env.client.execute_update_with_start_workflow("report", report, start_workflow_operation=start)
    settled = await case.settled()
    assert (settled.outcome, settled.policy_verdict) == (Outcome.CONFIRMED, "compliant")


async def test_steps_that_are_held_and_sent_are_refused(desk: Desk) -> None:
    """A batch says where its steps are, in one way."""
    case = await desk.case("both").registered()
    batch = Steps(id="b", steps=case.steps, held=held_of(case.steps))
    with pytest.raises(WorkflowUpdateFailedError) as error:
        await case.handle.execute_update("record_steps", batch)
    assert "not both" in str(error.value.__cause__)


@pytest.mark.parametrize("arguments", [[], [{}, {}], [None], ["a word"], [{"id": 3}]])
@pytest.mark.parametrize("update", ["register", "record_steps", "resolve", "escalate", "report", "submit_override"])
async def test_a_malformed_update_is_answered_and_leaves_no_trace(
    desk: Desk, update: str, arguments: list[Any]
) -> None:
    """Whatever is sent, the caller hears of it and the case goes on."""
    case = await desk.case("malformed").registered()
    before = len((await case.handle.fetch_history()).events)
    with pytest.raises(WorkflowUpdateFailedError):
        await case.handle.execute_update(update, args=arguments)
    assert len((await case.handle.fetch_history()).events) == before
    assert (await case.settled()).outcome is Outcome.ABANDONED


async def test_a_resolution_larger_than_a_case_can_carry_is_refused(desk: Desk) -> None:
    """Past the gateway the case itself says how much it takes."""
    case = await desk.case("large").registered()
    action = Action(name="write", arguments={"text": "x" * 600_000})
    with pytest.raises(WorkflowUpdateFailedError) as error:
        await case.handle.execute_update("resolve", Resolution(id="r", actions=(action,)))
    assert "586 kB; at most 512 kB" in str(error.value.__cause__)
