"""What feedback tells of many cases: summed, latest or least over each case's rows, one row for each case."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Row, case, func, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from aftercare.learning.facts import CaseFacts
from aftercare.store.tables import FeedbackRow

# By fact, the kind of evidence that tells it.
SUMMED = {
    "handling_time": "handling_time",
    "cost": "cost",
    "energy": "energy",
    "errors": "error",
    "fallbacks": "fallback",
}
LATEST = {"csat": "csat", "ces": "ces", "sentiment_slope": "sentiment_slope", "agreement": "shadow_agreement"}
FIRST_CONTACT, SAID_RESOLVED, THUMBS, LATENCY = "first_contact_resolution", "resolved", "thumbs", "latency"

TOGETHER = 1_000
LARGEST = 1e12  # beyond it nothing was measured, and no sum may overflow

_case, _kind, _told = col(FeedbackRow.case_id), col(FeedbackRow.kind), col(FeedbackRow.value)
_value = case((func.abs(_told) <= LARGEST, _told))


async def tell(session: AsyncSession, found: Mapping[str, CaseFacts], which: ColumnElement[bool]) -> None:
    """Fill in what feedback tells of the cases that were found; `which` chooses its rows."""
    for query in (_over_all(which), _latest(which)):
        async for row in rows_of(session, query):
            if facts := found.get(row.case_id):
                _fill(facts, row)
    async for row in rows_of(session, _latencies(which)):
        if facts := found.get(row.case_id):
            facts.latencies += (row.value,)


async def rows_of(session: AsyncSession, query: Any) -> AsyncIterator[Row[Any]]:
    """The rows of a query, some at a time, so that others get their turn between them."""
    streamed = await (await session.connection()).stream(query, execution_options={"yield_per": TOGETHER})
    async for some in streamed.partitions():
        for row in some:
            yield row


def _fill(facts: CaseFacts, row: Row[Any]) -> None:
    for name, value in zip(row._fields, row, strict=True):
        if value is not None and name != "case_id":
            setattr(facts, name, value == 1 if name in ("first_contact", "said_resolved") else value)


def _over_all(which: ColumnElement[bool]) -> Any:
    """Sums over a case's episodes; a case is solved at first contact if no episode of it says that it was not."""
    kinds = (*SUMMED.values(), FIRST_CONTACT, THUMBS)
    return (
        select(
            _case,
            *(_sum(kind).label(name) for name, kind in SUMMED.items()),
            func.min(case((_kind == FIRST_CONTACT, _value))).label("first_contact"),
            func.sum(case(((_kind == THUMBS) & (_value > 0), 1), else_=0)).label("thumbs_up"),
            func.sum(case(((_kind == THUMBS) & (_value < 0), 1), else_=0)).label("thumbs_down"),
        )
        .where(which, _kind.in_(kinds))
        .group_by(_case)
    )


def _sum(kind: str) -> ColumnElement[float | None]:
    """The sum of a kind, which is unknown as soon as one of its pieces is."""
    rows, values = func.count(case((_kind == kind, 1))), case((_kind == kind, _value))
    return case((rows == func.count(values), func.sum(values)))


def _latest(which: ColumnElement[bool]) -> Any:
    """The last word of each kind."""
    facts = {**LATEST, "said_resolved": SAID_RESOLVED}
    order = (col(FeedbackRow.occurred_at).desc(), col(FeedbackRow.received_at).desc(), col(FeedbackRow.id).desc())
    back = func.row_number().over(partition_by=(_case, _kind), order_by=order).label("back")
    told = (
        select(_case, _kind, _value.label("value"), back)
        .where(which, _kind.in_(tuple(facts.values())), _value.is_not(None))
        .subquery()
    )
    values = (func.max(case((told.c.kind == kind, told.c.value))).label(name) for name, kind in facts.items())
    return select(told.c.case_id, *values).where(told.c.back == 1).group_by(told.c.case_id)


def _latencies(which: ColumnElement[bool]) -> Any:
    return select(_case, _value.label("value")).where(which, _kind == LATENCY, _value.is_not(None)).order_by(_case)
