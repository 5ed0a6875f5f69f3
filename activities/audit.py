"""The audit: what the agent did, held against the pinned policy book."""

from __future__ import annotations

from collections.abc import Sequence

from temporalio import activity

from activities.books import Books
from aftercare.messages.case import Case, Step, StepKind
from aftercare.messages.policy import AuditResult, Finding, Verdict
from aftercare.messages.work import ExamineEpisode
from aftercare.store.cases import Cases
from aftercare.systems.records import SystemMisconfigured, Systems
from policies import engine
from policies.book import PolicyBook
from policies.facts import Known, RecordRef, action_as_step

SHOWN = 20


class AuditActivities:
    """What the case workflow asks of the policy book."""

    def __init__(self, cases: Cases, books: Books, systems: Systems) -> None:
        self._cases, self._books, self._systems = cases, books, systems

    @activity.defn
    async def audit_compliance(self, work: ExamineEpisode) -> AuditResult:
        """Audit one episode; whole findings go to the store, and what is not compliant into the history."""
        case, book = await self._books.pinned(work.case_id)
        steps = await self._cases.steps(work.case_id, work.steps_to)
        first = work.steps_from
        if work.final is not None:
            steps, first = _as_steps(work, steps), work.steps_to + 1
        findings = await self._audit(book, case, steps, first)
        await self._cases.keep_findings(work.case_id, work.number, findings)
        return _result(findings)

    async def _audit(self, book: PolicyBook, case: Case, steps: Sequence[Step], first: int) -> list[Finding]:
        known: Known = {}
        while True:
            findings, missing = engine.audit(book, case, steps, known, first)
            if not missing:
                return findings
            known = {**known, **await self._read(missing, case.environment)}

    async def _read(self, missing: set[RecordRef], environment: str) -> Known:
        try:
            return await self._systems.read_all(missing, environment)
        except SystemMisconfigured as error:
            # What cannot be read at all is not known, and the verdicts that need it are undetermined.
            activity.logger.warning("records_unreadable", extra={"reason": str(error)})
            return dict.fromkeys(missing)


def _as_steps(work: ExamineEpisode, trace: Sequence[Step]) -> list[Step]:
    """What a person did, in place of what the agent did, against the records as the agent first found them."""
    opening = next((s.receipt for s in trace if s.receipt), None)
    done = [
        action_as_step(a.model_copy(update={"step": None, "receipt": opening or a.receipt}), work.steps_to + n)
        for n, a in enumerate(work.actions, 1)
    ]
    return [s for s in trace if s.kind is not StepKind.ACT] + done


def _result(findings: Sequence[Finding]) -> AuditResult:
    verdicts = [f.verdict for f in findings]
    broken = [f for f in findings if f.verdict is Verdict.VIOLATION]
    brief = {"findings": tuple(_brief(f) for f in broken[:SHOWN])} if broken else {}
    return AuditResult(
        verdict=engine.verdict_of(findings),
        **brief,
        compliant=verdicts.count(Verdict.COMPLIANT),
        undetermined=verdicts.count(Verdict.UNDETERMINED),
    )


def _brief(finding: Finding) -> Finding:
    """For the history: the facts lie in the store."""
    return Finding(**finding.model_dump(exclude={"facts"}))
