"""Erasing a customer in the store: mark the cases, scrub every table, leave nothing behind in a file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from aftercare.messages.case import Case
from aftercare.messages.erasure import ErasedDataset, ErasureReceipt, Traces
from aftercare.messages.work import Standing
from aftercare.store.database import Database
from aftercare.store.mentions import TABLES
from aftercare.store.scrubbing import Scrubbing, cases_of, reduce_late
from aftercare.store.tables import ErasureRow

TRIES = 3
CASES, EVIDENCE, OUTBOX, SETTLEMENT = (TABLES[name] for name in ("support_case", "evidence", "outbox", "settlement"))
# What an overwritten row held is zeroed in the file, and nobody else writes until the end.
# On PostgreSQL whoever is just freezing a dataset is waited for, before any row is locked.
_ALONE = {
    "sqlite": ("PRAGMA secure_delete = ON", "BEGIN IMMEDIATE"),
    "postgresql": ("LOCK TABLE erasure IN ROW EXCLUSIVE MODE",),
}
PATIENCE = timedelta(seconds=10)  # with whoever holds the cases on PostgreSQL; on SQLite it is the busy timeout


class StoreBusy(Exception):
    """Somebody holds the cases for too long; nothing was changed."""


class Erasing:
    """The erasures in the store."""

    def __init__(self, database: Database, patience: timedelta = PATIENCE) -> None:
        self.database, self._kind = database, database.engine.dialect.name
        # Whoever has asked whether a case is erased, and been told no, is waited for.
        wait = f"SET LOCAL lock_timeout = {patience // timedelta(milliseconds=1)}"
        self._after_all = (wait, "LOCK TABLE support_case") if self._kind == "postgresql" else ()

    async def mark(self, customer: str, at: datetime) -> list[str]:
        """Mark the customer's cases as erased, so that nothing more is taken in about them; gives their ids.

        What waits to be delivered or sent about them goes at once. Marked again they are given again, until `scrub`.
        Raises StoreBusy.
        """
        try:
            async with self._alone(*self._after_all) as connection:
                return await _mark(connection, customer, at)
        except DBAPIError as error:
            if "lock" not in str(error.orig).lower():
                raise
            raise StoreBusy("the store is busy: a long query reads the cases") from error

    async def scrub(self, customer: str, known: Sequence[str], receipt: Callable[[Traces], ErasureReceipt]) -> Traces:
        """Take the person out of every table, and commit the receipt with it."""
        scrubbing = await self._looked(customer, known)
        async with self._alone() as connection:
            traces = await scrubbing.carry_out(connection)
            row = _row(receipt(traces))
            await connection.execute(insert(TABLES["erasure"]).values(**row.model_dump()))
            return traces

    async def scrub_late(self, case_ids: Sequence[str]) -> tuple[ErasedDataset, ...]:
        """The same for these cases alone: a message that was being held while they were marked came after all."""
        async with self._alone() as connection:
            return await reduce_late(connection, case_ids)

    async def preview(self, customer: str, known: Sequence[str], at: datetime) -> Traces:
        """What an erasure would find; nothing is changed."""
        scrubbing = await self._looked(customer, known)
        async with self._alone() as connection:
            await _mark(connection, customer, at)
            traces = await scrubbing.carry_out(connection)
            await connection.rollback()
            return traces

    async def runs(self, case_ids: Sequence[str]) -> Mapping[str, set[str]]:
        """The runs of each case that have settled."""
        asked = select(SETTLEMENT.c.case_id, SETTLEMENT.c.run_id).where(SETTLEMENT.c.case_id.in_(case_ids))
        runs: dict[str, set[str]] = {case_id: set() for case_id in case_ids}
        async with self.database.engine.connect() as connection:
            for row in await connection.execute(asked):
                runs[row.case_id].add(row.run_id)
        return runs

    async def compact(self) -> bool:
        """Leave nothing of what was erased in SQLite's files; whether that could be done. True on PostgreSQL."""
        if self._kind != "sqlite":
            return True
        async with self.database.engine.connect() as connection:
            bare = await connection.execution_options(isolation_level="AUTOCOMMIT")
            try:
                await bare.execute(text("VACUUM"))
            except OperationalError:  # somebody held it for longer than the busy timeout
                return False
            for _ in range(TRIES):
                busy = (await bare.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))).one()[0]
                if not busy:
                    return True
        return False

    async def keep(self, receipt: ErasureReceipt) -> None:
        """Write a receipt down, or what became of it."""
        await self.database.write(_row(receipt))

    async def receipt(self, id: str) -> ErasureReceipt | None:
        """An earlier receipt."""
        async with self.database.session() as session:
            row = await session.get(ErasureRow, id)
        return ErasureReceipt.model_validate(row.erased) if row else None

    async def _looked(self, customer: str, known: Sequence[str]) -> Scrubbing:
        scrubbing = Scrubbing(customer, known)
        async with self.database.engine.connect() as connection:
            await scrubbing.look(connection)
        return scrubbing

    @asynccontextmanager
    async def _alone(self, *first: str) -> AsyncIterator[AsyncConnection]:
        async with self.database.engine.begin() as connection:
            for statement in (*_ALONE[self._kind], *first):
                await connection.exec_driver_sql(statement)
            yield connection


def _row(receipt: ErasureReceipt) -> ErasureRow:
    return ErasureRow(id=receipt.id, at=receipt.at, by=receipt.by, erased=receipt.model_dump(mode="json"))


async def _mark(connection: AsyncConnection, customer: str, at: datetime) -> list[str]:
    await _write_down_unopened(connection, customer, at)
    theirs = CASES.c.customer == customer
    await connection.execute(update(CASES).where(theirs, CASES.c.erased_at.is_(None)).values(erased_at=at))
    own = select(CASES.c.case_id).where(theirs)
    held = EVIDENCE.c.standing.in_([Standing.WAITING, Standing.ORPHAN])
    await connection.execute(EVIDENCE.delete().where(held, EVIDENCE.c.case_id.in_(own)))
    queued = (OUTBOX.c.standing == "waiting") & OUTBOX.c.case_id.in_(own)
    await connection.execute(update(OUTBOX).where(queued).values(standing="dropped"))
    return await cases_of(connection, customer)


async def _write_down_unopened(connection: AsyncConnection, customer: str, at: datetime) -> None:
    """A registration that no worker has taken up is in the inbox alone: its case is written down to be marked."""
    untaken = EVIDENCE.c.standing != Standing.DELIVERED
    unopened = untaken & EVIDENCE.c.case_id.not_in(select(CASES.c.case_id))
    kinds = EVIDENCE.c.kind.in_(["registration", "report"])
    found = await connection.execute(select(EVIDENCE.c.case_id, EVIDENCE.c.body, EVIDENCE.c.at).where(unopened, kinds))
    told = {row.case_id: (case, row.at) for row in found if (case := _case(row.body)) and case.customer == customer}
    for case_id, (case, came) in told.items():
        row: dict[str, Any] = {
            **case.model_dump(include={"agent", "domain", "release", "intent", "handled_by", "customer"}),
            "case_id": case_id,
            "book": "",
            "opened_at": case.opened_at or came,
            "body": case.model_dump(mode="json"),
            "stage": "resolving",
        }
        await connection.execute(insert(CASES).values(**row))


def _case(body: Any) -> Case | None:
    try:
        return Case.model_validate(body.get("case", body))
    except (ValidationError, AttributeError):
        return None
