"""What an agent may report, and when: idempotent by its own ids, refused with a reason, never doubled."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.client import WithStartWorkflowOperation, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy

from aftercare.lifecycle.digest import held_of
from aftercare.lifecycle.state import Refused
from aftercare.messages.case import Action, Case, CaseInput, Resolution, Step, StepKind, Steps
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
    """The agent hears which domains there are, and may register it rightly; or the run ends by itself."""
    case = desk.case("no-book")
    with pytest.raises(Refused, match=r"no policy book for the domain 'circus'; there are: .*retail"):
        await desk.gateway.register(Case(id=case.id, agent="clown", domain="circus"))
    await case.registered()
    assert (await case.snapshot()).book


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


async def test_steps_of_a_refused_report_are_let_go(desk: Desk) -> None:
    """What the case would not hear does not block the agent's next steps."""
    case = desk.case("let-go")
    case.cancelled()
    await case.reported()
    await case.until(Stage.WATCHING)
    late = Step(number=5, kind=StepKind.REPLY, said="one more thing")
    with pytest.raises(Refused, match="not the agent's turn"):
        await desk.gateway.record_steps(case.id, Steps(id="late", steps=(late,)))
    await case.signalled("reopen", id="back-1")
    await case.until(Stage.RESOLVING, episode=2)
    await desk.gateway.record_steps(case.id, Steps(id="new", steps=(late.model_copy(update={"said": "Hello again"}),)))
    assert (await desk.cases.steps(case.id, 99))[-1].said == "Hello again"


async def test_inline_steps_that_are_refused_leave_the_case_going(desk: Desk) -> None:
    """A step under a number in use is refused past the gateway too, and the case can still end."""
    case = desk.case("inline-taken")
    case.cancelled()
    await case.registered()
    await case.worked_on()
    other = case.steps[3].model_copy(update={"name": "other"})
    with pytest.raises(WorkflowUpdateFailedError) as error:
        await case.handle.execute_update("record_steps", Steps(id="b", steps=(other,)))
    assert "already has other steps" in str(error.value.__cause__)
    await case.resolved()
    assert (await case.settled()).outcome is Outcome.CONFIRMED


async def test_a_trace_with_a_part_missing_is_never_compliant(desk: Desk) -> None:
    """What is stored keeps every clause; what was announced and never stored leaves the verdict open."""
    case = await desk.case("announced").registered()
    await case.worked_on()
    case.cancelled()
    await case.handle.execute_update("record_steps", {"id": "s", "held": {"count": 2, "last": 6, "digest": "?"}})
    await case.resolved()
    assert (await case.settled()).policy_verdict == "undetermined"


async def test_a_case_started_by_name_alone_is_followed_and_written_down(desk: Desk) -> None:
    """Any client may start the workflow with the case as its input."""
    case = desk.case("by-name")
    given = {"case_id": case.id, "case": case.about.model_dump(mode="json")}
    await desk.env.client.start_workflow("CaseWorkflow", given, id=f"case/{case.id}", task_queue=CASES_QUEUE)
    assert (await case.settled()).outcome is Outcome.ABANDONED
    assert await desk.cases.last_settlement(case.id)


async def test_a_second_workflow_about_a_case_is_refused(desk: Desk) -> None:
    """Under another id it would take the case's messages."""
    case = await desk.case("victim").registered()
    other = await desk.env.client.start_workflow(
        "CaseWorkflow", CaseInput(case_id=case.id), id="case/somebody-else", task_queue=CASES_QUEUE
    )
    with pytest.raises(WorkflowFailureError):
        await other.result()


async def test_only_the_agents_own_messages_are_signs_of_its_life(desk: Desk) -> None:
    """A customer who keeps writing does not keep a silent agent's case open."""
    case = await desk.case("talkative").registered()
    await case.later(minutes=20)
    await case.signalled("recontact", id="mail-1")
    await case.later(minutes=20)
    assert (await case.handle.result()).outcome is Outcome.REOPENED
    assert (await case.snapshot()).episodes[0].ending == "fell_silent"


async def test_names_as_long_as_they_may_be_are_shown_in_short(desk: Desk) -> None:
    """A summary has its limit, and a long name does not stop the case."""
    case = desk.case("long")
    actions = tuple(Action(name="x" * 120) for _ in range(3))
    await case.reported(actions=actions, intent="ж" * 120)
    assert (await case.settled()).outcome is Outcome.UNCONFIRMED


async def test_a_workflow_started_with_nonsense_fails_at_once(desk: Desk) -> None:
    """It does not stay behind as a task that fails for ever."""
    handle = await desk.env.client.start_workflow(
        "CaseWorkflow", {"nope": 1}, id="case/nonsense", task_queue=CASES_QUEUE
    )
    with pytest.raises(WorkflowFailureError) as error:
        await handle.result()
    assert "missing: case_id" in str(error.value.__cause__)


async def test_what_was_taken_in_gets_its_receipt_again_after_the_end(desk: Desk) -> None:
    """An agent that lost an answer asks again, however late."""
    case = desk.case("asked-again")
    case.cancelled()
    await case.registered()
    await case.worked_on()
    await case.resolved()
    await case.settled()
    await case.worked_on()
    await case.resolved()
    with pytest.raises(Refused, match="was used before"):
        await case.resolved(intent="something else")
