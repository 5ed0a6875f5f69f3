"""The time before: cases and feedback that were imported to compare with. They start nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_, func
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from aftercare.learning.facts import CaseFacts
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.store.feedback_facts import rows_of, tell
from aftercare.store.reporting import Selection
from aftercare.store.tables import CaseRow, FeedbackRow, HistoryRow

KEPT = ("received_at", "counted_at")  # what belongs to the row that was there first


@dataclass
class Written:
    """What became of imported rows. `taken` lists keys under which a case has evidence of its own, which stays."""

    new: int = 0
    changed: int = 0
    same: int = 0
    taken: list[str] = field(default_factory=list)

    def add(self, other: Written) -> None:
        """Count another batch."""
        self.new, self.changed, self.same = self.new + other.new, self.changed + other.changed, self.same + other.same
        self.taken += other.taken


async def keep_history(database: Database, rows: Sequence[HistoryRow]) -> Written:
    """Write down cases of one source, some hundreds at a time. The same again changes nothing, another replaces it."""
    async with database.session() as session:
        is_one = and_(col(HistoryRow.source) == rows[0].source, col(HistoryRow.id).in_([row.id for row in rows]))
        there = {row.id: row for row in await session.exec(select(HistoryRow).where(is_one))}
        return await _write(database, session, [(there.get(row.id), row) for row in rows])


async def keep_feedback(database: Database, rows: Sequence[FeedbackRow]) -> Written:
    """The same for feedback. What is about a registered case takes over its agent, release, intent and handler."""
    ids = {row.case_id for row in rows}
    async with database.session() as session:
        about = {c.case_id: c for c in await session.exec(select(CaseRow).where(col(CaseRow.case_id).in_(ids)))}
        is_one = and_(col(FeedbackRow.case_id).in_(ids), col(FeedbackRow.id).in_({row.id for row in rows}))
        there = {(row.case_id, row.id): row for row in await session.exec(select(FeedbackRow).where(is_one))}
        own = [f"{row.case_id} {row.id}" for key, row in there.items() if not row.baseline]
        pairs = []
        for row in rows:
            before = there.get((row.case_id, row.id))
            if before is None or before.baseline:
                pairs.append((before, _as_of_case(row, about.get(row.case_id))))
        written = await _write(database, session, pairs)
    written.taken = own
    return written


async def sources(cases: Cases) -> list[str]:
    """The names under which something was imported."""
    queries = (
        select(col(HistoryRow.source)).distinct(),
        select(col(FeedbackRow.source)).where(col(FeedbackRow.baseline)).distinct(),
    )
    async with cases.database.session() as session:
        return sorted({source for query in queries for source in await session.exec(query)})


async def history_of(cases: Cases, source: str, which: Selection) -> list[CaseFacts]:
    """The facts of the cases of one source, and of those that only its feedback knows.

    Feedback about a case that is registered here counts there.
    """
    alone = and_(
        col(FeedbackRow.baseline),
        col(FeedbackRow.source) == source,
        col(FeedbackRow.case_id).not_in(select(col(CaseRow.case_id))),
    )
    async with cases.database.session() as session:
        found = await _known_by_feedback(session, alone)
        rows = await session.stream_scalars(select(HistoryRow).where(col(HistoryRow.source) == source))
        async for row in rows:
            found[row.id] = _facts(row)
        await tell(session, found, alone)
    return [facts for facts in found.values() if _is_chosen(facts, which)]


async def _write(
    database: Database, session: AsyncSession, pairs: Sequence[tuple[SQLModel | None, SQLModel]]
) -> Written:
    new = [row for before, row in pairs if before is None]
    changed = [_kept(before, row) for before, row in pairs if before is not None and _told(before) != _told(row)]
    await database.put(session, [*new, *changed])
    return Written(len(new), len(changed), len(pairs) - len(new) - len(changed))


def _told(row: SQLModel) -> Mapping[str, Any]:
    return row.model_dump(exclude=set(KEPT))


def _kept(before: SQLModel, row: SQLModel) -> SQLModel:
    for name in KEPT:
        if hasattr(before, name):
            setattr(row, name, getattr(before, name))
    return row


def _as_of_case(row: FeedbackRow, case: CaseRow | None) -> FeedbackRow:
    if case:
        row.agent, row.release, row.intent, row.handled_by = case.agent, case.release, case.intent, case.handled_by
    return row


async def _known_by_feedback(session: AsyncSession, which: ColumnElement[bool]) -> dict[str, CaseFacts]:
    names = ("agent", "release", "intent", "handled_by")
    columns = [func.min(getattr(FeedbackRow, name)).label(name) for name in names]
    first = func.min(col(FeedbackRow.occurred_at)).label("opened_at")
    query = select(col(FeedbackRow.case_id), first, *columns).where(which).group_by(col(FeedbackRow.case_id))
    return {row.case_id: CaseFacts(**row._mapping) async for row in rows_of(session, query)}


def _facts(row: HistoryRow) -> CaseFacts:
    came_back = [row.body.get("reopened_24h"), row.body.get("recontacted_24h")]
    return CaseFacts(
        case_id=row.id,
        opened_at=row.opened_at,
        agent=row.agent,
        intent=row.intent,
        handled_by=row.handled_by,
        resolution_time=(row.resolved_at - row.opened_at).total_seconds() if row.resolved_at else None,
        handling_time=row.handling_time,
        cost=row.cost,
        csat=row.csat,
        reopened=row.body.get("reopened"),
        reopened_24h=row.body.get("reopened_24h"),
        recontacted=row.body.get("recontacted"),
        # Known only where both are: counting what is known to have come back would count nothing else.
        first_contact=None if None in came_back else not any(came_back),
    )


def _is_chosen(facts: CaseFacts, which: Selection) -> bool:
    asked = (
        (which.agent, facts.agent),
        (which.release, facts.release),
        (which.intent, facts.intent),
        (which.handled_by, facts.handled_by),
    )
    is_of = all(wanted is None or wanted == told for wanted, told in asked)
    began = which.since is None or facts.opened_at >= which.since
    return is_of and began and (which.until is None or facts.opened_at < which.until)
