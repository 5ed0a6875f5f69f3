"""Where the store lives: one async engine per database URL, migrated before it is used."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Table, case, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


class Database:
    """The store's database. SQLite in WAL mode lets the worker and the doors write side by side."""

    def __init__(self, url: str) -> None:
        self.url = url
        if (name := make_url(url).database) and url.startswith("sqlite"):
            Path(name).expanduser().parent.mkdir(parents=True, exist_ok=True)
        # An error of the database must not carry a customer's words into logs and histories.
        self.engine: AsyncEngine = create_async_engine(url, hide_parameters=True, pool_pre_ping=True)
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)

    async def migrate(self) -> None:
        """Bring the schema to the newest numbered migration."""
        async with self.engine.begin() as connection:
            await connection.run_sync(_upgrade)

    async def close(self) -> None:
        """Let go of every connection."""
        await self.engine.dispose()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed at the end of the block, or not at all."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    async def write(self, *rows: SQLModel) -> None:
        """Insert the rows, or replace those with the same natural key, all in one transaction."""
        async with self.session() as session:
            await self.put(session, rows)

    async def put(
        self, session: AsyncSession, rows: Sequence[SQLModel], keeping: Collection[str] = frozenset(), by: str = ""
    ) -> None:
        """The same within a transaction of the caller's; `keeping` are columns that stay as they were.

        `by` names the column whose change lets these be replaced too.
        """
        connection = await session.connection()
        for table, values in _by_table(rows):
            await connection.execute(self._replacing(table, keeping, by), values)

    async def add(self, session: AsyncSession, rows: Sequence[SQLModel]) -> None:
        """Insert the rows whose natural key is not there yet."""
        connection = await session.connection()
        for table, values in _by_table(rows):
            await connection.execute(_INSERT[self.engine.dialect.name](table).on_conflict_do_nothing(), values)

    async def add_one(self, session: AsyncSession, row: SQLModel) -> bool:
        """Insert a row; False where its natural key is there already."""
        ((table, values),) = _by_table([row])
        insert = _INSERT[self.engine.dialect.name](table).values(values[0]).on_conflict_do_nothing()
        return bool((await (await session.connection()).execute(insert)).rowcount)

    def _replacing(self, table: Table, keeping: Collection[str], by: str) -> Any:
        """One statement for any number of rows: building and compiling one for each is what costs."""
        insert = _INSERT[self.engine.dialect.name](table)
        keys = [column.name for column in table.primary_key.columns]
        changed = {c.name: insert.excluded[c.name] for c in table.columns if c.name not in {*keys, *keeping}}
        if by:
            same = table.c[by].is_not_distinct_from(insert.excluded[by])
            changed |= {name: case((same, table.c[name]), else_=insert.excluded[name]) for name in keeping}
        return insert.on_conflict_do_update(index_elements=keys, set_=changed)


def _by_table(rows: Sequence[SQLModel]) -> Iterator[tuple[Table, list[dict[str, Any]]]]:
    for kind in dict.fromkeys(type(row) for row in rows):
        table: Table = kind.__table__  # type: ignore[attr-defined]
        yield table, [{c.name: getattr(row, c.name) for c in table.columns} for row in rows if type(row) is kind]


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's settings, with no file of their own."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


# Workers that start together migrate one after the other.
_LOCK = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "SELECT pg_advisory_xact_lock(20261123)"}


def _upgrade(connection: Connection) -> None:
    connection.exec_driver_sql(_LOCK[connection.dialect.name])
    command.upgrade(alembic_config(connection), "head")
