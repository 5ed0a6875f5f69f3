"""What the tests of supervisors share: a Temporal that skips time, a worker, a store, a small book of triggers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from aftercare.store.database import Database
from aftercare.temporal import DATA_CONVERTER, workflow_runner
from tests.cases.desk import stopped_clock
from tests.improvement.bench import BOOK, Bench, bench_on
from worker import improvement_worker


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def env() -> AsyncIterator[WorkflowEnvironment]:
    """A Temporal of our own, whose clocks stand still until a test moves them."""
    async with await stopped_clock(DATA_CONVERTER) as started:
        yield started


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def bench(
    env: WorkflowEnvironment, fresh_store: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Bench]:
    """Everything supervisors need; the preparing of improvements fails or lasts where a test says so."""
    database = Database(fresh_store)
    await database.migrate()
    folder: Path = tmp_path_factory.mktemp("policies")
    (folder / "triggers.yaml").write_text(BOOK)
    made = bench_on(env, database, folder)
    async with improvement_worker(env.client, made.does(), runner=workflow_runner()):
        yield made
        await made.end()
    await database.close()
