"""Evidence that is there already, to rehearse triggers with: read in the order in which it came, some at a time.

What agents brought about here, counted or not; or what was imported of the time before. Nothing is written.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, and_, case, func, null, select, true
from sqlmodel import col

from aftercare.learning.watching import Piece
from aftercare.store.cases import Cases
from aftercare.store.counting import clauses_of
from aftercare.store.feedback_facts import rows_of
from aftercare.store.tables import FeedbackRow, HistoryRow

FLAGGED = "policy_audit"
MEASURED = ("csat", "cost", "handling_time")
CAME_BACK = {"reopen": "reopened", "recontact": "recontacted"}
IN_A_DAY = ("reopened_24h", "recontacted_24h")


@dataclass(frozen=True)
class Past:
    """Which evidence: of these kinds, of one agent or of all, that came from `since` to before `until`.

    `imported` names a source of imported history. It is then read as if one agent had handled all of it, whose name
    is that of the source, unless one agent is asked for: nobody knows which of them would have been watched together.
    """

    kinds: Collection[str]
    agent: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    imported: str | None = None


Told = tuple[str, Piece]


async def how_many(cases: Cases, past: Past) -> int:
    """How many rows there are to read."""
    feedback = select(func.count()).select_from(FeedbackRow).where(_feedback(past))
    history = select(func.count()).select_from(HistoryRow).where(_history(past))
    async with cases.database.engine.connect() as connection:
        found = int((await connection.execute(feedback)).scalar_one())
        return found + (int((await connection.execute(history)).scalar_one()) if past.imported else 0)


async def evidence(cases: Cases, past: Past) -> AsyncIterator[Told]:
    """The pieces in the order of their times, each with its agent."""
    if not past.imported:
        async for told in _fed_back(cases, past):
            yield told
        return
    async for told in _merged(_before(cases, past), _fed_back(cases, past)):
        yield told


async def _fed_back(cases: Cases, past: Past) -> AsyncIterator[Told]:
    at = _came(past)
    clauses = case((col(FeedbackRow.kind) == FLAGGED, col(FeedbackRow.payload)), else_=null()).label("clauses")
    of_piece = [col(getattr(FeedbackRow, name)) for name in ("agent", "case_id", "id", "kind", "value", "intent")]
    asked = select(*of_piece, col(FeedbackRow.release), at.label("at"), clauses).where(_feedback(past))
    async with cases.database.session() as session:
        async for row in rows_of(session, asked.order_by(at, col(FeedbackRow.case_id), col(FeedbackRow.id))):
            yield _agent(past, row.agent), _piece(row)


async def _before(cases: Cases, past: Past) -> AsyncIterator[Told]:
    """What imported cases tell: each when it was over, since only then all of it was known."""
    over = _over()
    of_case = [col(getattr(HistoryRow, name)) for name in ("id", "agent", "intent", *MEASURED, "body")]
    asked = select(*of_case, over.label("at")).where(_history(past)).order_by(over, col(HistoryRow.id))
    async with cases.database.session() as session:
        async for row in rows_of(session, asked):
            for kind, value in _told_of(row).items():
                if kind in past.kinds:
                    piece = Piece(row.id, f"imported/{kind}", kind, value, row.intent, "", row.at)
                    yield _agent(past, row.agent), piece


async def _merged(one: AsyncIterator[Told], other: AsyncIterator[Told]) -> AsyncIterator[Told]:
    """Both in the order of their times."""
    heads = [await anext(one, None), await anext(other, None)]
    while any(heads):
        first = min((n for n, head in enumerate(heads) if head), key=lambda n: _at(heads[n]))
        head, heads[first] = heads[first], await anext((one, other)[first], None)
        if head:
            yield head


def _at(told: Told | None) -> tuple[datetime, str]:
    assert told
    return told[1].at, told[1].case_id


def _piece(row: Row[Any]) -> Piece:
    return Piece(
        row.case_id, row.id, row.kind, row.value, row.intent, row.release or "", row.at, clauses_of(row.clauses)
    )


def _agent(past: Past, agent: str) -> str:
    return past.agent or past.imported or agent


def _told_of(row: Row[Any]) -> dict[str, float]:
    """Every kind of evidence that an imported case tells; of what is unknown there is no piece."""
    told = {kind: getattr(row, kind) for kind in MEASURED}
    told |= {kind: row.body.get(name) for kind, name in CAME_BACK.items()}
    in_a_day = [row.body.get(name) for name in IN_A_DAY]
    told["first_contact_resolution"] = None if None in in_a_day else not any(in_a_day)
    return {kind: float(value) for kind, value in told.items() if value is not None}


def _came(past: Past) -> ColumnElement[datetime]:
    """When a piece came. What was imported came all at once: there it is when it happened."""
    return cast(ColumnElement[datetime], col(FeedbackRow.occurred_at if past.imported else FeedbackRow.received_at))


def _over() -> ColumnElement[datetime]:
    """When everything was known that is told of an imported case: the latest of its times."""
    latest: Any = func.coalesce(col(HistoryRow.resolved_at), col(HistoryRow.opened_at))
    for at in (col(HistoryRow.reopened_at), col(HistoryRow.recontacted_at)):
        latest = case((at > latest, at), else_=latest)
    return cast(ColumnElement[datetime], latest)


def _feedback(past: Past) -> ColumnElement[bool]:
    ours = and_(~col(FeedbackRow.baseline), col(FeedbackRow.handled_by) == "agent")
    theirs = and_(col(FeedbackRow.baseline), col(FeedbackRow.source) == past.imported)
    chosen = [theirs if past.imported else ours, col(FeedbackRow.kind).in_(past.kinds)]
    chosen += [col(FeedbackRow.agent) == past.agent] if past.agent else []
    return and_(*chosen, _between(_came(past), past))


def _history(past: Past) -> ColumnElement[bool]:
    chosen = [col(HistoryRow.source) == past.imported]
    chosen += [col(HistoryRow.agent) == past.agent] if past.agent else []
    return and_(*chosen, _between(_over(), past))


def _between(at: ColumnElement[datetime], past: Past) -> ColumnElement[bool]:
    bounds = [at >= past.since] if past.since else []
    bounds += [at < past.until] if past.until else []
    return and_(true(), *bounds)
