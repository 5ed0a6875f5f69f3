"""What all tests share: a store's address, on each of the two databases."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from aftercare.demo import postgres

_numbers = itertools.count(1)
Urls = Callable[[], str]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """A running PostgreSQL's address, up to the name of the database."""
    found = postgres.binaries()
    if found is None:
        pytest.skip(postgres.MISSING)
    with postgres.running(found) as address:
        yield address


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
async def fresh_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of an empty database, on each kind in turn; the whole session of a kind shares it."""
    return await new_store(request, tmp_path_factory)


@pytest.fixture(params=["sqlite", "postgresql"])
async def store_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same, for one test alone."""
    return await new_store(request, tmp_path_factory)


async def new_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A new, empty database of the kind a fixture asks for."""
    if request.param == "sqlite":
        folder: Path = tmp_path_factory.mktemp("store")
        return f"sqlite+aiosqlite:///{folder / 'new' / 'store.db'}"
    address: str = request.getfixturevalue("postgresql")
    name = f"store_{next(_numbers)}"
    engine = create_async_engine(address.format(name="postgres"), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    await engine.dispose()
    return address.format(name=name)
