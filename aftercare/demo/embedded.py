"""Everything on one machine, for a run or a demo: Temporal, a store, a worker, a shop for each line of business."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from temporalio.client import Client

from aftercare.demo.client import client_at
from aftercare.demo.processes import TEMPORAL, Child, ChildFailed, Kept, free_port, kept, python, running
from aftercare.demo.shops import system_addresses
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.temporal import register_search_attributes
from workflows.conventions import SEARCH_ATTRIBUTES

HERE = "127.0.0.1"
UI_PORT = 8233  # where people look for Temporal's UI on their own machine


@dataclass(frozen=True)
class Place:
    """Where everything is: what a run needs to reach Temporal, the store, and the shop of each line of business."""

    client: Client
    cases: Cases
    temporal: str
    database: str
    shops: Mapping[str, str]
    ui: str | None = None
    worker: Kept | None = None
    server: Kept | None = None
    api: Kept | None = None
    api_address: str = ""


@asynccontextmanager
async def shop(domain: str, data: Path) -> AsyncIterator[str]:
    """The demo shop of a line of business as a process of its own; gives its address."""
    command = python("aftercare.demo.shop", "--domain", domain, "--data", str(data))
    async with running(f"the {domain} shop", *command) as child:
        yield await child.ready("listening on ")


@dataclass(frozen=True)
class Ports:
    """The ports that are wished for; others are taken where these are not free, or 0."""

    temporal: int = 0
    ui: int = UI_PORT
    api: int = 0


@asynccontextmanager
async def embedded(
    folder: Path,
    data: Mapping[str, Path],
    waits: dict[str, timedelta],
    ui: bool = False,
    api: bool = False,
    database: str = "",
    ports: Ports = Ports(),
    more_env: Mapping[str, str] | None = None,
) -> AsyncIterator[Place]:
    """Temporal, store, worker, and a shop for each line of business that has data, each in a process of its own.

    With `api` the HTTP API too, to which everybody on this machine is an admin. `database` is the store's address,
    where it is not to lie in the folder; `more_env` further settings of worker and API.
    """
    database = database or f"sqlite+aiosqlite:///{folder / 'aftercare.db'}"
    api_port = free_port(ports.api) if api else 0
    async with AsyncExitStack() as stack:
        shops = {domain: await stack.enter_async_context(shop(domain, path)) for domain, path in data.items()}
        server = await stack.enter_async_context(temporal_server(folder, ui, ports, api_port))
        client = await _reach(server.address)
        await register_search_attributes(client, SEARCH_ATTRIBUTES)
        store = Database(database)
        stack.push_async_callback(store.close)
        await store.migrate()
        env = _worker_env(server.address, database, shops, waits) | dict(more_env or {})
        worker = await stack.enter_async_context(kept("worker", *python("worker"), ready=_worker_ready, env=env))
        serve = python("aftercare", "api", "--without-keys", "--port", str(api_port))
        serving = await stack.enter_async_context(kept("api", *serve, ready=_api_ready, env=env)) if api else None
        yield Place(
            client=client,
            cases=Cases(store),
            temporal=server.address,
            database=database,
            shops=shops,
            ui=server.ui,
            worker=worker,
            server=server.kept,
            api=serving,
            api_address=f"http://{HERE}:{api_port}" if api else "",
        )


@dataclass(frozen=True)
class Server:
    """A Temporal on this machine, whose histories outlive it: it may be killed and started again."""

    address: str
    ui: str | None
    kept: Kept


@asynccontextmanager
async def temporal_server(
    folder: Path,
    ui: bool,
    ports: Ports = Ports(),
    api_port: int = 0,
) -> AsyncIterator[Server]:
    """A Temporal whose histories lie in the folder. With an API, its UI has encrypted payloads opened there."""
    port, ui_port = free_port(ports.temporal), free_port(ports.ui)
    address = f"{HERE}:{port}"
    opened = ("--ui-codec-endpoint", f"http://{HERE}:{api_port}/v1/codec") if api_port else ()
    shown = ("--ui-port", str(ui_port), *opened) if ui else ("--headless",)
    kept_in = ("--db-filename", str(folder / "temporal.db"))
    command = (TEMPORAL, "server", "start-dev", "--ip", HERE, "--port", str(port), *kept_in, *shown)

    async def answers(_: Child) -> None:
        await _reach(address)

    async with kept("temporal", *command, "--log-level", "never", ready=answers) as server:
        yield Server(address, f"http://{HERE}:{ui_port}" if ui else None, server)


async def _api_ready(child: Child) -> None:
    await child.ready("api ready")


async def _worker_ready(child: Child) -> None:
    await child.ready("worker ready")


async def _reach(address: str) -> Client:
    for _ in range(300):
        try:
            return await client_at(address)
        except RuntimeError:
            await asyncio.sleep(0.1)
    raise ChildFailed(f"the embedded Temporal does not answer at {address}")


def _worker_env(temporal: str, database: str, shops: Mapping[str, str], waits: dict[str, timedelta]) -> dict[str, str]:
    return {
        "TEMPORAL_ADDRESS": temporal,
        "AFTERCARE_DATABASE": database,
        "AFTERCARE_SYSTEMS": json.dumps(system_addresses(shops)),
        **{f"AFTERCARE_{name.upper()}": f"PT{wait.total_seconds():g}S" for name, wait in waits.items()},
    }
