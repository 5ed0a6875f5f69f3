"""Counting: evidence that no detector has taken up yet, in the order in which it came, each piece once.

What was counted is marked on the row itself and is found by an index over the unmarked rows alone: commits arrive out
of order, so that no row lies behind a mark that has moved on, and a look costs what is new and not what is stored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, bindparam, false, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from aftercare.learning.watching import Piece
from aftercare.messages.triggers import TriggerRow
from aftercare.store.tables import FeedbackRow

BATCH = 2_000  # pieces in one check
TOGETHER = 500  # cases in one query
TABLE: Table = FeedbackRow.__table__  # type: ignore[attr-defined]
FEEDBACK = TABLE.c

_PIECE = (FEEDBACK.case_id, FEEDBACK.id, FEEDBACK.kind, FEEDBACK.value, FEEDBACK.intent, FEEDBACK.release)


@dataclass(frozen=True)
class Taken:
    """Pieces to be counted, those of a case together; `more` says that others are left."""

    pieces: Sequence[Piece]
    more: bool = False


def uncounted(agent: str, kind: str, limit: int) -> Select[Any]:
    """The first pieces of a kind that are not counted yet.

    On PostgreSQL whatever is being rewritten at this moment is left for the next time: it may change its value.
    """
    asked = _asked(and_(FEEDBACK.agent == agent, FEEDBACK.kind == kind))
    return asked.order_by(FEEDBACK.received_at, FEEDBACK.case_id, FEEDBACK.id).limit(limit)


def uncounted_of(cases: Sequence[str], agent: str, kinds: Collection[str]) -> Select[Any]:
    """All pieces of these cases that are not counted yet.

    Found by their cases: an index over agent or kind, which SQLite takes to be better, would pass over all others.
    """
    unindexed = and_(FEEDBACK.agent.concat("") == agent, FEEDBACK.kind.concat("").in_(kinds))
    return _asked(and_(FEEDBACK.case_id.in_(cases), unindexed))


async def unsorted(connection: AsyncConnection) -> None:
    """Have what is asked for in an order read in that order, for the rest of the transaction.

    PostgreSQL takes what is not counted to be spread over all kinds alike, though most kinds have none: it would rather
    read every piece of a kind, counted or not, and sort those it wants, than go by the index that holds them in order.
    """
    if connection.dialect.name == "postgresql":
        await connection.exec_driver_sql("SET LOCAL enable_sort = off")


async def take(session: AsyncSession, agent: str, row: TriggerRow, batch: int = BATCH) -> Taken:
    """The first pieces of a row that are not counted yet, about `batch` of them: no case is cut apart."""
    connection = await session.connection()
    await unsorted(connection)
    found = [piece for kind in row.evidence for piece in await connection.execute(uncounted(agent, kind, batch + 1))]
    if len(found) <= batch:
        return Taken(_in_order(found))
    taken = dict.fromkeys(piece.case_id for piece in sorted(found, key=_came)[:batch])
    whole: list[Any] = []
    for cases in chunks(list(taken)):
        whole += await connection.execute(uncounted_of(cases, agent, row.evidence))
    return Taken(_in_order(whole), more=True)


async def mark(session: AsyncSession, pieces: Sequence[Piece], at: datetime) -> None:
    """These are counted."""
    if not pieces:
        return
    is_one = and_(FEEDBACK.case_id == bindparam("of_case"), FEEDBACK.id == bindparam("of_piece"))
    marked = update(TABLE).where(is_one).values(counted_at=at)
    await (await session.connection()).execute(marked, [{"of_case": p.case_id, "of_piece": p.id} for p in pieces])


def chunks(cases: Sequence[str]) -> Iterable[Sequence[str]]:
    """So many at once as a query may name."""
    return (cases[n : n + TOGETHER] for n in range(0, len(cases), TOGETHER))


def clauses_of(payload: Any) -> tuple[str, ...]:
    """The clauses that a piece names as broken."""
    named = payload.get("clauses", ()) if isinstance(payload, dict) else ()
    return tuple(str(clause) for clause in named) if isinstance(named, list | tuple) else ()


def _asked(which: ColumnElement[bool]) -> Select[Any]:
    """Of those that are asked for, what an agent did itself, here and now, and no detector has seen."""
    new = and_(FEEDBACK.handled_by == "agent", FEEDBACK.baseline == false(), FEEDBACK.counted_at.is_(None))
    asked = select(*_PIECE, FEEDBACK.received_at, FEEDBACK.payload).where(which, new)
    return asked.with_for_update(skip_locked=True)


def _in_order(rows: Collection[Any]) -> list[Piece]:
    """As they came; those of a case with the first of it."""
    by_case: dict[str, list[Any]] = {}
    for row in sorted(rows, key=_came):
        by_case.setdefault(row.case_id, []).append(row)
    return [_piece(row) for of_case in by_case.values() for row in of_case]


def _came(row: Any) -> tuple[datetime, str, str]:
    return row.received_at, row.case_id, row.id


def _piece(row: Any) -> Piece:
    return Piece(
        case_id=row.case_id,
        id=row.id,
        kind=row.kind,
        value=row.value,
        intent=row.intent,
        release=row.release or "",
        at=row.received_at,
        clauses=clauses_of(row.payload),
    )
