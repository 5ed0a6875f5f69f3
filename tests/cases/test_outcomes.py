"""Every outcome, by what happens in the shop and by what people do."""

from __future__ import annotations

from aftercare.messages.case import Action, CaseReport, Resolution
from aftercare.messages.outcome import Outcome, Stage
from aftercare.messages.policy import Verdict, Verification
from tests.cases.desk import BACK, PAID, Desk


async def test_a_case_whose_effects_show_and_whom_nobody_contradicts_is_confirmed(desk: Desk) -> None:
    """The quiet end: verified, compliant, watched for a day, confirmed."""
    case = desk.case("confirmed")
    case.cancelled()
    await case.reported()
    watching = await case.until(Stage.WATCHING)
    assert watching.outcome is Outcome.CONFIRMED
    settled = await case.settled()
    assert (settled.outcome, settled.verification) == (Outcome.CONFIRMED, Verification.VERIFIED)
    assert settled.policy_verdict is Verdict.COMPLIANT
    assert settled.label
    assert settled.label.agent_was_right is True


async def test_the_watch_lasts_a_day(desk: Desk) -> None:
    """After twenty-three hours the case is still watched; after twenty-five it has settled."""
    case = desk.case("watched")
    case.cancelled()
    await case.reported()
    await case.until(Stage.WATCHING)
    await case.later(hours=23)
    assert (await case.snapshot()).stage is Stage.WATCHING
    await case.later(hours=2)
    assert (await case.handle.result()).outcome is Outcome.CONFIRMED


async def test_a_claim_the_shop_never_shows_is_failed(desk: Desk) -> None:
    """The agent says it cancelled; the order stays pending past the deadline."""
    case = await desk.case("failed").reported()
    settled = await case.settled()
    assert (settled.outcome, settled.verification) == (Outcome.FAILED, Verification.FAILED)
    first = (await case.snapshot()).episodes[0].verification
    assert first
    status = next(f for f in first.differing if f.field == "status")
    assert (status.expected, status.found) == ("cancelled", "pending")


async def test_an_effect_that_shows_late_is_verified(desk: Desk) -> None:
    """The systems of record are asked again until the effect is there."""
    case = await desk.case("late").registered()
    await case.worked_on()
    await case.resolved()
    await case.until(Stage.VERIFYING)
    case.cancelled()
    settled = await case.settled()
    assert settled.verification is Verification.VERIFIED


async def test_half_an_effect_is_no_effect(desk: Desk) -> None:
    """The order is cancelled, and the money is not back: failed, with the fact that differs."""
    case = desk.case("half")
    case.cancelled()
    desk.shop.records[f"orders/{case.order}"]["payment_history"] = [PAID]
    await case.reported()
    assert (await case.settled()).outcome is Outcome.FAILED
    first = (await case.snapshot()).episodes[0].verification
    assert first
    assert [f.field for f in first.differing] == ["payment_history"]
    assert first.differing[0].expected == [BACK]


async def test_a_system_that_is_down_makes_a_case_unconfirmed_and_never_failed(desk: Desk) -> None:
    """What cannot be read is unknown."""
    case = desk.case("down")
    desk.shop.down = True
    try:
        await case.reported()
        settled = await case.settled()
    finally:
        desk.shop.down = False
    assert (settled.outcome, settled.verification) == (Outcome.UNCONFIRMED, Verification.UNVERIFIABLE)
    verdicts = {f.rule: f.verdict for f in await desk.cases.findings(case.id)}
    assert verdicts["authenticated-first"] == "compliant"  # what the trace alone tells is told all the same
    assert verdicts["cancel-pending"] == "undetermined"


async def test_an_answer_without_an_action_is_unconfirmed(desk: Desk) -> None:
    """Nothing was claimed to be done, so nothing can be verified."""
    case = await desk.case("answered").reported(actions=())
    settled = await case.settled()
    assert (settled.outcome, settled.verification) == (Outcome.UNCONFIRMED, Verification.UNVERIFIABLE)


async def test_an_action_the_book_does_not_know_is_unconfirmed(desk: Desk) -> None:
    """Without an expectation there is nothing to hold a claim against."""
    case = await desk.case("unknown").reported(actions=(Action(name="sing_a_song"),))
    assert (await case.settled()).outcome is Outcome.UNCONFIRMED


async def test_an_agent_that_falls_silent_abandons_its_case(desk: Desk) -> None:
    """Registered, and never heard of again."""
    case = await desk.case("silent").registered()
    settled = await case.settled()
    assert (settled.outcome, settled.verification) == (Outcome.ABANDONED, None)


async def test_every_sign_of_life_starts_the_silence_anew(desk: Desk) -> None:
    """Steps after twenty minutes keep a case open that would be abandoned after thirty."""
    case = await desk.case("alive").registered()
    await case.later(minutes=20)
    await case.worked_on()
    await case.later(minutes=20)
    assert (await case.snapshot()).stage is Stage.RESOLVING
    case.cancelled()
    await case.resolved()
    assert (await case.settled()).outcome is Outcome.CONFIRMED


async def test_steps_leave_the_silence_timer_alone(desk: Desk) -> None:
    """One timer is started, and on firing it sleeps what is left: steps cost no timer of their own."""
    case = await desk.case("timer").registered()
    await case.later(minutes=20)
    await case.worked_on()
    await case.settled()
    timers = [e.timer_started_event_attributes for e in (await case.handle.fetch_history()).events]
    assert sum(t.HasField("start_to_fire_timeout") for t in timers) == 2


async def test_a_handed_over_case_with_a_write_is_verified_and_audited(desk: Desk) -> None:
    """Giving up does not excuse what was done before."""
    case = await desk.case("handed-over").registered()
    await case.worked_on()
    case.cancelled()
    await case.escalated(case.action)
    settled = await case.settled()
    assert (settled.outcome, settled.verification) == (Outcome.ESCALATED, Verification.VERIFIED)
    assert settled.policy_verdict is Verdict.COMPLIANT


async def test_a_broken_clause_does_not_change_the_outcome(desk: Desk) -> None:
    """The policy verdict stands beside the outcome, with the clause in the findings."""
    case = desk.case("unlooked")
    case.cancelled()
    steps = (*case.steps[:1], case.steps[2].model_copy(update={"number": 2}), case.steps[3])
    report = CaseReport(id="report", case=case.about, steps=steps, resolution=case.resolution())
    await desk.gateway.report(report)
    settled = await case.settled()
    assert (settled.outcome, settled.policy_verdict) == (Outcome.CONFIRMED, Verdict.VIOLATION)


async def test_confidence_and_intent_are_kept_as_reported(desk: Desk) -> None:
    """A confidence is a number or `not_reported`, and never invented."""
    case = desk.case("sure")
    await desk.gateway.report(
        CaseReport(id="report", case=case.about, resolution=Resolution(id="r", intent="ask", confidence=0.9))
    )
    episode = (await case.until(Stage.WATCHING)).episodes[0]
    assert (episode.intent, episode.confidence) == ("ask", 0.9)
