"""What is known of a case that a firing claimed, and the example that is made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from aftercare.learning.datasets.example import (
    CameBack,
    Correction,
    Deciding,
    Decision,
    Did,
    Differing,
    Example,
    Flag,
    Later,
    Signal,
    Turn,
)
from aftercare.learning.datasets.problems import opening_of
from aftercare.messages.base import Json
from aftercare.messages.case import Action, Case, Escalation, Resolution, Step
from aftercare.messages.outcome import Episode, Settlement, Snapshot
from aftercare.messages.override import Clause, OriginalDecision, Override, RecordFact, TraceStep
from aftercare.messages.policy import Finding, Verdict

UNTOLD = frozenset({"audit_label"})  # evidence of its own kind: what an audit says is what learning is measured by
Clauses = Mapping[str, str]  # what each clause says, by its id


@dataclass(frozen=True, slots=True)
class Claimed:
    """A piece of evidence that a firing claimed."""

    case_id: str
    piece: str
    kind: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """A piece of feedback about a case, claimed or not."""

    id: str
    kind: str
    family: str
    value: float | None
    unit: str
    step: int | None
    payload: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A case that lies in the store in a form that is no longer understood. `why` is the error's type, and no more."""

    why: str


@dataclass(frozen=True)
class Material:
    """A case as the store knows it. `seen` is how it settled, or how it stands where it has not.

    `ending` is how the agent ended it. `revision` is that of its latest settlement, null where there is none; `settled`
    says that nothing has come since. `findings` are by episode, `book` is the digest of the one it was opened under.
    """

    case: Case
    book: str
    seen: Snapshot
    settled: bool
    steps: tuple[Step, ...]
    ending: Resolution | Escalation | None = None
    findings: tuple[tuple[int, Finding], ...] = ()
    feedback: tuple[Told, ...] = ()
    settlement: Settlement | None = None
    revision: int | None = None
    opened_at: datetime | None = None
    settled_at: datetime | None = None


def example_of(known: Material, claimed: Sequence[Claimed], clauses: Clauses) -> Example:
    """What a case teaches, with everything that the people and machines who contradicted it said."""
    seen, pieces = known.seen, {piece.piece for piece in claimed}
    first = seen.episodes[0] if seen.episodes else Episode(number=1, began="")
    label = known.settlement.label if known.settlement and known.settled else None
    checked, audited = first.verification, first.audit
    return Example(
        settled=known.settled,
        channel=known.case.channel,
        intent=label.intent if label else _intent(seen, first, known.case),
        opening=opening_of(known.steps),
        steps=tuple(map(_turn, known.steps)),
        decision=_decision(first, known.ending),
        overrides=tuple(_correction(override, clauses) for override in seen.overrides),
        came_back=tuple(_came_back(seen)),
        later=tuple(map(_later, seen.episodes[1:])),
        outcome=known.settlement.outcome if known.settlement and known.settled else None,
        right=label.agent_was_right if label else None,
        verification=checked.status if checked else None,
        differing=tuple(Differing(**f.model_dump(exclude={"held"})) for f in checked.differing) if checked else (),
        verdict=audited.verdict if audited else None,
        flags=tuple(_flag(n, f, clauses) for n, f in known.findings if f.verdict is not Verdict.COMPLIANT),
        feedback=tuple(_signal(told, told.id in pieces) for told in known.feedback if told.kind not in UNTOLD),
    )


def provenance_of(known: Material, claimed: Sequence[Claimed]) -> dict[str, Json]:
    """Where a row is from: its pieces, the settlement, the policy book, the release, and when all that was."""
    return {
        "pieces": [{"id": p.piece, "kind": p.kind, "at": p.at.isoformat()} for p in claimed],
        "settlement": known.revision,
        "settled": known.settled,
        "book": known.book,
        "agent": known.case.agent,
        "release": known.case.release,
        "opened_at": known.opened_at.isoformat() if known.opened_at else None,
        "settled_at": known.settled_at.isoformat() if known.settled_at else None,
    }


def _intent(seen: Snapshot, first: Episode, case: Case) -> str:
    """What the case is about as far as is known: what a person said, else what the agent took it for."""
    corrected = [o.corrected_intent for o in seen.overrides if o.corrected_intent != "unchanged"]
    return corrected[-1] if corrected else first.intent if first.intent != "unknown" else case.intent


def _turn(step: Step) -> Turn:
    return Turn.model_validate(step.model_dump(mode="json"))


def _did(actions: Sequence[Action]) -> tuple[Did, ...]:
    return tuple(Did(name=a.name, arguments=a.arguments, step=a.step) for a in actions)


def _decision(first: Episode, ending: Resolution | Escalation | None) -> Decision:
    by_agent = not first.override and first.handled_by == "agent"
    return Decision(
        ended=first.ending if by_agent else None,
        intent=first.intent if by_agent else "unknown",
        confidence=first.confidence,
        actions=_did(first.actions) if by_agent else (),
        reply=ending.reply if isinstance(ending, Resolution) else "",
        reason=ending.reason if isinstance(ending, Escalation) else first.handed_over_because,
    )


def _correction(override: Override, clauses: Clauses) -> Correction:
    final = override.final
    return Correction(
        reviewer=override.reviewer,
        final=final.kind,
        actions=_did(final.actions) if final.kind == "actions" else (),
        corrected_intent=override.corrected_intent,
        rationale=override.rationale,
        deciding=_deciding(override.deciding, clauses),
        original=_original(override.original),
    )


def _deciding(what: Clause | TraceStep | RecordFact, clauses: Clauses) -> Deciding:
    says = clauses.get(what.clause, "") if isinstance(what, Clause) else ""
    return Deciding(says=says, **what.model_dump())


def _original(decided: OriginalDecision | None) -> Decision | None:
    if decided is None:
        return None
    return Decision(
        ended=decided.decision, intent=decided.intent, confidence=decided.confidence, actions=_did(decided.actions)
    )


def _came_back(seen: Snapshot) -> list[CameBack]:
    reopened = [CameBack(kind="reopened", reason=r.reason) for r in seen.reopens]
    return reopened + [CameBack(kind="recontact", same_issue=r.same_issue, reason=r.reason) for r in seen.recontacts]


def _later(episode: Episode) -> Later:
    began = episode.began.partition(" by ")[0]  # who overrode it stands with the override
    return Later(
        began=began,
        because=episode.because,
        handled_by=episode.handled_by,
        ended=episode.ending,
        actions=_did(episode.actions),
        verification=episode.verification.status if episode.verification else None,
    )


def _flag(episode: int, finding: Finding, clauses: Clauses) -> Flag:
    told = finding.model_dump(mode="json", include={"rule", "clause", "verdict", "severity", "sentence", "facts"})
    return Flag(**told, says=clauses.get(finding.clause, ""), episode=episode, step=finding.step)


def _signal(told: Told, claimed: bool) -> Signal:
    return Signal(
        kind=told.kind,
        family=told.family,
        value=told.value,
        unit=told.unit,
        step=told.step,
        payload=dict(told.payload),
        claimed=claimed,
    )
