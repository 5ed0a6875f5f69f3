"""Books as they came into force: the newest of a domain."""

from __future__ import annotations

from sqlmodel import col, select

from aftercare.store.database import Database
from aftercare.store.tables import BookRow


async def newest_book(database: Database, domain: str) -> BookRow | None:
    """The book of a domain that was taken into force last."""
    kept = select(BookRow).where(BookRow.domain == domain).order_by(col(BookRow.stored_at).desc()).limit(1)
    async with database.session() as session:
        return (await session.exec(kept)).first()
