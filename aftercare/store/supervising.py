"""The rows of supervisors. Whoever counts or fires holds one: of each row of the matrix, one at a time does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from aftercare.store.database import Database
from aftercare.store.tables import SupervisorRow


@asynccontextmanager
async def held(database: Database, agent: str, trigger: str) -> AsyncIterator[tuple[AsyncSession, SupervisorRow]]:
    """One transaction that holds the row of a supervisor, which is made where there was none."""
    async with database.session() as session:
        if database.engine.dialect.name == "sqlite":
            # It locks no rows: whoever is going to write says so before reading, and is the only one.
            await (await session.connection()).exec_driver_sql("BEGIN IMMEDIATE")
        await database.add(session, [SupervisorRow(agent=agent, trigger=trigger)])
        whose = select(SupervisorRow).where(SupervisorRow.agent == agent, SupervisorRow.trigger == trigger)
        yield session, (await session.exec(whose.with_for_update())).one()
