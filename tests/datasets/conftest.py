"""A store to put cases into, on each of the two databases."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from aftercare.store.cases import Cases
from aftercare.store.database import Database
from tests.datasets.shelf import Shelf


@pytest_asyncio.fixture(loop_scope="session")
async def shelf(store_url: str) -> AsyncIterator[Shelf]:
    """An empty store."""
    database = Database(store_url)
    await database.migrate()
    yield Shelf(Cases(database))
    await database.close()
