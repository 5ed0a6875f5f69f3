"""Holding messages: those that come at the same time are committed together, and each is told what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from aftercare.store.database import Database
from aftercare.store.tables import CaseRow, EvidenceRow

MOST = 100


class Erased(ValueError):
    """Everything about this case's customer was erased; nothing more is taken in. Final."""


Held = EvidenceRow | Erased


async def hold_rows(database: Database, session: AsyncSession, rows: Sequence[EvidenceRow]) -> list[Held]:
    """Insert messages in a transaction of the caller's; gives for each the row that is there under its id.

    Erased in its place says that its case was erased, and that the message was not inserted.
    """
    erased = select(CaseRow.case_id).where(
        col(CaseRow.case_id).in_({row.case_id for row in rows}), col(CaseRow.erased_at).is_not(None)
    )
    gone = set(await session.exec(erased))
    await database.add(session, [row for row in rows if row.case_id not in gone])
    there = await _there(session, rows)
    told = "case {!r} was erased with its customer; nothing more is taken in about it"
    return [Erased(told.format(r.case_id)) if r.case_id in gone else there[r.case_id, r.id] for r in rows]


async def _there(session: AsyncSession, rows: Sequence[EvidenceRow]) -> dict[tuple[str, str], EvidenceRow]:
    """What lies under the ids of these rows now: what was just inserted is not read again."""
    mine = {(row.case_id, row.id): row for row in reversed(rows)}
    brief = select(EvidenceRow.case_id, EvidenceRow.id, EvidenceRow.digest, EvidenceRow.at).where(_under(mine))
    found = await session.exec(brief)
    new = {(c, i) for c, i, digest, at in found if (mine[c, i].digest, mine[c, i].at) == (digest, at)}
    if len(new) < len(mine):
        earlier = select(EvidenceRow).where(_under(key for key in mine if key not in new))
        mine |= {(row.case_id, row.id): row for row in await session.exec(earlier)}
    return mine


def _under(keys: Iterable[tuple[str, str]]) -> ColumnElement[bool]:
    """One of these keys. SQLite reads the whole table for `(case_id, id) IN (...)`, and the index for this."""
    case_id, id = col(EvidenceRow.case_id), col(EvidenceRow.id)
    return or_(*((case_id == one) & (id == other) for one, other in keys))


class Together:
    """One transaction at a time; what comes meanwhile shares the next one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[tuple[EvidenceRow, asyncio.Future[EvidenceRow]]] = []
        self._committing: asyncio.Task[None] | None = None

    async def hold(self, row: EvidenceRow) -> EvidenceRow:
        """Commit a message; gives the row that is there under its id. Raises Erased."""
        told: asyncio.Future[EvidenceRow] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, told))
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit())
        return await told

    async def _commit(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                for (_, told), there in zip(batch, await self._held([row for row, _ in batch]), strict=True):
                    if told.done():  # whoever asked has gone
                        continue
                    if isinstance(there, BaseException):
                        told.set_exception(there)
                    else:
                        told.set_result(there)
        finally:
            self._committing = None

    async def _held(self, rows: list[EvidenceRow]) -> Sequence[EvidenceRow | BaseException]:
        try:
            async with self._database.session() as session:
                return await hold_rows(self._database, session, rows)
        except Exception as error:  # each of them hears that nothing of theirs was kept
            return [error] * len(rows)
