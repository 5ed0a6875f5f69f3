"""A desk as the tests of a case have, on a Temporal that is only ever told ciphertext."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from activities.books import Books
from aftercare.codec import EncryptionCodec, Keys, new_key
from aftercare.gateway import Gateway
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.systems.records import RecordsInMemory, Systems
from aftercare.temporal import data_converter, workflow_runner
from tests.cases.desk import Desk, stopped_clock
from worker import case_worker

CODEC = EncryptionCodec(Keys.from_text(new_key("k1")))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def env() -> AsyncIterator[WorkflowEnvironment]:
    """A Temporal whose clocks stand still until a test moves them, and a client with the codec."""
    async with await stopped_clock(data_converter(CODEC)) as started:
        yield started


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def desk(env: WorkflowEnvironment, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """Everything a case needs, with the policy's own waits, but for effects, which must show within a minute."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('codec') / 'store.db'}")
    await database.migrate()
    cases, shop = Cases(database), RecordsInMemory()
    books, systems = Books(cases, waits={"verify_within": timedelta(minutes=1)}), Systems({"shop": shop})
    async with case_worker(env.client, cases, books, systems, runner=workflow_runner()):
        yield Desk(env, Gateway(env.client, cases), cases, shop)
    await database.close()
