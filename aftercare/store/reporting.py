"""What reports ask of the store: the facts of many cases, by a handful of queries however many there are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, select, true
from sqlmodel import col

from aftercare.learning.facts import CaseFacts
from aftercare.messages.outcome import Outcome
from aftercare.messages.policy import Verdict, Verification
from aftercare.messages.work import Standing
from aftercare.store.cases import Cases
from aftercare.store.feedback_facts import rows_of, tell
from aftercare.store.tables import CaseRow, EpisodeRow, EvidenceRow, FeedbackRow, SettlementRow

A_DAY = timedelta(hours=24)
NO = frozenset({"0", "0.0", "false", "f", "no", "n", "off"})  # as a client may have sent it


@dataclass(frozen=True)
class Selection:
    """Which cases: those that are all of this, and were opened from `since` to before `until`."""

    agent: str | None = None
    release: str | None = None
    intent: str | None = None
    handled_by: str | None = None
    since: datetime | None = None
    until: datetime | None = None


EVERY_CASE = Selection()


async def facts_of(cases: Cases, which: Selection) -> list[CaseFacts]:
    """The facts of every settled case that was selected. An erased case that never settled is not among them."""
    async with cases.database.session() as session:
        found = {row.case_id: _facts(row) async for row in rows_of(session, _settled(which))}
        async for row in rows_of(session, _escalated(which)):
            if facts := found.get(row.case_id):
                facts.escalated = True
        resolved_at: dict[str, datetime] = {}
        async for row in rows_of(session, _events(which)):
            if facts := found.get(row.case_id):
                _follow(facts, row, resolved_at)
        await tell(session, found, _of(FeedbackRow.case_id, which))
    return list(found.values())


async def unsettled(cases: Cases, which: Selection) -> int:
    """How many of the selected cases have not settled, and still can: none of an erased customer will."""
    settled = _select(SettlementRow.case_id)
    still = and_(_chosen(which), col(CaseRow.erased_at).is_(None), col(CaseRow.case_id).not_in(settled))
    counted = _select(func.count()).select_from(CaseRow).where(still)
    async with cases.database.engine.connect() as connection:
        return int((await connection.execute(counted)).scalar_one())


def _select(*columns: Any) -> Select[Any]:
    return select(*columns)


def _settled(which: Selection) -> Select[Any]:
    """Each case with its latest settlement and its first episode; of the JSON only one number is read."""
    latest = (
        _select(SettlementRow.case_id, func.max(SettlementRow.revision).label("revision"))
        .group_by(col(SettlementRow.case_id))
        .subquery()
    )
    about, ended, first = (
        (CaseRow.case_id, CaseRow.opened_at, CaseRow.agent, CaseRow.release, CaseRow.intent, CaseRow.handled_by),
        (SettlementRow.outcome, col(SettlementRow.body)["reopens"].as_integer().label("reopens")),
        (EpisodeRow.ending, EpisodeRow.verification, EpisodeRow.policy_verdict),
    )
    is_latest = and_(col(SettlementRow.case_id) == latest.c.case_id, col(SettlementRow.revision) == latest.c.revision)
    is_first = and_(col(EpisodeRow.case_id) == col(CaseRow.case_id), col(EpisodeRow.number) == 1)
    return (
        _select(*about, *ended, *first)
        .join(latest, latest.c.case_id == col(CaseRow.case_id))
        .join(SettlementRow, is_latest)
        .outerjoin(EpisodeRow, is_first)
        .where(_chosen(which), col(SettlementRow.outcome).in_([str(outcome) for outcome in Outcome]))
    )


def _escalated(which: Selection) -> Select[Any]:
    ended = col(EpisodeRow.ending) == "escalated"
    return _select(EpisodeRow.case_id).where(ended, _of(EpisodeRow.case_id, which)).distinct()


def _events(which: Selection) -> Select[Any]:
    """What happened in each case, in its order: resolutions, reopenings, second contacts."""
    kinds = ("resolution", "report", "reopen", "recontact")
    same_issue = col(EvidenceRow.body)["same_issue"].as_string().label("same_issue")
    return (
        _select(EvidenceRow.case_id, EvidenceRow.kind, EvidenceRow.at, same_issue)
        .where(col(EvidenceRow.kind).in_(kinds), col(EvidenceRow.standing) == Standing.DELIVERED)
        .where(_of(EvidenceRow.case_id, which))
        .order_by(col(EvidenceRow.case_id), col(EvidenceRow.at))
    )


def _facts(row: Row[Any]) -> CaseFacts:
    return CaseFacts(
        case_id=row.case_id,
        opened_at=row.opened_at,
        agent=row.agent,
        release=row.release,
        intent=row.intent,
        handled_by=row.handled_by,
        outcome=Outcome(row.outcome),
        resolved=row.ending == "resolved",
        verification=Verification(row.verification) if row.verification else None,
        policy_verdict=Verdict(row.policy_verdict) if row.policy_verdict else None,
        escalated=False,
        reopened=bool(row.reopens),
        recontacted=False,
    )


def _follow(facts: CaseFacts, event: Row[Any], resolved_at: dict[str, datetime]) -> None:
    """Take in the next thing that happened in a case. One whose opening nobody told has no resolution time.

    Such a case counts as opened when it is written down, which is after the report of it whole came in.
    """
    before = resolved_at.get(facts.case_id)
    match event.kind:
        case "recontact":
            facts.recontacted = facts.recontacted or str(event.same_issue).lower() not in NO
        case "reopen" if before:
            facts.reopened_24h = facts.reopened_24h or event.at - before <= A_DAY
        case "resolution" | "report" if facts.resolved:
            facts.reopened_24h = facts.reopened_24h or False
            taken = (event.at - facts.opened_at).total_seconds()
            facts.resolution_time = taken if before is None and taken > 0 else facts.resolution_time
            resolved_at[facts.case_id] = event.at


def _of(case_id: Any, which: Selection) -> ColumnElement[bool]:
    """Rows of the selected cases, by the column that names theirs."""
    return true() if which == EVERY_CASE else col(case_id).in_(_select(CaseRow.case_id).where(_chosen(which)))


def _chosen(which: Selection) -> ColumnElement[bool]:
    asked = (
        (CaseRow.agent, which.agent),
        (CaseRow.release, which.release),
        (CaseRow.intent, which.intent),
        (CaseRow.handled_by, which.handled_by),
    )
    chosen = [col(column) == value for column, value in asked if value is not None]
    if which.since:
        chosen.append(col(CaseRow.opened_at) >= which.since)
    if which.until:
        chosen.append(col(CaseRow.opened_at) < which.until)
    return and_(true(), *chosen)
