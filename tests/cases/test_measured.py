"""What a case leaves as evidence: what was sent, what its steps tell, and what came of it."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlmodel import select

from aftercare.messages.case import CaseReport
from aftercare.messages.outcome import Stage
from aftercare.moods import Moods
from aftercare.sender import Sender
from aftercare.store.outbox import SENTIMENT, Outbox
from aftercare.store.tables import FeedbackRow
from aftercare.systems.sentiment import FixedSentiment
from tests.cases.desk import Desk, Told


async def evidence(case: Told) -> dict[str, float | None]:
    async with case.desk.cases.database.session() as session:
        rows = await session.exec(select(FeedbackRow).where(FeedbackRow.case_id == case.id))
        return {row.id: row.value for row in rows}


async def intents(case: Told) -> set[str]:
    """What its evidence is about: a detector may count it before the case settles."""
    async with case.desk.cases.database.session() as session:
        return set(await session.exec(select(FeedbackRow.intent).where(FeedbackRow.case_id == case.id)))


async def test_a_quiet_case_leaves_what_its_steps_and_its_end_tell(desk: Desk) -> None:
    """Counts of the trace with the audit; outcomes with the settlement; zero only where it was looked for."""
    case = desk.case("measured")
    case.cancelled()
    await case.reported()
    await case.until(Stage.WATCHING)
    early = await evidence(case)
    assert (early["computed/loop/1"], early["computed/error/1"]) == (0, 0)
    assert "computed/cost/1" not in early
    assert "computed/reopen/1" not in early
    assert await intents(case) == {"cancel_pending_order"}
    await case.settled()
    late = await evidence(case)
    assert (late["computed/verification/1"], late["computed/first_contact_resolution/1"]) == (1, 1)
    assert (late["computed/reopen/1"], late["computed/override/1"]) == (0, 0)
    row = await desk.cases.find(case.id)
    assert row is not None
    assert (row.stage, row.outcome, row.intent) == ("settled", "confirmed", "cancel_pending_order")


async def test_what_was_sent_becomes_evidence_once(desk: Desk) -> None:
    """Under its sender's id; a value its kind does not take stays in the inbox and moves no mean."""
    case = desk.case("sent")
    case.cancelled()
    await case.reported()
    await case.until(Stage.WATCHING)
    for body in ({"id": "good", "kind": "csat", "value": 5}, {"id": "bad", "kind": "csat", "value": 50}):
        await desk.gateway.signal(case.id, "feedback", body)
        await desk.gateway.signal(case.id, "feedback", body)
    await case.settled()
    found = await evidence(case)
    assert found["good"] == 5
    assert "bad" not in found


async def test_a_later_run_revises_what_is_computed(desk: Desk) -> None:
    """A second contact after the end: first-contact resolution is no more, and is the same piece of evidence."""
    case = desk.case("revised")
    case.cancelled()
    await case.reported()
    await case.settled()
    assert (await evidence(case))["computed/override/1"] == 0
    await desk.gateway.override(case.id, case.override())
    case.put_back()
    await case.settled()
    assert (await evidence(case))["computed/override/1"] == 1


async def test_moods_are_scored_after_the_audit(desk: Desk) -> None:
    """Turn by turn, and their slope, by whichever scorer the deployment has."""
    case = desk.case("moods")
    case.cancelled()
    await case.reported()
    await case.until(Stage.WATCHING)
    heard = {"Cancel my order, I no longer need it.": -0.4, "Yes.": 0.6}
    moods = Moods(desk.cases, FixedSentiment(heard))
    outbox = Outbox(desk.cases.database)
    await Sender(outbox, {SENTIMENT: moods.score}, now=lambda: datetime.now(UTC)).sweep()
    found = await evidence(case)
    assert (found["computed/sentiment/1/3"], found["computed/sentiment/1/4"]) == (-0.4, 0.6)
    assert found["computed/sentiment_slope/1"] == 1.0


async def test_what_cannot_be_measured_keeps_no_case_from_its_audit(desk: Desk) -> None:
    """Figures beyond any number are a mistake of the agent's client's; the case goes on."""
    case = desk.case("beyond")
    case.cancelled()
    steps = tuple(step.model_copy(update={"tokens": 10**400}) for step in case.steps)
    await desk.gateway.report(CaseReport(id="report", case=case.about, steps=steps, resolution=case.resolution()))
    seen = await case.until(Stage.WATCHING)
    assert seen.episodes[0].audit is not None
    assert seen.episodes[0].audit.verdict == "compliant"
