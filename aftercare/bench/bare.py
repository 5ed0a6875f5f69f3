"""The baseline of `aftercare bench cases`: a workflow with a case's update, activities and timer, and nothing else.

No search attributes, no details, no summaries, no state but what the activities must be given.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

from activities.audit import AuditActivities
from activities.cases import CaseActivities
from activities.verification import VerificationActivities
from aftercare.lifecycle.digest import digest_of
from aftercare.messages.case import Case, CaseInput, CaseReport, Receipt
from aftercare.messages.outcome import Outcome, Settlement
from aftercare.messages.work import ExamineEpisode, OpenCase, SettleCase
from workflows.conventions import LOOK_RETRY, LOOK_TIMEOUT, TO_STORE, Bounds

LOOK: Bounds = {"start_to_close_timeout": LOOK_TIMEOUT, "retry_policy": LOOK_RETRY}


@workflow.defn
class BareCase:
    """What a whole, quiet case asks of Temporal, with no case in it."""

    def __init__(self) -> None:
        self.case: Case | None = None
        self.report_: CaseReport | None = None
        self.watch = timedelta(0)

    @workflow.run
    async def run(self, given: CaseInput) -> Settlement:
        await workflow.wait_condition(lambda: self.case is not None)
        opened = await workflow.execute_activity_method(
            CaseActivities.open_case, OpenCase(case_id=given.case_id, case=self.case), **TO_STORE
        )
        assert opened.book
        self.watch = opened.book.timing.watch
        await workflow.wait_condition(lambda: self.report_ is not None)
        episode = self._episode(given.case_id)
        verified = await workflow.execute_activity_method(VerificationActivities.verify_outcome, episode, **LOOK)
        audited = await workflow.execute_activity_method(AuditActivities.audit_compliance, episode, **LOOK)
        await workflow.sleep(self.watch)
        settlement = Settlement(
            case_id=given.case_id,
            outcome=Outcome.CONFIRMED,
            verification=verified.status,
            policy_verdict=audited.verdict,
        )
        assert self.report_
        taken = {self.report_.id: {"kind": "report", "digest": digest_of(self.report_)}}
        kept = {"case_id": given.case_id, "revision": 1, "taken": taken}
        await workflow.execute_local_activity_method(
            CaseActivities.settle_case,
            SettleCase(settlement=settlement, run_id=workflow.info().run_id, state=kept, at=workflow.now()),
            **TO_STORE,
        )
        return settlement

    @workflow.update
    async def report(self, report: CaseReport) -> Receipt:
        """The whole case in one call."""
        self.case = report.case
        await workflow.wait_condition(lambda: self.watch > timedelta(0))
        self.report_ = report
        return Receipt(id=report.id)

    def _episode(self, case_id: str) -> ExamineEpisode:
        assert self.report_
        assert self.report_.held
        assert self.report_.resolution
        return ExamineEpisode(
            case_id=case_id,
            number=1,
            steps_to=self.report_.held.last,
            steps_held=self.report_.held.count,
            actions=self.report_.resolution.actions,
        )
