"""What people do after the resolution: reopen, write again, give feedback, override; in time and too late."""

from __future__ import annotations

import pytest

from aftercare.lifecycle.state import Refused
from aftercare.messages.outcome import Outcome, Stage
from aftercare.messages.policy import Verification
from tests.cases.desk import Desk, Told


async def watched(desk: Desk, name: str) -> Told:
    """A case the agent resolved rightly, in its watch."""
    case = desk.case(name)
    case.cancelled()
    await case.reported()
    await case.until(Stage.WATCHING)
    return case


async def test_a_reopening_ends_the_watch_and_begins_an_episode(desk: Desk) -> None:
    """It is the agent's turn again at once."""
    case = await watched(desk, "reopened")
    await case.signalled("reopen", id="back-1", reason="not what I asked for")
    seen = await case.until(Stage.RESOLVING, episode=2)
    assert [e.began for e in seen.episodes] == ["first contact", "reopened"]
    assert (await case.settled()).outcome is Outcome.REOPENED


async def test_silence_in_a_later_episode_ends_that_episode_only(desk: Desk) -> None:
    """A reopened case nobody answers stays reopened and does not become abandoned."""
    case = await watched(desk, "unanswered")
    await case.signalled("reopen", id="back-1")
    settled = await case.settled()
    assert (settled.outcome, settled.verification) == (Outcome.REOPENED, Verification.VERIFIED)
    assert (await case.snapshot()).episodes[1].ending == "fell_silent"


async def test_the_agent_may_resolve_a_reopened_case_again(desk: Desk) -> None:
    """The second episode is verified, audited and watched as the first was."""
    case = await watched(desk, "again")
    await case.signalled("reopen", id="back-1")
    await case.until(Stage.RESOLVING, episode=2)
    await case.resolved(id="resolution-2")
    second = (await case.until(Stage.WATCHING, episode=2)).episodes[1]
    assert second.verification
    assert second.verification.status is Verification.VERIFIED
    assert (await case.settled()).reopens == 1


async def test_two_reopenings_at_once_are_one_episode(desk: Desk) -> None:
    """Customer and helpdesk say the same thing: both are kept, and one episode begins."""
    case = await watched(desk, "twice")
    await case.signalled("reopen", id="from-customer")
    await case.signalled("reopen", id="from-helpdesk")
    await case.settled()
    seen = await case.snapshot()
    assert (len(seen.reopens), len(seen.episodes)) == (2, 2)


async def test_a_reopening_of_an_open_case_begins_nothing_more(desk: Desk) -> None:
    """The agent is at it already; the second voice is kept all the same."""
    case = await watched(desk, "open-already")
    await case.signalled("reopen", id="from-customer")
    await case.until(Stage.RESOLVING, episode=2)
    await case.signalled("reopen", id="from-helpdesk")
    await case.settled()
    seen = await case.snapshot()
    assert (len(seen.reopens), len(seen.episodes)) == (2, 2)


async def test_a_second_contact_about_the_same_issue_counts_as_reopened(desk: Desk) -> None:
    """A case whose customer had to write again is not durable; no episode begins."""
    case = await watched(desk, "recontact")
    await case.signalled("recontact", id="mail-1", same_issue=True)
    assert (await case.settled()).outcome is Outcome.REOPENED
    assert len((await case.snapshot()).episodes) == 1


async def test_a_second_contact_about_something_else_changes_nothing(desk: Desk) -> None:
    """The customer may well have another question."""
    case = await watched(desk, "other-matter")
    await case.signalled("recontact", id="mail-1", same_issue=False)
    assert (await case.settled()).outcome is Outcome.CONFIRMED


async def test_feedback_is_kept_and_shown(desk: Desk) -> None:
    """A score is evidence; it does not decide the outcome."""
    case = await watched(desk, "scored")
    await case.signalled("feedback", id="csat-1", kind="csat", value=2, unit="of 5")
    assert (await case.settled()).outcome is Outcome.CONFIRMED
    assert [(f.kind, f.value) for f in (await case.snapshot()).feedback] == [("csat", 2)]
    assert {e.id for e in await desk.cases.inbox.of_case(case.id)} == {"report", "csat-1"}


async def test_undoing_is_verified_against_the_records_as_they_were(desk: Desk) -> None:
    """A person takes back what the agent did, and the shop shows it."""
    case = await watched(desk, "undone")
    case.put_back()
    await case.overridden()
    settled = await case.settled()
    second = (await case.snapshot()).episodes[1]
    assert settled.outcome is Outcome.OVERRIDDEN
    assert second.handled_by == "human"
    assert second.verification
    assert second.verification.status is Verification.VERIFIED


async def test_an_undoing_that_did_not_happen_is_seen(desk: Desk) -> None:
    """The person says it was taken back; the order is still cancelled."""
    case = await watched(desk, "not-undone")
    await case.overridden()
    await case.settled()
    second = (await case.snapshot()).episodes[1].verification
    assert second
    assert second.status is Verification.FAILED
    assert {f.field for f in second.differing} == {"status", "cancel_reason", "payment_history"}


async def test_a_persons_own_action_is_looked_for(desk: Desk) -> None:
    """The right action in place of the agent's: its effects must show, judged from where the case began."""
    case = await watched(desk, "other-action")
    case.put_back()
    case.cancelled()
    desk.shop.records[f"orders/{case.order}"]["cancel_reason"] = "ordered by mistake"
    right = {"name": "cancel_pending_order", "arguments": {"order_id": case.order, "reason": "ordered by mistake"}}
    await case.overridden(final={"kind": "actions", "actions": [right]})
    settled = await case.settled()
    second = (await case.snapshot()).episodes[1].verification
    assert settled.outcome is Outcome.OVERRIDDEN
    assert second
    assert (second.status, second.checked) == (Verification.VERIFIED, 3)


async def test_nothing_to_do_is_an_answer(desk: Desk) -> None:
    """Nothing had to be done: there is nothing to look for, and the case is overridden all the same."""
    case = await watched(desk, "nothing")
    await case.overridden(final={"kind": "nothing_to_do"})
    assert (await case.settled()).outcome is Outcome.OVERRIDDEN


async def test_an_override_ends_the_episode_a_reopening_began(desk: Desk) -> None:
    """The customer comes back, a person takes over: two episodes, not three."""
    case = await watched(desk, "taken-over")
    await case.signalled("reopen", id="back-1")
    await case.until(Stage.RESOLVING, episode=2)
    case.put_back()
    await case.overridden()
    settled = await case.settled()
    assert (settled.outcome, settled.reopens, settled.overrides) == (Outcome.OVERRIDDEN, 1, 1)
    assert [e.ending for e in (await case.snapshot()).episodes] == ["resolved", "undo"]


async def test_a_reopening_after_the_end_revises_the_outcome(desk: Desk) -> None:
    """The case had settled as confirmed; a follow-up run takes the evidence in and settles again."""
    case = await watched(desk, "too-late")
    assert (await case.settled()).outcome is Outcome.CONFIRMED
    await case.signalled("reopen", id="back-1")
    await case.until(Stage.RESOLVING, episode=2)
    assert (await case.settled()).outcome is Outcome.REOPENED
    latest = await desk.cases.last_settlement(case.id)
    assert latest
    assert latest.outcome == "reopened"


async def test_feedback_after_the_end_is_kept_without_another_watch(desk: Desk) -> None:
    """A late survey answer is stored, and the case settles again as it had."""
    case = await watched(desk, "late-survey")
    await case.settled()
    await case.signalled("feedback", id="csat-1", kind="csat", value=5)
    assert (await case.handle.result()).outcome is Outcome.CONFIRMED
    assert {e.id for e in await desk.cases.inbox.of_case(case.id)} == {"report", "csat-1"}
    assert len((await case.handle.fetch_history()).events) < 20


async def test_undoing_means_everything_the_agent_did_in_every_episode(desk: Desk) -> None:
    """The second write is taken back and the first still stands: not undone."""
    case, other = await watched(desk, "both"), desk.case("other-order")
    await case.signalled("reopen", id="back-1")
    await case.until(Stage.RESOLVING, episode=2)
    other.cancelled()
    desk.shop.before[case.receipt, f"orders/{other.order}"] = dict(
        desk.shop.before[other.receipt, f"orders/{other.order}"]
    )
    await case.resolved(id="resolution-2", actions=(other.action,))
    await case.until(Stage.WATCHING, episode=2)
    other.put_back()
    await case.overridden()
    await case.settled()
    third = (await case.snapshot()).episodes[2].verification
    assert third
    assert {f.record for f in third.differing} == {f"orders/{case.order}"}


async def test_much_evidence_does_not_keep_a_case_from_being_taken_up_again(desk: Desk) -> None:
    """Long words lie in the store; a follow-up run gets what it needs."""
    case = await watched(desk, "much")
    for number in range(40):
        await case.signalled("feedback", id=f"note-{number}", kind="note", payload={"text": "y" * 60_000})
    await case.settled()
    await case.signalled("feedback", id="late", kind="csat", value=1)
    await case.handle.result()
    assert {"note-39", "late"} <= {e.id for e in await desk.cases.inbox.of_case(case.id)}


async def test_evidence_that_came_before_a_bad_registration_is_kept(desk: Desk) -> None:
    """The registration is refused, the evidence is not lost, and the right registration takes both up."""
    case = desk.case("early")
    await case.signalled("feedback", id="early-1", kind="csat", value=3)
    with pytest.raises(Refused):
        await desk.gateway.register(case.about.model_copy(update={"domain": "circus"}))
    await case.registered()
    await case.settled()
    assert "early-1" in {e.id for e in await desk.cases.inbox.of_case(case.id) if e.accepted}


async def test_why_the_agent_handed_over_is_told_and_kept(desk: Desk) -> None:
    """Also after the case was reopened."""
    case = await desk.case("why").registered()
    await case.escalated()
    await case.until(Stage.WATCHING)
    await case.signalled("reopen", id="back-1")
    await case.settled()
    assert (await case.snapshot()).episodes[0].handed_over_because == "too hard"
