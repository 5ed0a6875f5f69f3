"""What a case hears: Updates from agents and people, Signals from machines, and the Query that shows it whole.

Every message goes the same way: wait until the case is open, refuse what cannot be taken in, take in what can be
once, write it down, give a receipt.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError

from activities.cases import CaseActivities
from aftercare.lifecycle import intake, story
from aftercare.lifecycle.outcome import snapshot_of
from aftercare.lifecycle.state import CaseState, Refused
from aftercare.messages.case import Case, CaseInput, CaseReport, Escalation, Receipt, Resolution, Step, Steps
from aftercare.messages.outcome import Snapshot
from aftercare.messages.override import Override
from aftercare.messages.work import RecordEvidence, StoreSteps
from workflows.conventions import TO_STORE
from workflows.refusals import as_text, decoded, refusals

REGISTRATION = "registration"


class CaseMessages:
    """The handlers of a case's messages. The story itself is in `case.py`."""

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

    @workflow.update(description="An agent registers a case")
    async def register(self, case: Case) -> Receipt:
        """Idempotent; the same id with other particulars is refused."""
        await self._opened_with(case)
        with refusals():
            intake.check_registration(self.state, case)
            receipt = self.state.earlier(REGISTRATION, REGISTRATION, {}) or self._take(REGISTRATION, {}, REGISTRATION)
        return receipt.model_copy(update={"release": None})  # none is assigned yet, and every client sees so

    @register.validator
    def _check_register(self, case: Case) -> None:
        with refusals():
            intake.check_registration(self.state, case)

    @workflow.update(description="An agent reports a batch of decision points")
    async def record_steps(self, batch: Steps) -> Receipt:
        """The batch lies in the store (`held`), or comes inline and is put there."""
        await self._opened_with(None)
        if receipt := await self._admitted_with_steps("steps", batch):
            return receipt
        held = intake.as_held(batch)
        self.state.add_steps(held)
        return self._take("steps", held, batch.id)

    @record_steps.validator
    def _check_record_steps(self, batch: Steps) -> None:
        with refusals():
            self._check("steps", intake.as_held(batch), self._may_report)

    @workflow.update(description="The agent claims that the case is resolved")
    async def resolve(self, resolution: Resolution) -> Receipt:
        """Intent, confidence, what was done, what was said."""
        return await self._end("resolution", resolution)

    @resolve.validator
    def _check_resolve(self, resolution: Resolution) -> None:
        self._check("resolution", resolution, self._may_report)

    @workflow.update(description="The agent hands the case over to a person")
    async def escalate(self, escalation: Escalation) -> Receipt:
        """What the agent had already done is verified and audited all the same."""
        return await self._end("escalation", escalation)

    @escalate.validator
    def _check_escalate(self, escalation: Escalation) -> None:
        self._check("escalation", escalation, self._may_report)

    @workflow.update(description="An agent that has already finished reports the whole case")
    async def report(self, report: CaseReport) -> Receipt:
        """Registration, steps and ending in one call."""
        await self._opened_with(report.case)
        with refusals():
            intake.check_registration(self.state, report.case)
        if receipt := await self._admitted_with_steps("report", report):
            return receipt
        held = intake.as_held(report)
        self.state.add_steps(held)
        self.state.resolution, self.state.escalation = report.resolution, report.escalation
        return self._take("report", held, report.id)

    @report.validator
    def _check_report(self, report: CaseReport) -> None:
        with refusals():
            intake.check_registration(self.state, report.case)
            self._check("report", intake.as_held(report), self._may_report)

    @workflow.update(description="A person corrects the agent; refused unless it is whole")
    async def submit_override(self, raw: Any) -> Receipt:
        """Takes an Override as JSON, so that a part that is missing is named in plain words."""
        await self._opened_with(None)
        with refusals():
            return await self._take_evidence("override", raw, held=True)

    @submit_override.validator
    def _check_submit_override(self, raw: Any) -> None:
        with refusals():
            override = intake.parse(Override, raw)
        self._check("override", override, self._may_override)

    @workflow.signal(dynamic=True)
    async def signal(self, kind: str, payloads: Sequence[RawValue]) -> None:
        """`override`, `feedback`, `recontact`, `reopen` as raw JSON. What cannot be taken in is kept and shown."""
        await self._opened_with(None)
        raw: Any = as_text(payloads)
        try:
            raw = decoded(kind, payloads)
            await self._take_evidence(kind, raw)
        except Refused as refused:
            await self._keep_untaken(kind, raw, refused)

    @workflow.query(description="The whole case, as it stands")
    def snapshot(self) -> Snapshot:
        """What the console shows."""
        return snapshot_of(self.state)

    async def _end(self, kind: Literal["resolution", "escalation"], message: Resolution | Escalation) -> Receipt:
        await self._opened_with(None)
        with refusals():
            if receipt := self._admitted(kind, message, self._may_report):
                return receipt
        setattr(self.state, kind, message)
        return self._take(kind, message, message.id)

    async def _take_evidence(self, kind: str, raw: Any, **told: Any) -> Receipt:
        model = intake.EVIDENCE.get(kind)
        if model is None:
            raise Refused([f"there is no message {kind!r}; there are {', '.join(intake.EVIDENCE)}"])
        message = intake.parse(model, raw)
        if receipt := self._admitted(kind, message, self._may_override, self._may_concern):
            return receipt
        receipt = self._take(kind, message, message.id)  # type: ignore[attr-defined]
        self.state.apply(message)
        await self._record(kind, receipt.id, raw, **told)
        return receipt

    async def _keep_untaken(self, kind: str, raw: Any, refused: Refused) -> None:
        """Nothing that came is lost: what was refused is kept beside what was taken in, an orphan under its own id."""
        refusal = intake.refusal_of(kind, raw, refused, workflow.now())
        orphan = isinstance(refused, intake.Unregistered)
        self.news += 1
        self.state.refuse(refusal)
        told: dict[str, Any] = {"orphan": True} if orphan else {}
        id = raw["id"] if orphan else refusal.id
        await self._record(refusal.kind, id, raw, accepted=False, reasons=refusal.reasons, **told)

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
