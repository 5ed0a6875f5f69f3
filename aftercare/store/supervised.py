"""What supervisors have done, for those who look: by which book they checked, and when."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import col, select

from aftercare.store.database import Database
from aftercare.store.tables import BookRow, SupervisorRow


async def book_taken_last(database: Database, agent: str | None = None) -> BookRow | None:
    """The book of triggers that was last checked by; None where none was yet."""
    taken = select(BookRow).join(SupervisorRow, col(SupervisorRow.book) == col(BookRow.digest))
    if agent:
        taken = taken.where(col(SupervisorRow.agent) == agent)
    async with database.session() as session:
        return (await session.exec(taken.order_by(col(SupervisorRow.checked_at).desc()).limit(1))).first()


async def last_checks(database: Database) -> dict[tuple[str, str], datetime]:
    """When each row was last checked, by agent and trigger."""
    async with database.session() as session:
        found = await session.exec(select(SupervisorRow).where(col(SupervisorRow.checked_at).is_not(None)))
        return {(row.agent, row.trigger): row.checked_at for row in found if row.checked_at}
