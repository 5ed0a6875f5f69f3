"""What is known of claimed cases: everything a row of a dataset is made of, read together for some cases at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from aftercare.learning.datasets.material import Material, Told, Unreadable
from aftercare.lifecycle.outcome import snapshot_of
from aftercare.lifecycle.state import CaseState
from aftercare.messages.base import Message
from aftercare.messages.case import Case, CaseReport, Escalation, Resolution, Step
from aftercare.messages.evidence import Recontact, Reopen
from aftercare.messages.outcome import Episode, Settlement, Snapshot, Stage
from aftercare.messages.override import Override
from aftercare.messages.policy import Finding
from aftercare.messages.work import Standing
from aftercare.store.tables import CaseRow, EvidenceRow, FeedbackRow, FindingRow, SettlementRow, StepRow

Row = TypeVar("Row", bound=SQLModel)
M = TypeVar("M", bound=Message)

_HELD = (Standing.WAITING, Standing.DELIVERED)
_TOLD = ("override", "reopen", "recontact", "resolution", "escalation", "report")


async def materials(session: AsyncSession, case_ids: Collection[str]) -> dict[str, Material | Unreadable | None]:
    """The registered ones among these cases; None for one that was erased. One that cannot be read fails no other."""
    cases = list(await session.exec(select(CaseRow).where(col(CaseRow.case_id).in_(case_ids))))
    there = [case.case_id for case in cases if case.erased_at is None]
    steps = await _by_case(session, StepRow, there, "number")
    settled = await _by_case(session, SettlementRow, there, "revision")
    findings = await _by_case(session, FindingRow, there, "episode", "step", "rule")
    feedback = await _by_case(session, FeedbackRow, there, "occurred_at", "id")
    messages = await _by_case(session, EvidenceRow, there, "at", "id")
    return {
        case.case_id: _read(case, steps, settled, findings, feedback, messages) if case.erased_at is None else None
        for case in cases
    }


def steps_of(rows: Sequence[StepRow]) -> tuple[Step, ...]:
    """The steps that lie in rows."""
    return tuple(Step.model_validate(row.body) for row in rows)


async def _by_case(
    session: AsyncSession, table: type[Row], case_ids: Sequence[str], *order: str
) -> Mapping[str, list[Row]]:
    columns = [col(getattr(table, name)) for name in ("case_id", *order)]
    asked = select(table).where(columns[0].in_(case_ids)).order_by(*columns)
    found: Mapping[str, list[Row]] = defaultdict(list)
    for row in await session.exec(asked):
        found[row.case_id].append(row)  # type: ignore[attr-defined]
    return found


def _read(case: CaseRow, *of_cases: Any) -> Material | Unreadable:
    try:
        return _material(case, *of_cases)
    except ValueError as error:  # its text quotes what people said
        return Unreadable(type(error).__name__)


def _material(
    case: CaseRow,
    steps: Mapping[str, list[StepRow]],
    settlements: Mapping[str, list[SettlementRow]],
    findings: Mapping[str, list[FindingRow]],
    feedback: Mapping[str, list[FeedbackRow]],
    messages: Mapping[str, list[EvidenceRow]],
) -> Material:
    id = case.case_id
    latest = settlements[id][-1] if settlements[id] else None
    told = [row for row in messages[id] if row.standing in _HELD and row.kind in _TOLD]
    trace = steps_of(steps[id])
    seen, is_new = _seen(case, latest, told, trace)
    return Material(
        case=Case.model_validate(case.body),
        book=case.book,
        seen=seen,
        settled=latest is not None and case.stage == Stage.SETTLED and not is_new,
        steps=trace,
        ending=_ending(told, seen),
        findings=tuple((row.episode, _finding(row)) for row in findings[id]),
        feedback=tuple(_told(row) for row in feedback[id]),
        settlement=Settlement.model_validate(latest.body) if latest else None,
        revision=latest.revision if latest else None,
        opened_at=case.opened_at,
        settled_at=latest.settled_at if latest else None,
    )


def _seen(
    case: CaseRow, latest: SettlementRow | None, told: Sequence[EvidenceRow], trace: Sequence[Step]
) -> tuple[Snapshot, bool]:
    """How the case settled, with what came since; and whether anything did."""
    state = CaseState.model_validate(latest.state) if latest else CaseState(case_id=case.case_id)
    state.case = state.case or Case.model_validate(case.body)
    if not state.episodes:
        state.episodes = _begun(told, trace)
    before = len(state.overrides) + len(state.reopens) + len(state.recontacts)
    # What is carried from run to run is cut short; the inbox has it whole.
    state.reopens = _whole(state.reopens, told, "reopen", Reopen)
    state.recontacts = _whole(state.recontacts, told, "recontact", Recontact)
    known = {override.id for override in state.overrides}
    for override in _parsed(told, "override", Override):
        if override.id not in known:
            state.overrides.append(override.model_copy(update={"original": state.original_decision()}))
    after = len(state.overrides) + len(state.reopens) + len(state.recontacts)
    return snapshot_of(state), after > before


def _begun(told: Sequence[EvidenceRow], trace: Sequence[Step]) -> list[Episode]:
    """The first episode of a case that has not settled, as far as it has come."""
    last = trace[-1].number if trace else 0
    episode = Episode(number=1, began="first contact", steps_to=last)
    ending = next(_endings(told), None)
    if ending is None:
        return [episode]
    how = {"ending": "resolved" if isinstance(ending, Resolution) else "escalated"}
    told_by_agent = {"intent": ending.intent, "confidence": ending.confidence, "actions": ending.actions}
    return [episode.model_copy(update=how | told_by_agent)]


def _ending(told: Sequence[EvidenceRow], seen: Snapshot) -> Resolution | Escalation | None:
    """What the agent said when it ended the first episode."""
    how = seen.episodes[0].ending
    wanted = {"resolved": Resolution, "escalated": Escalation}.get(how or "")
    return next((ending for ending in _endings(told) if type(ending) is wanted), None)


def _endings(told: Sequence[EvidenceRow]) -> Iterator[Resolution | Escalation]:
    for row in told:
        for report in _parsed([row], "report", CaseReport):
            if ending := report.resolution or report.escalation:
                yield ending
        yield from _parsed([row], "resolution", Resolution)
        yield from _parsed([row], "escalation", Escalation)


def _whole(kept: Sequence[M], told: Sequence[EvidenceRow], kind: str, form: type[M]) -> list[M]:
    by_id = {message.id: message for message in kept}  # type: ignore[attr-defined]
    return list((by_id | {message.id: message for message in _parsed(told, kind, form)}).values())  # type: ignore[attr-defined]


def _parsed(told: Sequence[EvidenceRow], kind: str, form: type[M]) -> list[M]:
    """The messages of a kind; one that came past the inbox left its digest there, and lies in the settlement."""
    found = []
    for row in told:
        if row.kind == kind:
            try:
                found.append(form.model_validate(row.body))
            except ValidationError:
                continue
    return found


def _finding(row: FindingRow) -> Finding:
    told = row.model_dump(include={"rule", "clause", "verdict", "severity", "sentence", "facts"})
    return Finding(**told, step=row.step or None)


def _told(row: FeedbackRow) -> Told:
    return Told(row.id, row.kind, row.family, row.value, row.unit, row.step, row.payload)
