"""The gateway: what every door goes through to reach a case. Committed to the inbox first, then delivered."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from temporalio.client import Client, WorkflowHandle

from aftercare.delivery import Delivery, NoAnswerYet, NotOpen, plain
from aftercare.lifecycle import intake
from aftercare.lifecycle.digest import digest_of, held_of
from aftercare.lifecycle.intake import LARGEST_EVIDENCE, LARGEST_REPORT, check_size
from aftercare.lifecycle.state import Conflict, Refused
from aftercare.messages.base import Message
from aftercare.messages.case import Case, CaseReport, Escalation, Proposal, Receipt, Resolution, Step, Steps
from aftercare.messages.outcome import Snapshot
from aftercare.messages.work import Standing
from aftercare.store.cases import Cases
from aftercare.store.holding import Erased
from aftercare.store.inbox import IdTaken, message_row
from aftercare.store.steps import StepTaken
from aftercare.store.tables import EvidenceRow
from workflows.case import CaseWorkflow

LARGEST_BATCH = 4 * 1024 * 1024
REGISTRATION = "registration"
NOT_OPEN = "no case {!r} is open: it was never registered, or it has settled"
COMING = "the case's registration is on its way; ask again with the same id"
log = logging.getLogger(__name__)

UPDATES: dict[str, Any] = {
    REGISTRATION: CaseWorkflow.register,
    "steps": CaseWorkflow.record_steps,
    "resolution": CaseWorkflow.resolve,
    "escalation": CaseWorkflow.escalate,
    "report": CaseWorkflow.report,
    "proposal": CaseWorkflow.propose,
    "override": CaseWorkflow.submit_override,
}


class Gone(Refused):
    """The case was erased with its customer."""


class Unopened(Refused):
    """No case is open that could hear its agent."""


class Gateway:
    """Takes messages about cases. Every method raises Refused with the reasons, and then nothing has changed.

    Refused is Conflict where the id stands for another message, and Gone where the case was erased. Where Temporal
    gives no answer, NoAnswerYet is raised; the message is held, and may be sent again with the same id. `by` is who
    sends it.
    """

    def __init__(self, client: Client, cases: Cases, by: str | None = None) -> None:
        self._to, self._cases, self._inbox, self._by = Delivery(client), cases, cases.inbox, by

    async def register(self, case: Case, by: str | None = None) -> Receipt:
        """An agent takes up a case."""
        return await self.answer(await self.hold(case.id, REGISTRATION, case, by))

    async def record_steps(self, case_id: str, batch: Steps, by: str | None = None) -> Receipt:
        """Decision points: kept in the store, counted by the workflow."""
        return await self.answer(await self.hold(case_id, "steps", batch, by), batch.steps)

    async def resolve(self, case_id: str, resolution: Resolution, by: str | None = None) -> Receipt:
        """The agent claims that the case is resolved; or the person does who handles it."""
        return await self.answer(await self.hold(case_id, "resolution", resolution, by))

    async def escalate(self, case_id: str, escalation: Escalation, by: str | None = None) -> Receipt:
        """The agent hands over."""
        return await self.answer(await self.hold(case_id, "escalation", escalation, by))

    async def report(self, report: CaseReport, by: str | None = None) -> Receipt:
        """A whole case in one call."""
        return await self.answer(await self.hold(report.case.id, "report", report, by), report.steps)

    async def propose(self, case_id: str, proposal: Proposal, by: str | None = None) -> Receipt:
        """What the agent would have done in a case that a person handles."""
        return await self.answer(await self.hold(case_id, "proposal", proposal, by))

    async def override(self, case_id: str, raw: dict[str, Any], by: str | None = None) -> Receipt:
        """A person corrects the agent, while the case runs or after it has settled. Waits for the case's answer."""
        return await self.answer(await self.hold(case_id, "override", raw, by))

    async def signal(self, case_id: str, kind: str, raw: dict[str, Any], by: str | None = None) -> Receipt:
        """`feedback`, `recontact`, `reopen` (or `override` without waiting for its answer), as raw JSON.

        Acknowledged once the inbox holds it. A case that has settled is taken up again.
        """
        row = await self.hold(case_id, kind, raw, by)
        if not row.accepted and row.sent_at is None:
            try:
                await self._send(row)
            except (NoAnswerYet, NotOpen) as error:  # the sweeper will deliver it
                log.warning("signal_held_back", extra={"kind": kind, "reason": str(error)})
        return Receipt(id=row.id, case_id=case_id)

    async def hold(self, case_id: str, kind: str, message: Any, by: str | None = None) -> EvidenceRow:
        """Commit a message of any kind to the inbox, with the steps it brings; whoever delivers it comes later."""
        return await self._hold(*self._row_of(case_id, kind, message, by))

    async def hold_all(self, feedback: Sequence[tuple[str, Any]], by: str | None = None) -> list[EvidenceRow]:
        """Many pieces of feedback, each with its case, in one transaction: all are held, or none is."""
        rows = [self._row_of(case_id, "feedback", raw, by)[0] for case_id, raw in feedback]
        try:
            return await self._inbox.hold_all(rows)
        except Erased as error:
            raise Gone([str(error)]) from error
        except IdTaken as error:
            raise Conflict([str(error)]) from error

    async def answer(self, row: EvidenceRow, steps: tuple[Step, ...] = ()) -> Receipt:
        """Deliver a held message, and give the case's own answer. `steps` are those it brought."""
        if row.accepted:
            return Receipt(id=row.id, case_id=row.case_id)
        if row.kind != REGISTRATION:
            await self._clear_the_way(row)
        try:
            await self._check_theirs(row)
            receipt = await self._update(row)
        except Refused as refused:
            if isinstance(refused, Unopened) and await self._inbox.registering(row.case_id):
                raise NoAnswerYet(COMING) from None
            id = intake.refusal_of(row.kind, row.body, refused, row.at).id
            await self._inbox.refused(row, id, refused.reasons)
            raise
        if not await self._inbox.delivered(row):
            # Another attempt at the same message was refused meanwhile, and let go of what this one brought.
            again = row.model_copy()
            await self._inbox.delivered(await self._hold(again, steps))
        return receipt

    async def redeliver(self, row: EvidenceRow) -> None:
        """Deliver what lies in the inbox. The caller is gone: a refusal is for the store alone."""
        now = await self._inbox.find(row.case_id, row.id)
        if now is None or now.digest != row.digest or now.standing not in (Standing.WAITING, Standing.ORPHAN):
            return  # answered, moved or refused since it was seen waiting
        if now.standing == Standing.ORPHAN:
            await self._inbox.taken_up(now)
        try:
            if await self._waits_for_registration(now):
                return await self._inbox.orphaned(now)  # acknowledged already, and delivered once it is registered
            if now.kind in UPDATES:
                await self.answer(now)
            else:
                await self._signalled(now)
        except Refused as refused:
            log.info("held_message_refused", extra={"kind": row.kind, "reasons": len(refused.reasons)})

    async def _signalled(self, row: EvidenceRow) -> None:
        if row.kind == "reopen":  # it reopens what was ended before
            await self._clear_the_way(row)
        try:
            await self._check_theirs(row)
        except Refused as refused:
            id = intake.refusal_of(row.kind, row.body, refused, row.at).id
            await self._inbox.refused(row, id, refused.reasons)
            raise
        await self._send(row)

    async def _waits_for_registration(self, row: EvidenceRow) -> bool:
        """Whether a message can only be judged once its case is registered, and it is not. Raises NoAnswerYet."""
        if row.kind not in intake.AGENT_WORDS and not (row.kind in intake.EVIDENCE and agent_of_key(row.by)):
            return False
        if await self._cases.find(row.case_id):
            return False
        if await self._inbox.registering(row.case_id):
            raise NoAnswerYet(COMING)
        return True

    async def _check_theirs(self, row: EvidenceRow) -> None:
        """A key of one agent speaks of that agent's cases alone, whoever registers a case in the end."""
        agent = agent_of_key(row.by)
        if not agent and row.kind not in intake.AGENT_WORDS:
            return
        case = await self._cases.find(row.case_id)
        if row.kind in intake.AGENT_WORDS and case is None:
            raise Unopened([NOT_OPEN.format(row.case_id)])
        if agent and case and case.agent != agent:
            raise Refused([f"this key is agent {agent!r}'s, and case {row.case_id!r} is not"])

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
        if row and row.kind not in UPDATES:
            await self._send(row)
        elif row:
            await self.answer(row)
        return Receipt(id=id, case_id=to)

    async def snapshot(self, case_id: str) -> Snapshot:
        """The whole case as it stands. Raises NotOpen where nobody ever heard of it."""
        return await self._to.snapshot(case_id)

    def handle(self, case_id: str) -> WorkflowHandle[CaseWorkflow, Any]:
        """The workflow of a case: its latest run."""
        return self._to.handle(case_id)

    def _row_of(self, case_id: str, kind: str, message: Any, by: str | None) -> tuple[EvidenceRow, tuple[Step, ...]]:
        """The inbox's row of a message that can be read, and the steps that come with it."""
        steps: tuple[Step, ...] = ()
        model = intake.MESSAGES.get(kind)
        if model is None:
            raise Refused([f"there is no message {kind!r}; there are {', '.join(intake.MESSAGES)}"])
        body = plain(message)
        if kind in intake.EVIDENCE:
            check_size(body, LARGEST_EVIDENCE)
            message = intake.parse(model, body)
        if isinstance(message, Steps | CaseReport):
            steps = message.steps
            check_size([s.model_dump(mode="json") for s in steps], LARGEST_BATCH)
            message = message.model_copy(update={"steps": (), "held": held_of(steps)})
            body = plain(message)
        check_size(body, LARGEST_REPORT)
        id = REGISTRATION if isinstance(message, Case) else message.id
        if id == REGISTRATION and kind != REGISTRATION:
            raise Refused([f"id: {REGISTRATION!r} is the registration's own; give this message another"])
        return message_row(case_id, id, kind, body, _digest(message), datetime.now(UTC), by or self._by), steps

    async def _hold(self, row: EvidenceRow, steps: tuple[Step, ...] = ()) -> EvidenceRow:
        try:
            there = await self._inbox.hold(row, steps)
        except StepTaken as error:
            raise Conflict([str(error)]) from error
        except Erased as error:
            raise Gone([str(error)]) from error
        _check_same(row, there)
        return there

    async def _clear_the_way(self, row: EvidenceRow) -> None:
        """What came about the case before goes first: another door may be slow with it, or have died."""
        for earlier in await self._inbox.before(row, intake.AGENT_WORDS):
            await self.redeliver(earlier)

    async def _update(self, row: EvidenceRow) -> Receipt:
        """To the Update that takes such a message. Its name holds the attempt: Temporal remembers a refusal too."""
        update, attempt = UPDATES[row.kind], f"{row.id}@{row.at.isoformat()}"
        message = row.body if row.kind == "override" else intake.MESSAGES[row.kind].model_validate(row.body)
        if row.kind in intake.AGENT_WORDS:
            return await self._to_open(row, update, message, attempt)
        case = message if isinstance(message, Case) else message.case if isinstance(message, CaseReport) else None
        return await self._to.update_with_start(row.case_id, update, message, attempt, case)

    async def _send(self, row: EvidenceRow) -> None:
        await self._to.signal_with_start(row.case_id, row.kind, row.body)
        await self._inbox.sent(row, datetime.now(UTC))

    async def _to_open(self, row: EvidenceRow, update: Any, message: Any, attempt: str) -> Receipt:
        """Only an open case hears its agent; what it took in before it closed keeps its receipt."""
        try:
            return await self._to.update(row.case_id, update, message, attempt)
        except NotOpen as error:
            now = await self._inbox.find(row.case_id, row.id)
            if now and now.accepted and now.digest == row.digest:
                return Receipt(id=row.id, case_id=row.case_id)
            raise Unopened([NOT_OPEN.format(row.case_id)]) from error


def agent_of_key(by: str | None) -> str | None:
    """The one agent whose cases a sender may speak of; None where it may speak of any. It stands after the key's id."""
    return (by or "").partition("@")[2] or None


def _digest(message: Message) -> str:
    """By what the same message is known again. When a case was opened is told by whoever is first."""
    return digest_of(message.model_copy(update={"opened_at": None}) if isinstance(message, Case) else message)


def _check_same(row: EvidenceRow, there: EvidenceRow) -> None:
    if (there.kind, there.digest) == (row.kind, row.digest):
        return
    if row.kind == REGISTRATION == there.kind:
        raise Conflict([f"case {row.case_id!r} is registered already, with other particulars"])
    raise Conflict([f"the id {row.id!r} was used before for another {there.kind}; give this one an id of its own"])
