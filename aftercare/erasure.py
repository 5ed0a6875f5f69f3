"""Erasing a customer: their cases are marked, their workflows ended, their histories deleted, the store scrubbed.

In this order, so that it may be broken off anywhere and asked for again: until the store is scrubbed, it still tells
which cases are theirs.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from aftercare.messages.erasure import ErasureReceipt, ErasureRequest, Traces
from aftercare.store.cases import Cases
from aftercare.store.erasing import Erasing, StoreBusy
from workflows.conventions import case_workflow_id

PATIENCE = timedelta(seconds=10)
TOGETHER = 50
AT_ONCE = 8
T = TypeVar("T")
Run = tuple[str, str]  # of a case, by its id
PLAIN = re.compile(r"[\w.:\-]+", re.ASCII)  # other ids cannot be asked for in a query; no door lets them in

AGAIN = "ask for the same erasure again"
UNTOUCHED = f"{{}}; nothing was erased; {AGAIN}"
NOT_COMPACT = "the store's file was in use or its disk full, and what was erased may still lie in it: " + AGAIN
MENTIONED = "a case that still runs mentions the customer, and its workflow may write it down again: {}; " + (
    "erase once more when it has settled"
)
VACUUMED_LATER = "PostgreSQL keeps what was overwritten until autovacuum has passed (or VACUUM FULL), and in its WAL"
DELETED_LATER = (
    "Temporal deletes the histories in its own time, half a minute after they ended or so; not archived ones"
)
BACKUPS = "backups, and mails that were sent, are not ours to erase"


class NotErased(Exception):
    """Nothing was erased, why, and what to do."""


class Unanswered(Exception):
    """Temporal gave no answer."""


class Erasure:
    """Erases customers, one at a time."""

    def __init__(self, client: Client, cases: Cases) -> None:
        self._histories, self._store = Histories(client), Erasing(cases.database)

    async def preview(self, asked: ErasureRequest) -> Traces:
        """What an erasure would find in the store. Nothing is changed."""
        return await self._store.preview(asked.customer, asked.known, _now())

    async def erase(self, asked: ErasureRequest, by: str) -> ErasureReceipt:
        """Erase the customer; `by` is who says so. Again it goes on where it was broken off, or finds nothing left.

        Raises NotErased where Temporal or the store does not answer. What could not be finished stands in the receipt.
        """
        receipt = ErasureReceipt(id=f"erasure-{secrets.token_hex(6)}", at=_now(), by=by)
        try:
            await self._histories.check()
            own = await self._store.mark(asked.customer, receipt.at)
        except (Unanswered, StoreBusy) as error:
            raise NotErased(UNTOUCHED.format(error)) from error
        runs = await self._store.runs(own)
        try:
            done = await self._histories.forget(runs)
        except Unanswered as error:
            return await self._kept(_unfinished(receipt, own, f"{error}; {AGAIN}"))

        def scrubbed(traces: Traces) -> ErasureReceipt:
            return receipt.model_copy(
                update={
                    "traces": traces,
                    "terminated": len(done.terminated),
                    "histories": len(done.deleted),
                    "left": tuple(MENTIONED.format(case_id) for case_id in traces.running),
                    "elsewhere": self._elsewhere(),
                }
            )

        traces = await self._store.scrub(asked.customer, asked.known, scrubbed)
        return await self._kept(await self._finished(scrubbed(traces), runs))

    async def receipt(self, id: str) -> ErasureReceipt | None:
        """The receipt of an earlier erasure."""
        return await self._store.receipt(id)

    async def _finished(self, receipt: ErasureReceipt, runs: Mapping[str, set[str]]) -> ErasureReceipt:
        """Look once more for what was on its way meanwhile, and leave nothing in the store's files."""
        left: list[str] = []
        try:
            await self._histories.forget(runs)
        except Unanswered as error:
            left.append(f"{error}; a history of {', '.join(runs)} may have begun meanwhile, and ends by retention")
        late = await self._store.scrub_late(list(runs))
        compact = await self._store.compact()
        left += [] if compact else [NOT_COMPACT]
        traces = receipt.traces.model_copy(update={"datasets": (*receipt.traces.datasets, *late)})
        return receipt.model_copy(update={"traces": traces, "complete": compact, "left": (*receipt.left, *left)})

    async def _kept(self, receipt: ErasureReceipt) -> ErasureReceipt:
        await self._store.keep(receipt)
        return receipt

    def _elsewhere(self) -> tuple[str, ...]:
        on_postgresql = self._store.database.engine.dialect.name == "postgresql"
        return (DELETED_LATER, *([VACUUMED_LATER] if on_postgresql else ()), BACKUPS)


@dataclass
class Forgotten:
    """The runs that were open, and those that Temporal was told to delete."""

    terminated: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)


class Histories:
    """What Temporal keeps of cases."""

    def __init__(self, client: Client) -> None:
        self._client, self._places = client, asyncio.Semaphore(AT_ONCE)

    async def check(self) -> None:
        """Raises Unanswered where Temporal does not answer."""
        try:
            await self._client.count_workflows("WorkflowId = 'none'", rpc_timeout=PATIENCE)
        except RPCError as error:
            raise _unanswered(error) from error

    async def forget(self, runs: Mapping[str, set[str]]) -> Forgotten:
        """Have every run of these cases deleted, those given and those Temporal knows of; it ends what is open.

        Temporal keeps the order, and carries it out when it has time. Raises Unanswered.
        """
        done = Forgotten()
        asked: set[Run] = set()
        found = {(case_id, run_id) for case_id, of_case in runs.items() for run_id in of_case}
        try:
            while found := (found | await self._listed(list(runs)) | await self._latest(list(runs), done)) - asked:
                done.deleted |= {run_id for _, run_id in await self._deleted(found)}
                asked |= found
        except RPCError as error:
            raise _unanswered(error) from error
        return done

    async def _listed(self, case_ids: Sequence[str]) -> set[Run]:
        """The runs that Temporal's index knows of."""
        found = set()
        plain = [case_id for case_id in case_ids if PLAIN.fullmatch(case_id)]
        for some in (plain[n : n + TOGETHER] for n in range(0, len(plain), TOGETHER)):
            ids = ", ".join(f"'{case_workflow_id(case_id)}'" for case_id in some)
            async for run in self._client.list_workflows(f"WorkflowId IN ({ids})", rpc_timeout=PATIENCE):
                found.add((run.id.removeprefix(case_workflow_id("")), run.run_id))
        return found

    async def _latest(self, case_ids: Iterable[str], done: Forgotten) -> set[Run]:
        """The latest run of each case: the index may not know of it yet."""
        found = await asyncio.gather(*(self._describe(case_id, done) for case_id in case_ids))
        return {run for run in found if run}

    async def _describe(self, case_id: str, done: Forgotten) -> Run | None:
        latest = self._client.get_workflow_handle(case_workflow_id(case_id))
        async with self._places:
            run = await _unless_gone(latest.describe(rpc_timeout=PATIENCE))
        if run and run.status is WorkflowExecutionStatus.RUNNING:
            done.terminated.add(run.run_id)
        return (case_id, run.run_id) if run else None

    async def _deleted(self, runs: Iterable[Run]) -> set[Run]:
        """Delete runs; gives those that were there."""
        there = await asyncio.gather(*(self._delete(*run) for run in runs))
        return {run for run in there if run}

    async def _delete(self, case_id: str, run_id: str) -> Run | None:
        run = WorkflowExecution(workflow_id=case_workflow_id(case_id), run_id=run_id)
        request = DeleteWorkflowExecutionRequest(namespace=self._client.namespace, workflow_execution=run)
        async with self._places:
            deleting = self._client.workflow_service.delete_workflow_execution(request, timeout=PATIENCE)
            return (case_id, run_id) if await _unless_gone(deleting) is not None else None


async def _unless_gone(asking: Awaitable[T]) -> T | None:
    """What Temporal answers; None where there is no such run."""
    try:
        return await asking
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return None


def _unanswered(error: RPCError) -> Unanswered:
    return Unanswered(f"Temporal does not answer ({error.status.name}): see that it runs")


def _unfinished(receipt: ErasureReceipt, own: Sequence[str], why: str) -> ErasureReceipt:
    """The cases are marked, and nothing more is taken in about them; the rest is still to be done."""
    marked = f"{len(own)} cases are marked as erased and still lie in the store"
    return receipt.model_copy(update={"traces": Traces(cases=len(own)), "left": (f"{why}; {marked}",)})


def _now() -> datetime:
    return datetime.now(UTC)
