"""A desk for the tests of a case: a real Temporal that skips time, a worker, a store, and a shop in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from activities.books import Books
from activities.measuring import Measures
from aftercare.gateway import Gateway
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.systems.records import RecordsInMemory, Systems
from aftercare.temporal import DATA_CONVERTER, workflow_runner
from tests.cases.desk import Desk, stopped_clock
from worker import case_worker

# What is sent to a case and stored is tried on both databases; what a story makes of it is the same on either.
ON_BOTH = {"test_inbox", "test_overrides", "test_measured", "test_signals"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the second database where only the story is asked about."""
    here = Path(__file__).parent
    once = [i for i in items if i.path.parent == here and i.path.stem not in ON_BOTH and "postgresql" in i.name]
    if once:
        config.hook.pytest_deselected(items=once)
        items[:] = [item for item in items if item not in once]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def env() -> AsyncIterator[WorkflowEnvironment]:
    """A Temporal of our own, whose clocks stand still until a test moves them."""
    async with await stopped_clock(DATA_CONVERTER) as started:
        yield started


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def desk(env: WorkflowEnvironment, fresh_store: str) -> AsyncIterator[Desk]:
    """Everything a case needs, with the policy's own waits, but for effects, which must show within a minute."""
    database = Database(fresh_store)
    await database.migrate()
    cases, shop = Cases(database), RecordsInMemory()
    books, systems = Books(cases, waits={"verify_within": timedelta(minutes=1)}), Systems({"shop": shop})
    measures = Measures(survey_open_for=timedelta(days=14))
    async with case_worker(env.client, cases, books, systems, runner=workflow_runner(), measures=measures):
        yield Desk(env, Gateway(env.client, cases), cases, shop)
    await database.close()
