"""How a case takes a message in: wait until it is open, refuse what cannot be, take in once what can, write it down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from activities.cases import CaseActivities
from aftercare.lifecycle import intake, story
from aftercare.lifecycle.state import CaseState, Refused
from aftercare.messages.case import Case, CaseInput, CaseReport, Proposal, Receipt, Step, Steps
from aftercare.messages.override import Override
from aftercare.messages.work import RecordEvidence, StoreSteps
from workflows.conventions import TO_STORE
from workflows.refusals import refusals


class CaseIntake:
    """What every handler of a message does. The handlers themselves are in `case_messages.py`."""

    def __init__(self, given: Any) -> None:
        self.state = CaseState(case_id="")
        self.unreadable: list[str] = []
        try:
            start = intake.parse(CaseInput, given)
            self.state = CaseState(case_id=start.case_id, case=start.case)
        except Refused as refused:
            self.unreadable = refused.reasons
        self.opened = False
        self.unopenable: str | None = None
        self.news = 0

    async def _opened_with(self, case: Case | None) -> None:
        """Wait until the case is open; one that nobody registered yet is opened with this registration."""
        if case and self.state.case is None:
            self.state.case, self.unopenable = case, None
        await workflow.wait_condition(lambda: (self.opened and not self.unopened) or bool(case and self.unopenable))
        if case and not self.state.registered:
            raise ApplicationError(str(self.unopenable), type="Refused", non_retryable=True)

    @property
    def unopened(self) -> bool:
        """Whether a registration came in that the case was not opened with yet."""
        return self.state.registered and self.state.book is None

    def _take(self, kind: str, message: Any, id: str) -> Receipt:
        self.news += 1
        if kind not in intake.EVIDENCE:
            self.state.last_sign = workflow.now()  # only the agent's own messages are signs of its life
        return self.state.take(kind, message, id)

    def _admitted(self, kind: str, message: Any, *checks: Callable[[Any], None]) -> Receipt | None:
        """The receipt of the same message, if it came before; otherwise it must pass the checks."""
        receipt = self.state.earlier(kind, message.id, message)
        if receipt is None:
            intake.check_size(message.model_dump(mode="json"), intake.LARGEST_REPORT)
            for check in checks:
                check(message)
        return receipt

    def _check(self, kind: str, message: Any, *checks: Callable[[Any], None]) -> None:
        """A validator's check, by what the workflow holds; before the case is open the handler checks instead."""
        if self.opened:
            with refusals():
                self._admitted(kind, message, *checks)

    def _may_report(self, message: Any) -> None:
        intake.check_open(self.state, message)

    def _may_propose(self, message: Proposal) -> None:
        intake.check_proposal(self.state, message)

    def _may_override(self, message: Any) -> None:
        if isinstance(message, Override):
            intake.check_override(self.state, message)

    def _may_concern(self, message: Any) -> None:
        intake.check_registered(self.state)

    async def _admitted_with_steps(self, kind: str, message: Steps | CaseReport) -> Receipt | None:
        """The same for a message that may bring steps inline: they are stored before anything is acknowledged."""
        held = intake.as_held(message)
        with refusals():
            receipt = self._admitted(kind, held, self._may_report)
        if receipt is None and message.steps:
            await self._store(message.steps)
            with refusals():  # something else may have come in meanwhile
                receipt = self._admitted(kind, held, self._may_report)
        return receipt

    async def _store(self, steps: Sequence[Step]) -> None:
        work = StoreSteps(case_id=self.state.case_id, steps=tuple(steps))
        try:
            await workflow.execute_local_activity_method(
                CaseActivities.store_steps, work, summary=f"keep {len(steps)} steps", **TO_STORE
            )
        except ActivityError as error:
            raise ApplicationError(str(error.cause or error), type="Refused", non_retryable=True) from error

    async def _record(self, kind: str, id: str, raw: Any, **told: Any) -> None:
        evidence = RecordEvidence(case_id=self.state.case_id, id=id, kind=kind, body=raw, at=workflow.now(), **told)
        await workflow.execute_local_activity_method(
            CaseActivities.record_evidence,
            evidence,
            summary=f"keep {kind}" if evidence.accepted else f"keep what was refused: {kind}",
            **TO_STORE,
        )
        self.tell()

    def tell(self) -> None:
        """Let the operator read where the case stands."""
        workflow.set_current_details(story.tell(self.state))
