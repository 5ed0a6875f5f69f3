"""What the tests of reports share: a store on each of the two databases."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from aftercare.store.cases import Cases
from aftercare.store.database import Database
from tests.reports.shelf import Shelf


@pytest_asyncio.fixture(loop_scope="session")
async def shelf(store_url: str) -> AsyncIterator[Shelf]:
    """An empty store, to put cases into."""
    database = Database(store_url)
    await database.migrate()
    yield Shelf(Cases(database))
    await database.close()
