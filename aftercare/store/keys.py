"""API keys in the store: made once, shown once, revoked for good."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import col, select

from aftercare.store.database import Database
from aftercare.store.tables import KeyRow


class KeyStore:
    """The keys of a deployment. A secret is never here, only its digest."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, row: KeyRow) -> None:
        """Keep a key that was just made."""
        await self._database.write(row)

    async def find(self, id: str) -> KeyRow | None:
        """A key by its id, revoked or not."""
        async with self._database.session() as session:
            return await session.get(KeyRow, id)

    async def all(self) -> list[KeyRow]:
        """Every key there ever was, oldest first."""
        async with self._database.session() as session:
            return list(await session.exec(select(KeyRow).order_by(col(KeyRow.created_at))))

    async def revoke(self, id: str, at: datetime) -> KeyRow | None:
        """Revoke a key; the first time stands. None where there is no such key."""
        async with self._database.session() as session:
            row = await session.get(KeyRow, id)
            if row and row.revoked_at is None:
                row.revoked_at = at
                session.add(row)
            return row
