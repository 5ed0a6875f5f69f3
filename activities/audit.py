"""The audit: what the agent did, held against the pinned policy book."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlmodel import SQLModel
from temporalio import activity

from activities.auditing import findings_of, trace_of, verdict_of
from activities.books import Books
from activities.looking import look_again, time_left
from activities.measuring import Measures
from aftercare.messages.case import Escalation, Resolution, Step
from aftercare.messages.policy import AuditResult, Finding, Verdict
from aftercare.messages.work import ExamineEpisode
from aftercare.store.cases import Cases
from aftercare.store.tables import FeedbackRow
from aftercare.systems.records import SystemMisconfigured, Systems, SystemUnavailable
from policies.facts import Known, RecordRef

SHOWN = 20
MEASURED_WITHIN = 10.0  # seconds


class AuditActivities:
    """What the case workflow asks of the policy book."""

    def __init__(self, cases: Cases, books: Books, systems: Systems, measures: Measures) -> None:
        self._cases, self._books, self._systems, self._measures = cases, books, systems, measures

    @activity.defn
    async def audit_compliance(self, work: ExamineEpisode) -> AuditResult:
        """Audit one episode; whole findings go to the store, and what is not compliant into the history."""
        case, book = await self._books.pinned(work.case_id)
        stored = await self._cases.steps(work.case_id, work.steps_to)
        steps, first = trace_of(work, stored)

        async def read(missing: set[RecordRef]) -> Known:
            return await self._read(work, missing, case.environment)

        findings = await findings_of(book, case, steps, first, read)
        result = _result(findings, whole=len(stored) >= work.steps_held)
        ending = None if work.final else await self._cases.ending_of(work.case_id)
        measured = await self._measured(work, stored, ending)
        # What the agent took it for is known now, and a detector may count what was measured before the case settles.
        intent = ending.intent if ending and ending.intent != "unknown" else None
        await self._cases.keep_findings(work.case_id, work.number, findings, result.verdict, measured, intent)
        return result

    async def _measured(
        self, work: ExamineEpisode, stored: Sequence[Step], ending: Resolution | Escalation | None
    ) -> list[SQLModel]:
        row = await self._cases.find(work.case_id)
        if row is None or row.erased_at:
            return []
        measured: list[FeedbackRow] = []
        try:  # a long trace takes a while to read, and the worker has other things to do
            async with asyncio.timeout(MEASURED_WITHIN):
                measured = await asyncio.to_thread(self._measures.of_trace, row, work, stored, ending)
        except Exception as error:  # what cannot be measured must not keep a case from its audit
            activity.logger.warning("trace_not_measured", extra={"reason": type(error).__name__})
        return [*measured, *self._measures.to_do(row, work, stored, datetime.now(UTC))]

    async def _read(self, work: ExamineEpisode, missing: set[RecordRef], environment: str) -> Known:
        try:
            return await self._systems.read_all(missing, environment)
        except (SystemUnavailable, SystemMisconfigured) as error:
            if isinstance(error, SystemUnavailable) and time_left(work) > timedelta(0):
                raise look_again(work, str(error)) from error
            # What cannot be read is not known: verdicts that need it are undetermined, and the others stand.
            activity.logger.warning("records_unreadable", extra={"reason": str(error)})
            return dict.fromkeys(missing)


def _result(findings: Sequence[Finding], whole: bool) -> AuditResult:
    verdicts = [f.verdict for f in findings]
    broken = [f for f in findings if f.verdict is Verdict.VIOLATION]
    brief = {"findings": tuple(_brief(f) for f in broken[:SHOWN])} if broken else {}
    return AuditResult(
        verdict=verdict_of(findings, whole),
        **brief,
        compliant=verdicts.count(Verdict.COMPLIANT),
        undetermined=verdicts.count(Verdict.UNDETERMINED),
    )


def _brief(finding: Finding) -> Finding:
    """For the history: the facts lie in the store."""
    return Finding(**finding.model_dump(exclude={"facts"}))
