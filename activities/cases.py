"""Activities on the store: open a case, keep steps and messages, settle."""

from __future__ import annotations

from datetime import UTC, datetime

from temporalio import activity

from activities.books import Books
from activities.measuring import Measures
from aftercare.learning.drawing import AUDIT_SHARE
from aftercare.lifecycle.state import CaseState
from aftercare.messages.case import Case
from aftercare.messages.evidence import Feedback
from aftercare.messages.work import OpenCase, Opened, RecordEvidence, SettleCase, StoreSteps
from aftercare.store.cases import Cases
from aftercare.store.feedback import row_of_feedback
from aftercare.store.reviews import audit_of


class CaseActivities:
    """What the case workflow asks of the store. `audit_share` of all cases is drawn for a person to look at."""

    def __init__(
        self, cases: Cases, books: Books, measures: Measures | None = None, *, audit_share: float = AUDIT_SHARE
    ) -> None:
        self._cases, self._books, self._measures = cases, books, measures or Measures()
        self._audit_share = audit_share

    @activity.defn
    async def open_case(self, work: OpenCase) -> Opened:
        """Pin the policy book and write the case down once; or bring what an earlier run left."""
        settled = await self._cases.last_settlement(work.case_id)
        if settled:
            earlier = CaseState.model_validate(settled.state)
            return Opened(case=earlier.case, book=earlier.book, earlier=settled.state)
        row = await self._cases.find(work.case_id)
        case = Case.model_validate(row.body) if row else work.case
        if case is None:
            return Opened()
        at = case.opened_at or datetime.now(UTC)
        pin = await self._books.repin(row.book) if row else await self._books.pin(case.domain, at)
        if row is None:
            drawn = audit_of(case, self._audit_share, datetime.now(UTC))
            await self._cases.register(case, pin.digest, at, drawn)
        return Opened(book=pin) if case == work.case else Opened(book=pin, case=case)

    @activity.defn
    async def store_steps(self, work: StoreSteps) -> None:
        """Keep steps that came inline, from a client that does not go through the gateway."""
        await self._cases.add_steps(work.case_id, work.steps)

    @activity.defn
    async def record_evidence(self, work: RecordEvidence) -> None:
        """Keep one message, and what the case made of it. Feedback that was taken in becomes evidence."""
        await self._cases.inbox.record(work)
        if work.kind != "feedback" or not work.accepted:
            return
        row = await self._cases.find(work.case_id)
        if row and (piece := row_of_feedback(row, Feedback.model_validate(work.body), work.at)):
            await self._cases.keep_feedback([piece])

    @activity.defn
    async def settle_case(self, work: SettleCase) -> None:
        """Write down how this run ended, and everything that was taken in and is not written down yet."""
        state = CaseState.model_validate(work.state)
        row = await self._cases.find(work.settlement.case_id)
        try:
            measured = self._measures.of_case(row, state, work.at) if row else []
        except Exception as error:  # what cannot be measured must not keep a case from settling
            activity.logger.warning("case_not_measured", extra={"reason": type(error).__name__})
            measured = []
        await self._cases.settle(work, state.episodes, state.taken, measured)
