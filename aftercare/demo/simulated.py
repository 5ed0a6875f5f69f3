"""One simulated case, as the store would keep it had it been played: case, trace, episodes, findings, evidence.

What happened in it is given; its pieces of evidence are computed by the same functions that compute everybody's.
People, orders, addresses and numbers are made up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlmodel import SQLModel

from activities.measuring import Measures
from aftercare.demo.simulated_words import Person, Topic
from aftercare.evidence.rows import pieces_of_trace
from aftercare.evidence.sentiment import pieces_of_sentiment, turns
from aftercare.lifecycle.intake import digest_in_inbox
from aftercare.lifecycle.outcome import settlement_of
from aftercare.lifecycle.state import CaseState
from aftercare.messages.base import Message
from aftercare.messages.case import Action, Case, CaseReport, Escalation, Resolution, Step, StepKind, StepsHeld
from aftercare.messages.evidence import Feedback, Recontact
from aftercare.messages.outcome import Stage
from aftercare.messages.override import Clause as DecidedByClause
from aftercare.messages.override import Override, Undo
from aftercare.messages.policy import AuditResult, Finding, Verdict, Verification, VerificationResult
from aftercare.messages.work import Standing
from aftercare.store.feedback import row_of_feedback, row_of_piece
from aftercare.store.inbox import message_row
from aftercare.store.tables import CaseRow, EpisodeRow, EvidenceRow, FeedbackRow, FindingRow, SettlementRow, StepRow
from policies.book import PolicyBook

WATCH, AN_HOUR = timedelta(hours=24), timedelta(hours=1)
Ending = Literal["resolved", "escalated", "fell_silent"]


@dataclass(frozen=True)
class Happened:
    """What happened in a case. `slope` is how the customer's mood went from turn to turn, `broken` the clause that was
    broken; who corrected the agent or wrote again did so within the watch, or `late`."""

    ending: Ending = "resolved"
    overridden: bool = False
    comes_back: bool = False
    late: bool = False
    csat: int | None = None
    ces: int | None = None
    slope: float = 0.0
    broken: str = ""
    seconds: float = 120.0
    loops: int = 0


@dataclass(frozen=True)
class Told:
    """Whose case it is, and about what; `taken_for` is what the agent took it to be about."""

    id: str
    agent: str
    release: str
    person: Person
    topic: Topic
    taken_for: Topic
    order: str
    reviewer: str
    at: datetime

    @property
    def action(self) -> dict[str, Any]:
        """What the agent does where it does something: the act's name, arguments and receipt."""
        arguments = {"order_id": self.order, **self.taken_for.arguments}
        return {"name": self.taken_for.intent, "arguments": arguments, "receipt": f"op-{self.id}"}


def rows_of(told: Told, happened: Happened, book: PolicyBook) -> list[SQLModel]:
    """Everything that the store keeps of the case once it has settled."""
    case = _case(told)
    steps = _steps(told, happened)
    ending = _ending(told, happened)
    state = _settled(told, happened, book, steps, ending)
    settlement = settlement_of(state)
    row = _case_row(case, told.at, state, settlement.outcome or "")
    return [
        row,
        *(StepRow(case_id=case.id, number=s.number, kind=s.kind, name=s.name, body=_json(s)) for s in steps),
        *(_episode_row(state, number) for number in range(len(state.episodes))),
        *_finding_rows(state),
        SettlementRow(
            case_id=case.id,
            revision=state.revision,
            run_id=f"simulated-{case.id}",
            outcome=row.outcome or "",
            settled_at=_settled_at(told, happened),
            body=_json(settlement),
            state=state.to_keep(),
        ),
        *_inbox(told, state, steps, ending),
        *_evidence(told, happened, row, state, steps, ending),
    ]


def _case(told: Told) -> Case:
    return Case(
        id=told.id,
        agent=told.agent,
        domain="retail",
        release=told.release,
        customer=told.person.id,
        opened_at=told.at,
        contact=f"mailto:{told.person.email}",
    )


def _steps(told: Told, happened: Happened) -> tuple[Step, ...]:
    """Who it is, which order, what is to happen; and then it is done, unless the agent cannot or falls silent."""
    person, asked = (
        told.person,
        told.topic.asks.format(order=told.order, email=told.person.email, name=told.person.name),
    )
    agreed = "Yes, please." if happened.slope >= 0 else "This is taking far too long."
    look = _step("retrieve", "get_order_details", {"order_id": told.order}, {"status": told.topic.status})
    taken = [
        _step("classify", "intent", output=told.taken_for.intent, heard=asked, confidence=0.93),
        _step("retrieve", "find_user_id_by_email", {"email": person.email}, person.id),
        _step("retrieve", "get_user_details", {"user_id": person.id}, person.details),
        *[look] * (1 + happened.loops),
        _step(
            "reply",
            "reply",
            heard=f"You can also call me on {person.phone}.",
            said=told.taken_for.offers.format(order=told.order),
        ),
    ]
    if happened.ending == "resolved":
        act = told.action
        taken.append(_step("act", act["name"], act["arguments"], heard=agreed, receipt=act["receipt"]))
    else:
        taken.append(_step("reply", "reply", heard=agreed, said="One moment, please."))
    each = timedelta(seconds=happened.seconds / (len(taken) + 1))
    return tuple(Step(number=n, at=told.at + n * each, **step) for n, step in enumerate(taken, 1))


def _step(kind: str, name: str, input: dict[str, Any] | None = None, output: Any = None, **more: Any) -> dict[str, Any]:
    return {"kind": StepKind(kind), "name": name, "input": input or {}, "output": output, **more}


def _ending(told: Told, happened: Happened) -> Resolution | Escalation | None:
    intent, at = told.taken_for.intent, _ended(told, happened)
    if happened.ending == "resolved":
        act = Action(**told.action, step=6 + happened.loops)
        said = f"Thank you, {told.person.name}. {told.taken_for.done.format(order=told.order)}"
        return Resolution(id="end", intent=intent, confidence=0.93, actions=(act,), reply=said, at=at)
    if happened.ending == "escalated":
        reason = f"{told.person.name} ({told.person.email}) wants what I may not do with {told.order}."
        return Escalation(id="end", reason=reason, intent=intent, confidence=0.41, at=at)
    return None


def _settled(
    told: Told, happened: Happened, book: PolicyBook, steps: Sequence[Step], ending: Resolution | Escalation | None
) -> CaseState:
    """The case's own state, brought to its end by its own methods."""
    held = StepsHeld(count=len(steps), last=len(steps), digest="simulated")
    state = CaseState(case_id=told.id, case=_case(told), book=book.pin(), steps=held)
    state.begin_episode(told.at)
    state.resolution = ending if isinstance(ending, Resolution) else None
    state.escalation = ending if isinstance(ending, Escalation) else None
    state.end_episode()
    watched = {"watch_until": _ended(told, happened) + WATCH} if ending else {}
    state.change(verification=_verified(), audit=_audited(happened, book), **watched)
    after = _ended(told, happened) + (WATCH + AN_HOUR if happened.late else AN_HOUR)
    if happened.comes_back:
        state.apply(Recontact(id="again", reason=told.topic.complains.format(order=told.order), at=after))
    if happened.overridden:
        state.apply(_override(told, after))
        state.begin_episode(after)
        state.change(verification=_verified(), audit=AuditResult(verdict=Verdict.COMPLIANT))
    state.stage = Stage.SETTLED
    return state


def _override(told: Told, at: datetime) -> Override:
    return Override(
        id="override",
        reviewer=told.reviewer,
        final=Undo(),
        corrected_intent="unchanged" if told.topic == told.taken_for else told.topic.intent,
        rationale=told.topic.rationale.format(name=told.person.name, order=told.order, phone=told.person.phone),
        deciding=DecidedByClause(clause=told.topic.clause),
        at=at,
    )


def _verified() -> VerificationResult:
    return VerificationResult(status=Verification.VERIFIED, checked=2)


def _audited(happened: Happened, book: PolicyBook) -> AuditResult:
    if not happened.broken:
        return AuditResult(verdict=Verdict.COMPLIANT, compliant=4)
    rule = next(rule.entry for rule in book.rules if rule.entry.clause == happened.broken)
    says = book.clauses[happened.broken].says
    found = Finding(rule=rule.id, clause=rule.clause, verdict=Verdict.VIOLATION, step=4, sentence=f"Broken: {says}")
    return AuditResult(verdict=Verdict.VIOLATION, findings=(found,), compliant=3)


def _ended(told: Told, happened: Happened) -> datetime:
    return told.at + timedelta(seconds=happened.seconds)


def _settled_at(told: Told, happened: Happened) -> datetime:
    return _ended(told, happened) + WATCH + (2 * AN_HOUR if happened.late else timedelta(0))


def _case_row(case: Case, opened_at: datetime, state: CaseState, outcome: str) -> CaseRow:
    assert state.book
    first, label = state.episodes[0], settlement_of(state).label
    return CaseRow(
        case_id=case.id,
        agent=case.agent,
        domain=case.domain,
        release=case.release,
        customer=case.customer,
        intent=label.intent if label else first.intent,
        book=state.book.digest,
        opened_at=opened_at,
        body=_json(case),
        stage=Stage.SETTLED,
        outcome=outcome,
        verdict=first.audit.verdict if first.audit else None,
        confidence=None if isinstance(first.confidence, str) else first.confidence,
    )


def _episode_row(state: CaseState, number: int) -> EpisodeRow:
    episode = state.episodes[number]
    return EpisodeRow(
        case_id=state.case_id,
        number=episode.number,
        handled_by=episode.handled_by,
        ending=episode.ending,
        intent=episode.intent,
        verification=episode.verification.status if episode.verification else None,
        policy_verdict=episode.audit.verdict if episode.audit else None,
        body=_json(episode),
    )


def _finding_rows(state: CaseState) -> Iterator[FindingRow]:
    for episode in state.episodes:
        for found in episode.audit.findings if episode.audit else ():
            told = found.model_dump(include={"rule", "clause", "sentence", "facts", "verdict", "severity"})
            yield FindingRow(case_id=state.case_id, episode=episode.number, step=found.step or 0, **told)


def _inbox(
    told: Told, state: CaseState, steps: Sequence[Step], ending: Resolution | Escalation | None
) -> Iterator[EvidenceRow]:
    """What was sent: the whole case, or a registration where no ending followed; and what people sent."""
    case = _case(told)
    if ending is None:
        yield _message(told, "registration", "registration", case, told.at)
    else:
        held = StepsHeld(count=len(steps), last=len(steps), digest="simulated")
        ends = {"resolution" if isinstance(ending, Resolution) else "escalation": ending}
        report = CaseReport(id="report", case=case, held=held, **ends)
        yield _message(told, "report", "report", report, ending.at or told.at)
    for contact in state.recontacts:
        yield _message(told, contact.id, "recontact", contact, contact.at or told.at)
    for override in state.overrides:
        yield _message(told, override.id, "override", override, override.at or told.at)


def _message(told: Told, id: str, kind: str, message: Message, at: datetime) -> EvidenceRow:
    body = _json(message)
    row = message_row(told.id, id, kind, body, digest_in_inbox(kind, body), at)
    row.standing = Standing.DELIVERED
    return row


def _evidence(
    told: Told,
    happened: Happened,
    row: CaseRow,
    state: CaseState,
    steps: Sequence[Step],
    ending: Resolution | Escalation | None,
) -> Iterator[FeedbackRow]:
    """Every piece: those of the trace at the audit, those of the survey as it was answered, the others at the end."""
    audited, settled = _ended(told, happened), _settled_at(told, happened)
    for piece in pieces_of_trace(steps, ending=ending, opened_at=told.at):
        yield row_of_piece(row, piece, audited)
    heard = turns(steps)
    middle = (len(heard) - 1) / 2
    scores = [max(-1.0, min(1.0, 0.1 + happened.slope * (place - middle))) for place in range(len(heard))]
    for piece in pieces_of_sentiment(steps, scores):
        yield row_of_piece(row, piece, audited)
    yield from Measures().of_case(row, state, settled)
    for kind, value in (("csat", happened.csat), ("ces", happened.ces)):
        if value is not None and ending:
            comment = told.topic.complains.format(order=told.order) if value <= 2 else ""
            answer = Feedback(id=f"survey-1-{kind}", kind=kind, value=value, comment=comment, source="survey")
            if answered := row_of_feedback(row, answer, audited + AN_HOUR):
                yield answered


def _json(message: Message) -> dict[str, Any]:
    return message.model_dump(mode="json")
