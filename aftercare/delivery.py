"""Delivery: what the gateway asks of Temporal, with its failures told in our own words."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

from temporalio.client import (
    Client,
    RPCTimeoutOrCancelledError,
    WithStartWorkflowOperation,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import ApplicationError, TemporalError
from temporalio.service import RPCError, RPCStatusCode

from aftercare.lifecycle.digest import digest_of
from aftercare.lifecycle.state import Conflict, Refused
from aftercare.messages.case import Case, CaseInput, Receipt
from aftercare.messages.outcome import Snapshot
from workflows import conventions as by
from workflows.case import CaseWorkflow

AFTER = "What came in after the case had settled, or before it was registered"
SIGNAL_WITHIN = timedelta(seconds=10)


class NotOpen(Exception):
    """No run of the case is open."""


class NoAnswerYet(Exception):
    """Temporal gave no answer. Whether the case took the message in is not known: ask again with the same id."""


class Delivery:
    """Takes messages to the workflow of their case, starting it where it may be started."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def handle(self, case_id: str) -> WorkflowHandle[CaseWorkflow, Any]:
        """The workflow of a case: its latest run."""
        return self._client.get_workflow_handle_for(CaseWorkflow.run, by.case_workflow_id(case_id))

    async def snapshot(self, case_id: str) -> Snapshot:
        """The case as its workflow holds it. Raises NotOpen, or NoAnswerYet where no worker answers."""
        with _told():
            return await self.handle(case_id).query(CaseWorkflow.snapshot)

    async def update(self, case_id: str, update: Any, message: Any, id: str) -> Receipt:
        """An Update of an open case. Raises Refused, NotOpen or NoAnswerYet."""
        with _told():
            receipt: Receipt = await self.handle(case_id).execute_update(update, message, id=_update_id(id, message))
        return receipt.model_copy(update={"case_id": case_id})

    async def update_with_start(
        self, case_id: str, update: Any, message: Any, id: str, case: Case | None = None
    ) -> Receipt:
        """An Update of a case that is started with it, unless it is open. Raises Refused or NoAnswerYet."""
        for _ in range(3):  # a run that was about to close does not take it; the next one will
            start = WithStartWorkflowOperation(
                CaseWorkflow.run,
                CaseInput(case_id=case_id),
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                **_start(case_id, case),
            )
            try:
                with _told():
                    receipt: Receipt = await self._client.execute_update_with_start_workflow(
                        update, message, id=_update_id(id, message), start_workflow_operation=start
                    )
                return receipt.model_copy(update={"case_id": case_id})
            except NotOpen:
                continue
            finally:
                with suppress(RPCError, TemporalError, TimeoutError):
                    async with asyncio.timeout(1):  # an error nobody asks for would be told as one by asyncio
                        await start.workflow_handle()
        raise NoAnswerYet(f"case {case_id!r} was closing each time; ask again with the same id")

    async def signal_with_start(self, case_id: str, kind: str, raw: Any) -> None:
        """A Signal; Temporal holds it when this returns. Raises NoAnswerYet."""
        with _told():
            await self._client.start_workflow(
                CaseWorkflow.run,
                CaseInput(case_id=case_id),
                start_signal=kind,
                start_signal_args=[raw],
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                rpc_timeout=SIGNAL_WITHIN,
                **_start(case_id, None),
            )


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except WorkflowUpdateFailedError as error:
        raise _refused(error) from error
    except (RPCTimeoutOrCancelledError, WorkflowUpdateRPCTimeoutOrCancelledError) as error:
        raise NoAnswerYet("Temporal did not answer in time; ask again with the same id") from error
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise NotOpen(str(error)) from error
        raise NoAnswerYet(f"Temporal gave no answer ({error.status.name}); ask again with the same id") from error


def _refused(error: WorkflowUpdateFailedError) -> Exception:
    cause = error.cause
    if isinstance(cause, ApplicationError) and cause.type in ("Refused", "Conflict"):
        kind = Conflict if cause.type == "Conflict" else Refused
        return kind([str(r) for r in cause.details[0]] if cause.details else [cause.message])
    if isinstance(cause, ApplicationError) and cause.type == "AcceptedUpdateCompletedWorkflow":
        return NotOpen(str(cause))
    return error


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
    return digest_of([id, plain(message)])[:16]  # it stands four times in every update's events


def plain(message: Any) -> Any:
    """A message as plain JSON."""
    return message.model_dump(mode="json") if hasattr(message, "model_dump") else message
