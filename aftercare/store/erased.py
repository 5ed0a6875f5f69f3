"""Writers that may be late: what is written about a case after it was erased is taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from aftercare.store.database import Database
from aftercare.store.tables import CaseRow


class _TooLate(Exception):
    """The case was erased."""


async def erased(session: AsyncSession, case_id: str) -> bool:
    """Whether everything about the case's customer was erased. To be asked after the caller's own first write.

    Then nothing can slip in beside an erasure: SQLite has one writer at a time, and on PostgreSQL the erasure waits for
    whoever has asked.
    """
    gone = select(CaseRow.case_id).where(CaseRow.case_id == case_id, col(CaseRow.erased_at).is_not(None))
    return (await session.exec(gone)).first() is not None


@asynccontextmanager
async def unless_erased(database: Database, case_id: str) -> AsyncIterator[AsyncSession]:
    """One transaction about a case. Where the case was erased it is taken back, and nobody is told."""
    with suppress(_TooLate):
        async with database.session() as session:
            yield session
            if await erased(session, case_id):
                raise _TooLate
