"""The gateway: what every door goes through to reach a case. Steps go to the store, messages to the workflow."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowHandle,
    WorkflowUpdateFailedError,
)
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from aftercare.lifecycle.intake import LARGEST_EVIDENCE, LARGEST_REPORT, check_size
from aftercare.lifecycle.state import Refused, digest_of, held_of
from aftercare.messages.case import Case, CaseInput, CaseReport, Escalation, Receipt, Resolution, Step, Steps, StepsHeld
from aftercare.messages.outcome import Snapshot
from aftercare.store.cases import Cases, StepTaken
from workflows import conventions as by
from workflows.case import CaseWorkflow

AFTER = "What came in after the case had settled, or before it was registered"
LARGEST_BATCH = 4 * 1024 * 1024


class Gateway:
    """Takes messages about cases. Every method raises Refused with the reasons, and then nothing has changed."""

    def __init__(self, client: Client, cases: Cases) -> None:
        self._client, self._cases = client, cases

    async def register(self, case: Case) -> Receipt:
        """An agent takes up a case."""
        return await self._update_with_start(case.id, CaseWorkflow.register, case, "registration", case)

    async def record_steps(self, case_id: str, batch: Steps) -> Receipt:
        """Decision points: kept in the store, counted by the workflow."""
        async with self._kept(case_id, batch.steps) as held:
            return await self._update(case_id, CaseWorkflow.record_steps, Steps(id=batch.id, held=held), batch.id)

    async def resolve(self, case_id: str, resolution: Resolution) -> Receipt:
        """The agent claims that the case is resolved."""
        return await self._update(case_id, CaseWorkflow.resolve, resolution, resolution.id)

    async def escalate(self, case_id: str, escalation: Escalation) -> Receipt:
        """The agent hands over."""
        return await self._update(case_id, CaseWorkflow.escalate, escalation, escalation.id)

    async def report(self, report: CaseReport) -> Receipt:
        """A whole case in one call."""
        case = report.case
        async with self._kept(case.id, report.steps) as held:
            brief = report.model_copy(update={"steps": (), "held": held})
            return await self._update_with_start(case.id, CaseWorkflow.report, brief, report.id, case)

    async def override(self, case_id: str, raw: dict[str, Any]) -> Receipt:
        """A person corrects the agent, while the case runs or after it has settled."""
        check_size(raw, LARGEST_EVIDENCE)
        return await self._update_with_start(case_id, CaseWorkflow.submit_override, raw, str(raw.get("id", "")), None)

    async def signal(self, case_id: str, kind: str, raw: dict[str, Any]) -> None:
        """`feedback`, `recontact`, `reopen` (or `override` without waiting for its answer), as raw JSON.

        Acknowledged once Temporal holds it. A case that has settled is taken up again.
        """
        check_size(raw, LARGEST_EVIDENCE)
        await self._client.start_workflow(
            CaseWorkflow.run,
            CaseInput(case_id=case_id),
            start_signal=kind,
            start_signal_args=[raw],
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            **_start(case_id, None),
        )

    async def snapshot(self, case_id: str) -> Snapshot:
        """The whole case as it stands."""
        return await self.handle(case_id).query(CaseWorkflow.snapshot)

    def handle(self, case_id: str) -> WorkflowHandle[CaseWorkflow, Any]:
        """The workflow of a case: its latest run."""
        return self._client.get_workflow_handle_for(CaseWorkflow.run, by.case_workflow_id(case_id))

    @asynccontextmanager
    async def _kept(self, case_id: str, steps: tuple[Step, ...]) -> AsyncIterator[StepsHeld]:
        """Keep steps in the store while they are reported; those that the case refuses are let go again."""
        check_size([s.model_dump(mode="json") for s in steps], LARGEST_BATCH)
        try:
            added = await self._cases.add_steps(case_id, steps)
        except StepTaken as error:
            raise Refused([str(error)]) from error
        try:
            yield held_of(steps)
        except Refused:
            await self._cases.drop_steps(case_id, added)
            raise

    async def _update(self, case_id: str, update: Any, message: Any, id: str) -> Receipt:
        check_size(_plain(message), LARGEST_REPORT)
        try:
            receipt: Receipt = await self.handle(case_id).execute_update(update, message, id=_update_id(id, message))
        except WorkflowUpdateFailedError as error:
            raise _refused(error) from error
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                if earlier := await self._taken_before(case_id, id, message):
                    return earlier
                raise Refused([f"no case {case_id!r} is open: it was never registered, or it has settled"]) from error
            raise
        return receipt.model_copy(update={"case_id": case_id})

    async def _taken_before(self, case_id: str, id: str, message: Any) -> Receipt | None:
        """The receipt of a message that the case took in before it closed."""
        row = await self._cases.find_evidence(case_id, id)
        same = row and row.accepted and isinstance(row.body, dict) and row.body.get("digest") == digest_of(message)
        return Receipt(id=id, case_id=case_id) if same else None

    async def _update_with_start(self, case_id: str, update: Any, message: Any, id: str, case: Case | None) -> Receipt:
        check_size(_plain(message), LARGEST_REPORT)
        start = WithStartWorkflowOperation(
            CaseWorkflow.run,
            CaseInput(case_id=case_id),
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            **_start(case_id, case),
        )
        try:
            receipt: Receipt = await self._client.execute_update_with_start_workflow(
                update, message, id=_update_id(id, message), start_workflow_operation=start
            )
        except WorkflowUpdateFailedError as error:
            await start.workflow_handle()
            raise _refused(error) from error
        return receipt.model_copy(update={"case_id": case_id})


def _start(case_id: str, case: Case | None) -> dict[str, Any]:
    known = [SearchAttributePair(by.CASE_STAGE, "resolving")]
    if case:
        known.append(SearchAttributePair(by.AGENT_NAME, case.agent))
        known += [SearchAttributePair(by.RELEASE_ID, case.release)] if case.release else []
    what = f"Agent {case.agent}, by {case.channel[:60]}" if case else AFTER
    return {
        "id": by.case_workflow_id(case_id),
        "task_queue": by.CASES_QUEUE,
        "id_reuse_policy": WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        "static_summary": what,
        "search_attributes": TypedSearchAttributes(known),
    }


def _update_id(id: str, message: Any) -> str:
    """The same message again gives the first answer; the same id with another body reaches the case, and is refused."""
    return digest_of([id, _plain(message)])[:16]  # it stands four times in every update's events


def _plain(message: Any) -> Any:
    return message.model_dump(mode="json") if hasattr(message, "model_dump") else message


def _refused(error: WorkflowUpdateFailedError) -> Exception:
    cause = error.cause
    if isinstance(cause, ApplicationError) and cause.type == "Refused":
        return Refused([str(r) for r in cause.details[0]] if cause.details else [cause.message])
    return error
