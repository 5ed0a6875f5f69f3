"""What the tests of reviews share: a store with cases to be judged, and a desk at which every case is drawn."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from activities.books import Books
from aftercare.gateway import Gateway
from aftercare.messages.case import Case
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.store.reviews import LABEL_ID, Reviews, audit_of
from aftercare.store.tables import FeedbackRow
from aftercare.systems.records import RecordsInMemory, Systems
from aftercare.temporal import DATA_CONVERTER
from tests.cases.desk import Desk, stopped_clock
from tests.commands.conftest import bare, terminal
from worker import case_worker

__all__ = ["bare", "terminal"]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ALL = 1.0


@pytest_asyncio.fixture(loop_scope="session")
async def cases(store_url: str) -> AsyncIterator[Cases]:
    """An empty store."""
    database = Database(store_url)
    await database.migrate()
    yield Cases(database)
    await database.close()


@pytest.fixture
def reviews(cases: Cases) -> Reviews:
    return Reviews(cases.database)


async def opened(cases: Cases, id: str, customer: str | None = None, agent: str = "shop") -> str:
    """A case that was drawn; the id of its item."""
    case = Case(id=id, agent=agent, domain="retail", customer=customer, intent="cancel", release="r1")
    await cases.register(case, "digest", NOW, audit_of(case, ALL, NOW))
    return f"audit/{id}"


async def ended(cases: Cases, id: str, customer: str | None = None, agent: str = "shop") -> str:
    """The same, once the agent's ending was audited."""
    item = await opened(cases, id, customer, agent)
    await cases.keep_findings(id, 1, [], "compliant")
    return item


async def label(cases: Cases, case_id: str) -> FeedbackRow | None:
    """The label of a case, where it has one."""
    async with cases.database.session() as session:
        return await session.get(FeedbackRow, (case_id, LABEL_ID))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def env() -> AsyncIterator[WorkflowEnvironment]:
    """A Temporal of our own, whose clocks stand still until a test moves them."""
    async with await stopped_clock(DATA_CONVERTER) as started:
        yield started


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def desk(env: WorkflowEnvironment, fresh_store: str) -> AsyncIterator[Desk]:
    """A worker that draws every case, a store, and a shop in memory."""
    database = Database(fresh_store)
    await database.migrate()
    kept, shop = Cases(database), RecordsInMemory()
    books, systems = Books(kept, waits={"verify_within": timedelta(minutes=1)}), Systems({"shop": shop})
    async with case_worker(env.client, kept, books, systems, audit_share=ALL):
        yield Desk(env, Gateway(env.client, kept), kept, shop)
    await database.close()
