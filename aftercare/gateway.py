"""The gateway: what every door goes through to reach a case. Committed to the inbox first, then delivered."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from temporalio.client import Client, WorkflowHandle

from aftercare.delivery import Delivery, NoAnswerYet, NotOpen, plain
from aftercare.lifecycle import intake
from aftercare.lifecycle.digest import digest_of, held_of
from aftercare.lifecycle.intake import LARGEST_EVIDENCE, LARGEST_REPORT, check_size
from aftercare.lifecycle.state import Refused
from aftercare.messages.case import Case, CaseReport, Escalation, Receipt, Resolution, Step, Steps
from aftercare.messages.outcome import Snapshot
from aftercare.messages.work import Standing
from aftercare.store.cases import Cases
from aftercare.store.inbox import IdTaken
from aftercare.store.steps import StepTaken
from aftercare.store.tables import EvidenceRow
from workflows.case import CaseWorkflow

LARGEST_BATCH = 4 * 1024 * 1024
log = logging.getLogger(__name__)


class Gateway:
    """Takes messages about cases. Every method raises Refused with the reasons, and then nothing has changed.

    Where Temporal gives no answer, NoAnswerYet is raised; the same message may be sent again with the same id.
    """

    def __init__(self, client: Client, cases: Cases) -> None:
        self._to, self._cases, self._inbox = Delivery(client), cases, cases.inbox

    async def register(self, case: Case) -> Receipt:
        """An agent takes up a case."""
        check_size(plain(case), LARGEST_REPORT)
        return await self._to.update_with_start(case.id, CaseWorkflow.register, case, "registration", case)

    async def record_steps(self, case_id: str, batch: Steps) -> Receipt:
        """Decision points: kept in the store, counted by the workflow."""
        brief = Steps(id=batch.id, held=held_of(batch.steps))
        return await self._through_inbox(case_id, "steps", brief, batch.steps)

    async def resolve(self, case_id: str, resolution: Resolution) -> Receipt:
        """The agent claims that the case is resolved."""
        return await self._ended(case_id, CaseWorkflow.resolve, resolution)

    async def escalate(self, case_id: str, escalation: Escalation) -> Receipt:
        """The agent hands over."""
        return await self._ended(case_id, CaseWorkflow.escalate, escalation)

    async def report(self, report: CaseReport) -> Receipt:
        """A whole case in one call."""
        brief = report.model_copy(update={"steps": (), "held": held_of(report.steps)})
        return await self._through_inbox(report.case.id, "report", brief, report.steps)

    async def override(self, case_id: str, raw: dict[str, Any]) -> Receipt:
        """A person corrects the agent, while the case runs or after it has settled. Waits for the case's answer."""
        row = await self._held(case_id, "override", raw)
        if row.accepted:
            return Receipt(id=row.id, case_id=case_id)
        return await self._answered(row, raw)

    async def signal(self, case_id: str, kind: str, raw: dict[str, Any]) -> Receipt:
        """`feedback`, `recontact`, `reopen` (or `override` without waiting for its answer), as raw JSON.

        Acknowledged once the inbox holds it. A case that has settled is taken up again.
        """
        row = await self._held(case_id, kind, raw)
        if not row.accepted and row.sent_at is None:
            try:
                await self._send(row)
            except (NoAnswerYet, NotOpen) as error:  # the sweeper will deliver it
                log.warning("signal_held_back", extra={"kind": kind, "reason": str(error)})
        return Receipt(id=row.id, case_id=case_id)

    async def redeliver(self, row: EvidenceRow) -> None:
        """Deliver what a crash left in the inbox. The caller is gone: a refusal is for the store alone."""
        now = await self._inbox.find(row.case_id, row.id)
        if now is None or now.digest != row.digest or now.standing not in (Standing.WAITING, Standing.ORPHAN):
            return  # answered, moved or refused since it was seen waiting
        try:
            await self._deliver(now)
        except Refused as refused:
            log.info("held_message_refused", extra={"kind": row.kind, "reasons": len(refused.reasons)})

    async def attach(self, case_id: str, id: str, to: str) -> Receipt:
        """Give an orphan to the case it was meant for. Raises Refused where either is not there."""
        if await self._cases.find(to) is None:
            raise Refused([f"no case {to!r} is registered"])
        try:
            if not await self._inbox.attach(case_id, id, to):
                raise Refused([f"there is no orphan {id!r} of case {case_id!r}; `aftercare case orphans` lists them"])
        except IdTaken as error:
            raise Refused([str(error)]) from error
        row = await self._inbox.find(to, id)
        if row:
            await self._deliver(row)
        return Receipt(id=id, case_id=to)

    async def snapshot(self, case_id: str) -> Snapshot:
        """The whole case as it stands. Raises NotOpen where nobody ever heard of it."""
        return await self._to.snapshot(case_id)

    def handle(self, case_id: str) -> WorkflowHandle[CaseWorkflow, Any]:
        """The workflow of a case: its latest run."""
        return self._to.handle(case_id)

    async def _through_inbox(
        self, case_id: str, kind: str, brief: Steps | CaseReport, steps: tuple[Step, ...]
    ) -> Receipt:
        check_size([s.model_dump(mode="json") for s in steps], LARGEST_BATCH)
        check_size(plain(brief), LARGEST_REPORT)
        row = await self._hold(case_id, brief.id, kind, plain(brief), digest_of(brief), steps)
        if row.accepted:
            return Receipt(id=row.id, case_id=case_id)
        return await self._answered(row, brief, steps)

    async def _held(self, case_id: str, kind: str, raw: Any) -> EvidenceRow:
        """Evidence that can be read, committed."""
        model = intake.EVIDENCE.get(kind)
        if model is None:
            raise Refused([f"there is no message {kind!r}; there are {', '.join(intake.EVIDENCE)}"])
        check_size(raw, LARGEST_EVIDENCE)
        message = intake.parse(model, raw)
        return await self._hold(case_id, raw["id"], kind, raw, digest_of(message))

    async def _hold(
        self, case_id: str, id: str, kind: str, body: Any, digest: str, steps: tuple[Step, ...] = ()
    ) -> EvidenceRow:
        try:
            row = await self._inbox.hold(case_id, id, kind, body, digest, datetime.now(UTC), steps)
        except StepTaken as error:
            raise Refused([str(error)]) from error
        if row.digest != digest:
            raise Refused([f"the id {id!r} was used before for another {row.kind}; give this one an id of its own"])
        return row

    async def _answered(self, row: EvidenceRow, message: Any, steps: tuple[Step, ...] = ()) -> Receipt:
        """The case's own answer, noted in the inbox."""
        try:
            receipt = await self._update(row, message)
        except Refused as refused:
            id = intake.refusal_of(row.kind, row.body, refused, row.at).id
            await self._inbox.refused(row, id, refused.reasons)
            raise
        if not await self._inbox.delivered(row):
            # Another attempt at the same message was refused meanwhile, and let go of what this one brought.
            await self._hold(row.case_id, row.id, row.kind, row.body, row.digest, steps)
            await self._inbox.delivered(row)
        return receipt

    async def _update(self, row: EvidenceRow, message: Any) -> Receipt:
        """To the Update that takes such a message. Its name holds the attempt: Temporal remembers a refusal too."""
        case_id, attempt = row.case_id, f"{row.id}@{row.at.isoformat()}"
        match message:
            case CaseReport():
                return await self._to.update_with_start(case_id, CaseWorkflow.report, message, attempt, message.case)
            case Steps():
                return await self._to_open(case_id, CaseWorkflow.record_steps, message, attempt)
            case _:
                return await self._to.update_with_start(case_id, CaseWorkflow.submit_override, message, attempt)

    async def _deliver(self, row: EvidenceRow) -> None:
        """What lies in the inbox, to its case: by Signal, or by the Update that its kind has."""
        if row.standing == Standing.ORPHAN:
            await self._inbox.taken_up(row)
        match row.kind:
            case "steps":
                message: Any = Steps.model_validate(row.body)
            case "report":
                message = CaseReport.model_validate(row.body)
            case "override":
                message = row.body
            case _:
                return await self._send(row)
        await self._answered(row, message)

    async def _send(self, row: EvidenceRow) -> None:
        await self._to.signal_with_start(row.case_id, row.kind, row.body)
        await self._inbox.sent(row, datetime.now(UTC))

    async def _ended(self, case_id: str, update: Any, message: Resolution | Escalation) -> Receipt:
        check_size(plain(message), LARGEST_REPORT)
        return await self._to_open(case_id, update, message, message.id)

    async def _to_open(
        self, case_id: str, update: Any, message: Steps | Resolution | Escalation, attempt: str
    ) -> Receipt:
        """Only an open case hears its agent; what it took in before it closed keeps its receipt."""
        try:
            return await self._to.update(case_id, update, message, attempt)
        except NotOpen as error:
            row = await self._inbox.find(case_id, message.id)
            if row and row.accepted and row.digest == digest_of(message):
                return Receipt(id=message.id, case_id=case_id)
            raise Refused([f"no case {case_id!r} is open: it was never registered, or it has settled"]) from error
