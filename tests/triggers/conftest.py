"""A store with triggers, on each of the two databases."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from aftercare.store.database import Database
from tests.triggers.evidence import Desk


@pytest_asyncio.fixture(loop_scope="session")
async def desk(store_url: str) -> AsyncIterator[Desk]:
    """A desk with a store of its own."""
    database = Database(store_url)
    await database.migrate()
    yield Desk(database)
    await database.close()
