"""What the tests of the command line share: a desk as the tests of a case have, and a way to type commands at it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.testing import TimeSkippingConfig, WorkflowEnvironment

from activities.books import Books
from aftercare.cli import command
from aftercare.demo.processes import TEMPORAL
from aftercare.gateway import Gateway
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.systems.records import RecordsInMemory, Systems
from aftercare.temporal import DATA_CONVERTER, register_search_attributes
from tests.cases.desk import Desk
from worker import case_worker
from workflows.conventions import SEARCH_ATTRIBUTES

SKIPPING = ("--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true")
UNATTENDED = "unattended"  # a namespace in which no worker runs
ODD = "odd"  # another, whose search attributes a test may spoil
NOBODY = "127.0.0.1:1"  # nothing ever answers at this address


@dataclass
class Said:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on the standard output."""
        return json.loads(self.out)


class Terminal:
    """Types commands, in this process, at a deployment given by the environment."""

    def __init__(self, capsys: pytest.CaptureFixture[str], env: pytest.MonkeyPatch, folder: Path) -> None:
        self._capsys, self.env, self.folder = capsys, env, folder

    async def types(self, *arguments: object) -> Said:
        """Run one command."""
        self._capsys.readouterr()
        code = await command([str(a) for a in arguments])
        told = self._capsys.readouterr()
        return Said(code, told.out, told.err)

    def file(self, content: object) -> Path:
        """A file of JSON."""
        path = self.folder / "typed.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        return path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """A Temporal whose clocks stand still until a test moves them, a worker, a store, and a shop in memory."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('commands') / 'store.db'}")
    await database.migrate()
    cases, shop = Cases(database), RecordsInMemory()
    books, systems = Books(cases, waits={"verify_within": timedelta(minutes=1)}), Systems({"shop": shop})
    async with (
        await WorkflowEnvironment.start_time_skipping_v2(
            ts_config=TimeSkippingConfig(enabled=False),
            dev_server_existing_path=TEMPORAL,
            dev_server_extra_args=[*SKIPPING, "--namespace", UNATTENDED, "--namespace", ODD],
            dev_server_log_level="never",
            search_attributes=list(SEARCH_ATTRIBUTES),
            data_converter=DATA_CONVERTER,
            identity="tests",
        ) as env,
        case_worker(env.client, cases, books, systems),
    ):
        aside = await Client.connect(env.client.service_client.config.target_host, namespace=UNATTENDED)
        await register_search_attributes(aside, SEARCH_ATTRIBUTES)
        yield Desk(env, Gateway(env.client, cases), cases, shop)
    await database.close()


@pytest.fixture
def bare(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Terminal:
    """A terminal where nothing runs: no Temporal, no store."""
    for name in ("DATABASE", "SYSTEMS", "POLICIES", "BUILD_ID", "WATCH", "VERIFY_WITHIN", "RESOLVE_WITHIN"):
        monkeypatch.delenv(f"AFTERCARE_{name}", raising=False)
    monkeypatch.setenv("AFTERCARE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TEMPORAL_ADDRESS", NOBODY)
    return Terminal(capsys, monkeypatch, tmp_path)


@pytest.fixture
def terminal(bare: Terminal, desk: Desk) -> Terminal:
    """A terminal at the desk."""
    bare.env.setenv("TEMPORAL_ADDRESS", desk.env.client.service_client.config.target_host)
    bare.env.setenv("AFTERCARE_DATABASE", desk.cases.database.url)
    return bare
