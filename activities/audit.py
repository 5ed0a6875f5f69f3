"""The audit: what the agent did, held against the pinned policy book."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from temporalio import activity

from activities.books import Books
from activities.looking import look_again, time_left
from aftercare.messages.case import Case, Step, StepKind
from aftercare.messages.policy import AuditResult, Finding, Verdict
from aftercare.messages.work import ExamineEpisode
from aftercare.store.cases import Cases
from aftercare.systems.records import SystemMisconfigured, Systems, SystemUnavailable
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
        whole = len(steps) >= work.steps_held
        first = work.steps_from
        if work.final is not None:
            steps, first = _as_steps(work, steps), work.steps_to + 1
        findings = await self._audit(book, case, work, steps, first)
        await self._cases.keep_findings(work.case_id, work.number, findings)
        return _result(findings, whole)

    async def _audit(
        self, book: PolicyBook, case: Case, work: ExamineEpisode, steps: Sequence[Step], first: int
    ) -> list[Finding]:
        known: Known = {}
        while True:
            findings, missing = engine.audit(book, case, steps, known, first)
            if not missing:
                return findings
            known = {**known, **await self._read(work, missing, case.environment)}

    async def _read(self, work: ExamineEpisode, missing: set[RecordRef], environment: str) -> Known:
        try:
            return await self._systems.read_all(missing, environment)
        except (SystemUnavailable, SystemMisconfigured) as error:
            if isinstance(error, SystemUnavailable) and time_left(work) > timedelta(0):
                raise look_again(work, str(error)) from error
            # What cannot be read is not known: verdicts that need it are undetermined, and the others stand.
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


def _result(findings: Sequence[Finding], whole: bool) -> AuditResult:
    """The verdict of a trace of which a part is missing is never `compliant`."""
    verdict, verdicts = engine.verdict_of(findings), [f.verdict for f in findings]
    broken = [f for f in findings if f.verdict is Verdict.VIOLATION]
    brief = {"findings": tuple(_brief(f) for f in broken[:SHOWN])} if broken else {}
    return AuditResult(
        verdict=Verdict.UNDETERMINED if verdict is Verdict.COMPLIANT and not whole else verdict,
        **brief,
        compliant=verdicts.count(Verdict.COMPLIANT),
        undetermined=verdicts.count(Verdict.UNDETERMINED),
    )


def _brief(finding: Finding) -> Finding:
    """For the history: the facts lie in the store."""
    return Finding(**finding.model_dump(exclude={"facts"}))
