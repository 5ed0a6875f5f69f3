"""Review items: drawn when a case is opened, decided once by a person, never trained on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sql
from sqlalchemy import ColumnElement, and_, case, delete, update
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from aftercare.learning.drawing import drawn_for_audit
from aftercare.lifecycle.state import Refused
from aftercare.messages.case import Case
from aftercare.messages.kinds import KINDS
from aftercare.messages.outcome import Stage
from aftercare.messages.reviews import Decision, ReviewStanding
from aftercare.store import feedback
from aftercare.store.database import Database
from aftercare.store.erased import erased
from aftercare.store.tables import CaseRow, FeedbackRow, ReviewRow

AUDIT = "audit"
AUDIT_LABEL = KINDS["audit_label"]
LABEL_ID = "review/audit"  # no sender can give this id to a message: it holds a slash
TOGETHER = 500


@dataclass(frozen=True)
class Item:
    """A review item. It is `ready` once the agent's ending was verified and audited, and so can be judged."""

    row: ReviewRow
    ready: bool


@dataclass(frozen=True)
class Audited:
    """What became of the cases of one agent and intent that were drawn."""

    agent: str
    intent: str
    drawn: int
    right: int
    wrong: int
    unknown: int


def audit_of(opened: Case, share: float, at: datetime) -> list[ReviewRow]:
    """The audit item of a case that is just opened, where it is drawn. In a person's case no agent is to be judged."""
    if opened.handled_by != "agent" or not drawn_for_audit(opened.id, share):
        return []
    return [
        ReviewRow(
            id=f"{AUDIT}/{opened.id}",
            kind=AUDIT,
            case_id=opened.id,
            agent=opened.agent,
            standing=ReviewStanding.OPEN,
            drawn_at=at,
        )
    ]


class Reviews:
    """The review items in the store."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def drawn(self, case_ids: Collection[str]) -> set[str]:
        """Those of the cases that were drawn for the audit, whether they were decided or not: never trained on."""
        ids, found = sorted(case_ids), set[str]()
        async with self.database.session() as session:
            for n in range(0, len(ids), TOGETHER):
                some = col(ReviewRow.case_id).in_(ids[n : n + TOGETHER])
                found.update(await session.exec(select(ReviewRow.case_id).where(ReviewRow.kind == AUDIT, some)))
        return found

    async def find(self, id: str) -> Item:
        """An item. Raises Refused where there is none."""
        async with self.database.session() as session:
            row = await _found(session, id)
            return Item(row, _is_ready(await session.get_one(CaseRow, row.case_id)))

    async def items(
        self, kind: str | None = None, agent: str | None = None, standing: str | None = None, limit: int = 50
    ) -> list[Item]:
        """The items that are as wanted: first those that can be judged, and the oldest before the others."""
        ready = case((col(CaseRow.stage) == Stage.RESOLVING, 1), else_=0)
        asked = select(ReviewRow, CaseRow).join(CaseRow, col(CaseRow.case_id) == col(ReviewRow.case_id))
        for column, wanted in ((ReviewRow.kind, kind), (ReviewRow.agent, agent), (ReviewRow.standing, standing)):
            if wanted is not None:
                asked = asked.where(col(column) == wanted)
        ordered = asked.order_by(ready, col(ReviewRow.drawn_at), col(ReviewRow.id)).limit(limit)
        async with self.database.session() as session:
            return [Item(row, _is_ready(about)) for row, about in await session.exec(ordered)]

    async def decide(self, id: str, decision: Decision, at: datetime) -> ReviewRow:
        """Decide an item, and write the label down with it: once, whoever else decides it at the same moment.

        The same decision of the same person again changes nothing. Raises Refused.
        """
        told = {"by": decision.by, "right": decision.right, "intent": decision.right_intent, "note": decision.note}
        async with self.database.session() as session:
            moved = await _move(session, id, ReviewStanding.OPEN, ReviewStanding.DECIDED, decision.by, at)
            row = await _found(session, id)
            if not moved:
                return _again(row, told)
            about = await _to_be_judged(session, row)
            row.decision = {**row.decision, **told, "at": at.isoformat()}
            session.add(row)
            await feedback.keep(self.database, session, [_label(about, told, decision.right, at)])
            return row

    async def reopen(self, id: str, by: str, at: datetime) -> ReviewRow:
        """Open a decided item again: its label is taken back, and what was decided is kept with it. Raises Refused."""
        async with self.database.session() as session:
            moved = await _move(session, id, ReviewStanding.DECIDED, ReviewStanding.OPEN)
            row = await _found(session, id)
            if not moved:
                raise Refused([f"{id} is {row.standing}: only what was decided can be opened again"])
            about = await _to_be_judged(session, row)
            earlier = row.decision.get("earlier", [])
            last = {name: value for name, value in row.decision.items() if name != "earlier"}
            reopened = {"reopened_by": by, "reopened_at": at.isoformat()}
            row.decision = {"earlier": [*earlier, last | reopened]}
            session.add(row)
            label = and_(col(FeedbackRow.case_id) == about.case_id, col(FeedbackRow.id) == LABEL_ID)
            await (await session.connection()).execute(delete(FeedbackRow).where(label))
            return row

    async def audited(self, agent: str | None = None) -> list[Audited]:
        """How the drawn cases were judged, by agent and by what they turned out to be about."""
        label = and_(col(FeedbackRow.case_id) == col(ReviewRow.case_id), col(FeedbackRow.id) == LABEL_ID)
        value, judged = col(FeedbackRow.value), col(FeedbackRow.id).is_not(None)
        told = (func.count(), _count(value == 1), _count(value == 0), _count(judged & value.is_(None)))
        by = col(CaseRow.agent), col(CaseRow.intent)
        asked = sql.select(*by, *told).select_from(ReviewRow).where(col(ReviewRow.kind) == AUDIT)
        asked = asked.join(CaseRow, col(CaseRow.case_id) == col(ReviewRow.case_id)).outerjoin(FeedbackRow, label)
        if agent is not None:
            asked = asked.where(col(CaseRow.agent) == agent)
        async with self.database.session() as session:
            found = await (await session.connection()).execute(asked.group_by(*by).order_by(*by))
            return [Audited(*row) for row in found]


def _count(which: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((which, 1), else_=0))


async def _move(
    session: AsyncSession,
    id: str,
    before: ReviewStanding,
    after: ReviewStanding,
    by: str | None = None,
    at: datetime | None = None,
) -> bool:
    """Let an item stand otherwise, where it still stands as before: of two at once, one does."""
    as_before = and_(col(ReviewRow.id) == id, col(ReviewRow.standing) == before)
    moved = update(ReviewRow).where(as_before).values(standing=after, decided_by=by, decided_at=at)
    return bool((await (await session.connection()).execute(moved)).rowcount)


async def _found(session: AsyncSession, id: str) -> ReviewRow:
    row = await session.get(ReviewRow, id)
    if row is None:
        raise Refused([f"there is no review item {id!r}; `aftercare review list --all` names them"])
    return row


async def _to_be_judged(session: AsyncSession, row: ReviewRow) -> CaseRow:
    """The case of an item that somebody judges. To be asked after the caller's own first write (`erased`)."""
    if await erased(session, row.case_id):
        raise Refused([f"the customer of {row.id} was erased: there is nothing left to judge it by"])
    about = await session.get_one(CaseRow, row.case_id)
    if not _is_ready(about):
        raise Refused([f"{row.id}: the agent has not ended this case yet, or its ending is still being verified"])
    return about


def _is_ready(about: CaseRow) -> bool:
    """Whether the agent's ending, or its silence, was audited. Nobody corrects a case before that."""
    return about.stage != Stage.RESOLVING and about.erased_at is None


def _again(row: ReviewRow, told: dict[str, Any]) -> ReviewRow:
    """What was decided before. Raises Refused where that is something else."""
    if row.standing == ReviewStanding.ERASED or not row.decision:
        raise Refused([f"the customer of {row.id} was erased: there is nothing left to judge it by"])
    if told.items() <= row.decision.items():
        return row
    when = f"{row.decided_at:%Y-%m-%d %H:%M:%S} UTC" if row.decided_at else "before"
    raise Refused(
        [
            f"{row.id} was decided by {row.decided_by} at {when}: {in_words(row.decision)}",
            f"`aftercare review reopen {row.id} --by NAME` opens it again",
        ]
    )


def in_words(decision: dict[str, Any]) -> str:
    """What was decided, for people."""
    said = {True: "right", False: "wrong", None: "unknown"}[decision["right"]]
    intent = decision.get("intent")
    return f"{said}, right intent {intent}" if intent and not decision["right"] else said


def _label(about: CaseRow, told: dict[str, Any], right: bool | None, at: datetime) -> FeedbackRow:
    """The label as evidence of its own kind; unknown is null."""
    return FeedbackRow(
        case_id=about.case_id,
        id=LABEL_ID,
        agent=about.agent,
        release=about.release,
        intent=about.intent,
        handled_by=about.handled_by,
        family=AUDIT_LABEL.family,
        kind=AUDIT_LABEL.name,
        value=None if right is None else float(right),
        unit=AUDIT_LABEL.unit,
        payload={name: told[name] for name in ("intent", "by", "note")},
        source="review",
        occurred_at=at,
        received_at=at,
    )
