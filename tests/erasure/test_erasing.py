"""Nothing is left of a person, and the figures stay as they were."""

from __future__ import annotations

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError

from aftercare.erasure import Erasure
from aftercare.messages.outcome import Stage
from aftercare.store.reporting import Selection, facts_of
from tests.cases.desk import Desk, Told
from tests.erasure.people import Customer, Hers, customer, places


async def settled(desk: Desk, who: Customer) -> Hers:
    """A case of hers that was scored, refused something, and settled."""
    case = await who.case(desk, "settled").watched()
    await case.signalled("feedback", id="f1", kind="csat", value=4, comment=f"Thanks! {who.name}")
    await case.handle.signal("feedback", {"id": "f2", "kind": "csat", "value": f"no number, says {who.mail}"})
    await case.settled()
    return case


async def test_nothing_is_left_of_her(desk: Desk, erasure: Erasure) -> None:
    """Neither name nor address nor id, in any file or column of the store."""
    who = customer()
    await settled(desk, who)
    await who.case(desk, "watching").watched()
    assert await places(desk.cases.database, who.name)
    assert await places(desk.cases.database, who.mail)
    receipt = await erasure.erase(who.request, "admin")
    assert receipt.complete
    assert (receipt.traces.cases, receipt.terminated, receipt.left) == (2, 1, ())
    assert await places(desk.cases.database, who.name, who.mail, who.id) == []


async def test_the_figures_stay(desk: Desk, erasure: Erasure) -> None:
    """What is known of her settled case for the figures is what it was; the running one never was in any."""
    who = customer()
    case, running = await settled(desk, who), await who.case(desk, "watching").watched()
    before = {facts.case_id: facts for facts in await facts_of(desk.cases, Selection())}
    assert before[case.id].outcome == "confirmed"
    await erasure.erase(who.request, "admin")
    after = {facts.case_id: facts for facts in await facts_of(desk.cases, Selection())}
    assert after == before
    assert running.id not in after


async def test_a_running_case_is_ended_and_its_history_deleted(desk: Desk, erasure: Erasure) -> None:
    """It came to no outcome, and Temporal knows of no run of hers."""
    who = customer()
    case, running = await settled(desk, who), await who.case(desk, "watching").watched()
    await erasure.erase(who.request, "admin")
    for gone in (case, running):
        with pytest.raises(RPCError, match="not found"):
            await gone.handle.describe()
    assert await desk.cases.last_settlement(running.id) is None
    row = await desk.cases.find(running.id)
    assert row
    assert (row.outcome, row.customer) == (None, None)


async def test_somebody_else_who_mentions_her_goes_on(desk: Desk, erasure: Erasure) -> None:
    """Only her name is taken out of what was said; the case runs on and settles as it would have."""
    who, other = customer(), await customer().case(desk, "other").watched()
    await other.signalled("feedback", id="f1", kind="csat", value=2, comment=f"My flatmate {who.name} had it better.")
    receipt = await erasure.erase(who.request, "admin")
    assert receipt.traces.mentions == {"evidence": 1, "feedback": 1}
    assert receipt.traces.running == (other.id,)
    kept = await desk.cases.inbox.find(other.id, "f1")
    assert kept
    assert kept.body["comment"] == "My flatmate [erased] had it better."
    described = await other.handle.describe()
    assert described.status is WorkflowExecutionStatus.RUNNING
    assert (await other.settled()).outcome == "confirmed"


async def test_what_ran_on_is_erased_when_it_has_settled(desk: Desk, erasure: Erasure) -> None:
    """A workflow that mentions her writes it down with its end: the receipt says so, and once more takes it out."""
    who, other = customer(), await customer().case(desk, "other").watched()
    await other.signalled("reopen", id="r1", reason=f"It was {who.name} who ordered it.")
    await other.until(Stage.RESOLVING, 2)
    first = await erasure.erase(who.request, "admin")
    assert first.traces.running == (other.id,)
    assert f"mentions the customer, and its workflow may write it down again: {other.id}" in first.left[0]
    await other.resolved(id="resolution-2")
    await other.settled()
    assert await places(desk.cases.database, who.name)
    await erasure.erase(who.request, "admin")
    assert await places(desk.cases.database, who.name) == []


async def test_a_second_erasure_finds_nothing(desk: Desk, erasure: Erasure) -> None:
    """It may be asked for again, and says that nothing is left."""
    who = customer()
    await settled(desk, who)
    assert (await erasure.erase(who.request, "admin")).traces.any
    again = await erasure.erase(who.request, "admin")
    assert again.complete
    assert (again.traces.any, again.terminated, again.histories) == (False, 0, 0)


async def test_the_receipt_is_kept_and_names_nobody(desk: Desk, erasure: Erasure) -> None:
    """It counts what went from where."""
    who = customer()
    await settled(desk, who)
    receipt = await erasure.erase(who.request, "admin")
    assert await erasure.receipt(receipt.id) == receipt
    assert {"support_case", "step", "evidence", "episode", "settlement"} <= set(receipt.traces.rows)
    told = receipt.model_dump_json()
    assert not any(value in told for value in (who.name, who.mail, who.id))


async def test_a_preview_changes_nothing(desk: Desk, erasure: Erasure) -> None:
    """It counts what an erasure would then find."""
    who = customer()
    case = await who.case(desk, "watching").watched()
    seen = await erasure.preview(who.request)
    row = await desk.cases.find(case.id)
    assert row
    assert (row.customer, row.erased_at) == (who.id, None)
    assert (await erasure.erase(who.request, "admin")).traces == seen


async def test_another_case_is_left_alone(desk: Desk, erasure: Erasure) -> None:
    """Whoever has nothing to do with her has every row as before."""
    bystander: Told = desk.case("bystander")
    bystander.cancelled()
    await bystander.reported()
    await bystander.settled()
    before = await desk.cases.last_settlement(bystander.id), await desk.cases.steps(bystander.id, 99)
    who = customer()
    await settled(desk, who)
    await erasure.erase(who.request, "admin")
    assert (await desk.cases.last_settlement(bystander.id), await desk.cases.steps(bystander.id, 99)) == before
