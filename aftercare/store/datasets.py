"""Datasets: what a firing claimed, frozen once, with an account of every piece.

Rows are staged under a name of the attempt's own, some at a time, and become the dataset all at once. An erasure that
comes meanwhile leaves its receipt: whoever has read before it and writes after it starts anew.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, bindparam, collate, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel, col
from sqlmodel import select as select_rows

from aftercare.learning.datasets.freezing import Account, Row, counted, digest_of_rows
from aftercare.learning.datasets.material import Claimed, Material, Unreadable
from aftercare.learning.datasets.problems import Akin, Marks, Problem
from aftercare.messages.improvement import FiringStatus, Frozen
from aftercare.store.audited import audited
from aftercare.store.database import Database
from aftercare.store.materials import materials
from aftercare.store.tables import AgainstRow, DatasetRow, ExampleRow

TOGETHER = 200
STAGED = "#"  # no id of a firing holds one
AFTER_STAGED = chr(ord(STAGED) + 1)
EXAMPLE, DATASET, CASE, ERASURE, FIRING = (
    SQLModel.metadata.tables[name] for name in ("example", "dataset", "support_case", "erasure", "firing")
)
# While rows are written, no erasure ends, and nobody else writes any; whoever is at it is waited for.
_ALONE = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "LOCK TABLE erasure IN SHARE ROW EXCLUSIVE MODE"}


class Overtaken(Exception):
    """Something was erased meanwhile, or somebody else is freezing the same: start anew."""


class GivenBack(Exception):
    """The firing failed and gave its evidence back: there is nothing to freeze. Final."""


@dataclass(frozen=True, slots=True)
class Staging:
    """An attempt at a dataset: the name its rows lie under, and how many erasures there had been when it began."""

    dataset: str
    name: str
    erasures: int


@dataclass(frozen=True, slots=True)
class Whole:
    """A dataset about to be written, but for its rows, which are staged."""

    agent: str
    trigger: str
    rows: int
    problems: Mapping[str, Problem]
    accounts: Sequence[Account]
    redaction: str
    at: datetime


class Datasets:
    """The datasets in the store. A dataset's id is that of its firing."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def find(self, dataset: str) -> DatasetRow | None:
        """A frozen dataset, with its digest, its accounts, its diagnosis and what was built from it."""
        async with self.database.session() as session:
            return await session.get(DatasetRow, dataset)

    async def frozen(self, dataset: str) -> Frozen | None:
        """The same in short; None where it is not frozen yet."""
        sides = select(EXAMPLE.c.side, func.count().label("rows")).where(EXAMPLE.c.dataset == dataset)
        async with self.database.session() as session:
            row = await session.get(DatasetRow, dataset)
            if row is None:
                return None
            found = await (await session.connection()).execute(sides.group_by(EXAMPLE.c.side).order_by(EXAMPLE.c.side))
            by_side = {found_row.side: int(found_row.rows) for found_row in found}
        return Frozen(
            dataset=dataset,
            digest=row.digest,
            rows=sum(by_side.values()),
            sides=by_side,
            accounts=counted(row.accounts),
            redaction=row.redaction,
        )

    async def rows(self, dataset: str, side: str | None = None) -> AsyncIterator[ExampleRow]:
        """The rows of a dataset in their order, all of them or those of one side; read some at a time."""
        asked = select_rows(ExampleRow).where(ExampleRow.dataset == dataset).order_by(col(ExampleRow.number))
        if side:
            asked = asked.where(ExampleRow.side == side)
        after = 0
        while True:
            async with self.database.session() as session:
                some = list(await session.exec(asked.where(col(ExampleRow.number) > after).limit(TOGETHER)))
            for row in some:
                yield row
            if len(some) < TOGETHER:
                return
            after = some[-1].number

    async def built(self, dataset: str, what: str) -> None:
        """Write down that something was built from a dataset: a model, an article. The same once."""
        asked = select_rows(DatasetRow).where(DatasetRow.id == dataset).with_for_update()
        async with self.database.session() as session:
            if self.database.engine.dialect.name == "sqlite":
                await (await session.connection()).exec_driver_sql("BEGIN IMMEDIATE")
            row = (await session.exec(asked)).one()
            if what not in row.built:
                row.built = [*row.built, what]
                session.add(row)

    async def keep_diagnosis(self, dataset: str, digest: str, diagnosis: Mapping[str, Any]) -> bool:
        """Keep what the rows tell; False where they are no longer those that it was told of."""
        of_them = (DATASET.c.id == dataset) & (DATASET.c.digest == digest)
        async with self.database.engine.begin() as connection:
            kept = await connection.execute(update(DATASET).where(of_them).values(diagnosis=dict(diagnosis)))
        return bool(kept.rowcount)

    async def claimed(self, firing: str) -> list[tuple[str, list[Claimed]]]:
        """What a firing claimed, by case, always in the same order."""
        names = (AgainstRow.case_id, AgainstRow.piece, AgainstRow.kind, AgainstRow.at)
        asked = select_rows(*names).where(AgainstRow.firing == firing)
        async with self.database.session() as session:
            found = await session.exec(asked.order_by(col(AgainstRow.case_id), col(AgainstRow.piece)))
            pieces = [Claimed(*row) for row in found]
        return [(case_id, list(of_case)) for case_id, of_case in groupby(pieces, key=lambda piece: piece.case_id)]

    async def materials(self, case_ids: Collection[str]) -> dict[str, Material | Unreadable | None]:
        """What is known of these cases, as far as they are registered; None for one that was erased."""
        async with self.database.session() as session:
            return await materials(session, case_ids)

    def audited(self, agent: str, akin: Akin) -> AsyncIterator[Marks]:
        """The agent's cases drawn for the audit that may be about the same as these, by what they are known by."""
        return audited(self.database, agent, akin)

    async def let_go(self, dataset: str) -> None:
        """Forget a dataset whose firing failed: what it had claimed is free for another. Nothing is frozen after it."""
        async with self._alone() as connection:
            await connection.execute(delete(EXAMPLE).where(_staged(dataset, connection.dialect.name)))
            await connection.execute(delete(EXAMPLE).where(EXAMPLE.c.dataset == dataset))
            await connection.execute(delete(DATASET).where(DATASET.c.id == dataset))

    async def begin(self, dataset: str) -> Staging:
        """Begin to freeze a dataset; what an earlier attempt left goes."""
        async with self._alone() as connection:
            await connection.execute(delete(EXAMPLE).where(_staged(dataset, connection.dialect.name)))
            erasures = await _erasures(connection)
        return Staging(dataset, f"{dataset}{STAGED}{secrets.token_hex(6)}", erasures)

    async def stage(self, staging: Staging, rows: Sequence[Row], redaction: str) -> None:
        """Write rows that are going to be the dataset's. Raises Overtaken, GivenBack."""
        values = [
            {
                "dataset": staging.name,
                "number": row.number,
                "case_id": row.case_id,
                "problem": "",
                "side": "",
                "redaction": redaction,
                "digest": row.digest,
                "body": row.body,
                "provenance": row.provenance,
            }
            for row in rows
        ]
        if values:
            async with self._beside_erasures(staging) as connection:
                await connection.execute(insert(EXAMPLE), values)
                await _check_unmarked(connection, CASE.c.case_id.in_([row.case_id for row in rows]))

    async def freeze(self, staging: Staging, whole: Whole) -> None:
        """Make the staged rows the dataset, with its digest and accounts, all at once. Raises the same."""
        async with self._beside_erasures(staging) as connection:
            await _place(connection, staging, whole)
            await connection.execute(
                insert(DATASET).values(
                    id=staging.dataset,
                    agent=whole.agent,
                    trigger=whole.trigger,
                    digest=await digest_in(connection, staging.dataset),
                    redaction=whole.redaction,
                    made_at=whole.at,
                    accounts=list(whole.accounts),
                    diagnosis={},
                    built=[],
                )
            )
            of_row = select(EXAMPLE.c.case_id).where(EXAMPLE.c.dataset == staging.dataset)
            await _check_unmarked(connection, CASE.c.case_id.in_(of_row))

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[AsyncConnection]:
        async with self.database.engine.begin() as connection:
            await connection.exec_driver_sql(_ALONE[connection.dialect.name])
            yield connection

    @asynccontextmanager
    async def _beside_erasures(self, staging: Staging) -> AsyncIterator[AsyncConnection]:
        async with self._alone() as connection:
            if await _erasures(connection) != staging.erasures:
                raise Overtaken("somebody was erased meanwhile")
            if (await connection.execute(select(DATASET.c.id).where(DATASET.c.id == staging.dataset))).first():
                raise Overtaken(f"somebody else has frozen {staging.dataset}")
            status = await connection.execute(select(FIRING.c.status).where(FIRING.c.id == staging.dataset))
            if status.scalar() == FiringStatus.FAILED:
                raise GivenBack(f"{staging.dataset} failed, and has given its evidence back")
            yield connection


async def digest_in(connection: AsyncConnection, dataset: str) -> str:
    """The digest of a dataset's rows, as they lie in the store."""
    asked = select(EXAMPLE.c.digest, EXAMPLE.c.side).where(EXAMPLE.c.dataset == dataset)
    return digest_of_rows([(row.digest, row.side) for row in await connection.execute(asked)])


async def _place(connection: AsyncConnection, staging: Staging, whole: Whole) -> None:
    """Give the staged rows their sides, and the dataset's name."""
    staged = EXAMPLE.c.dataset == staging.name
    asked = select(EXAMPLE.c.number, EXAMPLE.c.case_id).where(staged)
    found = [(row.number, whole.problems[row.case_id]) for row in await connection.execute(asked)]
    if len(found) != whole.rows:
        raise Overtaken(f"somebody else is freezing {staging.dataset}")
    if found:
        placed = update(EXAMPLE).where(staged, EXAMPLE.c.number == bindparam("row"))
        placed = placed.values(dataset=staging.dataset, problem=bindparam("key"), side=bindparam("stands"))
        rows = [{"row": number, "key": problem.key, "stands": str(problem.side)} for number, problem in found]
        await connection.execute(placed, rows)
    await connection.execute(delete(EXAMPLE).where(_staged(staging.dataset, connection.dialect.name)))


def _staged(dataset: str, dialect: str) -> ColumnElement[bool]:
    """What attempts at a dataset left: a range, which the key finds, and which tells `desk` from `Desk`."""
    # A language's order takes them for alike and passes over signs; SQLite's own is by bytes already.
    name = EXAMPLE.c.dataset if dialect == "sqlite" else collate(EXAMPLE.c.dataset, "C")
    return (name >= f"{dataset}{STAGED}") & (name < f"{dataset}{AFTER_STAGED}")


async def _erasures(connection: AsyncConnection) -> int:
    return int((await connection.execute(select(func.count()).select_from(ERASURE))).scalar_one())


async def _check_unmarked(connection: AsyncConnection, these: ColumnElement[bool]) -> None:
    """Raises Overtaken where one of these cases is marked as erased. To be asked after the caller's own writes."""
    marked = select(CASE.c.case_id).where(these, CASE.c.erased_at.is_not(None))
    if (await connection.execute(marked.limit(1))).first():
        raise Overtaken("somebody is being erased")


def in_chunks(values: Sequence[Any], size: int) -> Iterable[Sequence[Any]]:
    """Some of them at a time."""
    return (values[n : n + size] for n in range(0, len(values), size))
