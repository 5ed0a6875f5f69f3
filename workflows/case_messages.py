"""What a case hears: Updates from agents and people, Signals from machines, and the Query that shows it whole.

Every message goes the same way: wait until the case is open, refuse what cannot be taken in, take in what can be
once, write it down, give a receipt.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from temporalio import workflow
from temporalio.common import RawValue

from aftercare.lifecycle import intake
from aftercare.lifecycle.outcome import snapshot_of
from aftercare.lifecycle.state import Refused
from aftercare.messages.case import Case, CaseReport, Escalation, Proposal, Receipt, Resolution, Steps
from aftercare.messages.outcome import Snapshot
from aftercare.messages.override import Override
from workflows.case_intake import CaseIntake
from workflows.refusals import as_text, decoded, refusals

REGISTRATION = "registration"


class CaseMessages(CaseIntake):
    """The handlers of a case's messages. The story itself is in `case.py`."""

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

    @workflow.update(description="An agent says what it would have done in a case that a person handles")
    async def propose(self, proposal: Proposal) -> Receipt:
        """Shadow mode: the proposal stands beside what the person does, and changes nothing."""
        await self._opened_with(None)
        with refusals():
            if receipt := self._admitted("proposal", proposal, self._may_propose):
                return receipt
        self.state.propose(proposal)
        return self._take("proposal", proposal, proposal.id)

    @propose.validator
    def _check_propose(self, proposal: Proposal) -> None:
        self._check("proposal", proposal, self._may_propose)

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
