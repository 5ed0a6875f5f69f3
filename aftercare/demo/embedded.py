"""Everything on one machine, for a run or a demo: Temporal, a store, a worker, and a shop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from temporalio.client import Client

from aftercare.demo.processes import TEMPORAL, ChildFailed, free_port, python, running
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.temporal import connect, register_search_attributes
from workflows.conventions import SEARCH_ATTRIBUTES

UI_PORT = 8233  # where people look for Temporal's UI on their own machine


@dataclass(frozen=True)
class Place:
    """Where everything is: what a run needs to reach Temporal, the store and the shop."""

    client: Client
    cases: Cases
    temporal: str
    database: str
    shop: str
    ui: str | None = None
    worker_env: dict[str, str] = field(default_factory=dict)


@asynccontextmanager
async def shop(data: Path) -> AsyncIterator[str]:
    """The demo shop as a process of its own; gives its address."""
    async with running("shop", *python("aftercare.demo.shop", "--data", str(data))) as child:
        yield await child.ready("listening on ")


@asynccontextmanager
async def embedded(folder: Path, data: Path, waits: dict[str, timedelta], ui: bool = False) -> AsyncIterator[Place]:
    """Temporal, store, shop and worker, each in a process of its own, for as long as the block lasts."""
    database = f"sqlite+aiosqlite:///{folder / 'aftercare.db'}"
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(shop(data))
        temporal, ui_port = await stack.enter_async_context(_temporal(ui))
        client = await _reach(temporal)
        await register_search_attributes(client, SEARCH_ATTRIBUTES)
        store = Database(database)
        stack.push_async_callback(store.close)
        await store.migrate()
        env = _worker_env(temporal, database, address, waits)
        worker = await stack.enter_async_context(running("worker", *python("worker"), env=env))
        await worker.ready("worker ready")
        yield Place(
            client=client,
            cases=Cases(store),
            temporal=temporal,
            database=database,
            shop=address,
            ui=f"http://127.0.0.1:{ui_port}" if ui else None,
            worker_env=env,
        )


@asynccontextmanager
async def _temporal(ui: bool) -> AsyncIterator[tuple[str, int]]:
    port, ui_port = free_port(), free_port(UI_PORT)
    shown = ("--ui-port", str(ui_port)) if ui else ("--headless",)
    command = (TEMPORAL, "server", "start-dev", "--ip", "127.0.0.1", "--port", str(port), *shown)
    async with running("temporal", *command, "--log-level", "never"):
        yield f"127.0.0.1:{port}", ui_port


async def _reach(address: str) -> Client:
    for _ in range(300):
        try:
            return await connect(address)
        except RuntimeError:
            await asyncio.sleep(0.1)
    raise ChildFailed(f"the embedded Temporal does not answer at {address}")


def _worker_env(temporal: str, database: str, shop: str, waits: dict[str, timedelta]) -> dict[str, str]:
    return {
        "TEMPORAL_ADDRESS": temporal,
        "AFTERCARE_DATABASE": database,
        "AFTERCARE_SYSTEMS": json.dumps({"shop": f"{shop}/copies/{{environment}}"}),
        **{f"AFTERCARE_{name.upper()}": f"PT{wait.total_seconds():g}S" for name, wait in waits.items()},
    }
