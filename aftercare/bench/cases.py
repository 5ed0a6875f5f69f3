"""`aftercare bench cases`: whole cases a second, beside a bare workflow that asks the same of the same server."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table
from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy

from aftercare.bench.bare import BareCase
from aftercare.bench.orders import reported
from aftercare.demo.embedded import temporal_server
from aftercare.demo.processes import Child, python, running
from aftercare.gateway import Gateway
from aftercare.lifecycle.digest import digest_of, held_of
from aftercare.messages.case import CaseInput
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.store.inbox import message_row
from aftercare.temporal import connect, register_search_attributes
from workflows.conventions import SEARCH_ATTRIBUTES

BAR = 0.9
AT_ONCE = 40


@dataclass(frozen=True)
class Round:
    """Some cases played to their end: how many a second, and the worker's processor time for each, in ms."""

    per_second: float
    cpu_ms: float


@dataclass
class Bench:
    """A server, a store, and two workers: one with the case's workflow, one with the bare one."""

    client: Client
    cases: Cases
    workers: dict[str, Child]
    rounds: int = 0

    async def round(self, kind: str, number: int) -> Round:
        """So many cases of a kind, at most so many at a time."""
        self.rounds += 1
        places, play = asyncio.Semaphore(AT_ONCE), self._case if kind == "cases" else self._bare
        cpu, begun = await self._cpu(kind), time.perf_counter()

        async def one(id: str) -> None:
            async with places:
                await play(id)

        await asyncio.gather(*(one(f"{kind}-{self.rounds}-{n}") for n in range(number)))
        took, used = time.perf_counter() - begun, await self._cpu(kind) - cpu
        return Round(per_second=number / took, cpu_ms=used / number * 1_000)

    async def _case(self, id: str) -> None:
        gateway = Gateway(self.client, self.cases)
        await gateway.report(reported(id))
        await gateway.handle(id).result()

    async def _bare(self, id: str) -> None:
        """The same writes and the same call, by hand."""
        report = reported(id)
        brief = report.model_copy(update={"steps": (), "held": held_of(report.steps)})
        body, digest = brief.model_dump(mode="json"), digest_of(brief)
        row = await self.cases.inbox.hold(
            message_row(id, report.id, "report", body, digest, datetime.now(UTC)), report.steps
        )
        start = WithStartWorkflowOperation(
            BareCase.run,
            CaseInput(case_id=id),
            id=f"case/{id}",
            task_queue="bare",
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        await self.client.execute_update_with_start_workflow(
            BareCase.report, brief, id=digest[:16], start_workflow_operation=start
        )
        await self.cases.inbox.delivered(row)
        await (await start.workflow_handle()).result()

    async def _cpu(self, kind: str) -> float:
        """The processor time a worker has used, in seconds."""
        worker = self.workers[kind]
        await worker.tell("cpu")
        return float((await anext(worker.events()))["cpu"])


async def measure(console: Console, quick: bool) -> dict[str, Any]:
    """Pairs of rounds, one of each kind, in alternating order; the ratio is the median of the pairs' ratios."""
    pairs, number = (3, 40) if quick else (5, 120)
    with console.status("Playing cases ..."):
        async with _bench() as bench:
            for kind in ("cases", "bare"):  # warm both
                await bench.round(kind, AT_ONCE)
            taken: list[dict[str, Round]] = []
            for pair in range(pairs):
                kinds = ("cases", "bare") if pair % 2 else ("bare", "cases")
                taken.append({kind: await bench.round(kind, number) for kind in kinds})
    ratios = [pair["cases"].per_second / pair["bare"].per_second for pair in taken]
    return {
        "cases_per_round": number,
        "at_once": AT_ONCE,
        "pairs": [{kind: vars(round) for kind, round in pair.items()} for pair in taken],
        "ratios": ratios,
        "ratio": median(ratios),
        "bar": BAR,
        "cpu_ms_per_case": {kind: median(pair[kind].cpu_ms for pair in taken) for kind in ("cases", "bare")},
        "kept": median(ratios) >= BAR,
    }


def show(figures: dict[str, Any], console: Console) -> None:
    """Pair by pair, and the ratio beside its bar."""
    table = Table("Pair", title="Whole cases a second, beside a bare workflow", title_justify="left")
    for column in ("cases/s", "bare/s", "ratio", "worker ms/case", "bare ms/case"):
        table.add_column(column, justify="right")
    for number, (pair, ratio) in enumerate(zip(figures["pairs"], figures["ratios"], strict=True), 1):
        case, bare = pair["cases"], pair["bare"]
        cells = (case["per_second"], bare["per_second"], ratio, case["cpu_ms"], bare["cpu_ms"])
        table.add_row(str(number), *(f"{value:.2f}" for value in cells))
    console.print(table)
    told = "kept" if figures["kept"] else "[red]missed[/red]"
    console.print(f"ratio {figures['ratio']:.2f} (median), bar {BAR}: {told}")


@asynccontextmanager
async def _bench() -> AsyncIterator[Bench]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aftercare-bench-")))
        server = await stack.enter_async_context(temporal_server(folder, ui=False))
        client = await connect(server.address)
        await register_search_attributes(client, SEARCH_ATTRIBUTES)
        store = Database(f"sqlite+aiosqlite:///{folder / 'aftercare.db'}")
        stack.push_async_callback(store.close)
        await store.migrate()
        at = ("--temporal", server.address, "--database", store.url)
        workers = {}
        for kind in ("cases", "bare"):
            command = python("aftercare.bench.worker", *at, "--queue", kind)
            workers[kind] = await stack.enter_async_context(running(kind, *command))
            await workers[kind].ready("{")
        yield Bench(client, Cases(store), workers)
