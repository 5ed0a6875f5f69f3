"""Which case is meant: by its own id, by the helpdesk's ticket, by the customer. Erased cases are never found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import col, select

from aftercare.messages.outcome import Stage
from aftercare.store.database import Database
from aftercare.store.tables import CaseRow, EpisodeRow

UNTOLD_WATCH = timedelta(hours=24)  # where the store does not know of an episode's watch yet
MOST = 100  # of one ticket or customer, the newest


@dataclass(frozen=True)
class CaseBrief:
    """What tells one case from another. `ending` is null, and `watched_until` a guess, until an episode is stored."""

    case_id: str
    ticket: str | None
    intent: str
    opened_at: datetime
    stage: str
    ending: str | None
    watched_until: datetime

    @property
    def with_its_agent(self) -> bool:
        """Whether nobody has said yet that it is resolved, or the agent said that it is not."""
        return self.stage == Stage.RESOLVING or self.ending == "escalated"

    def watched_at(self, moment: datetime) -> bool:
        """Whether its watch was running then. A case that is in its watch now is watched, however long it lasts."""
        return self.stage == Stage.WATCHING or moment <= self.watched_until


class Finder:
    """Finds cases in the store, each question by an index."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_case(self, case_id: str) -> CaseBrief | None:
        """The case of an id."""
        found = await self._found(col(CaseRow.case_id) == case_id)
        return found[0] if found else None

    async def by_ticket(self, ticket: str) -> list[CaseBrief]:
        """The cases of a ticket, the newest first."""
        return await self._found(col(CaseRow.ticket) == ticket)

    async def by_customer(self, customer: str, since: datetime) -> list[CaseBrief]:
        """The cases of a customer whose watch had not ended at a moment, the newest first.

        A watch ends when the case's latest episode says so; where none is stored, 24 hours after the case was opened.
        """
        found = await self._found(col(CaseRow.customer) == customer)
        return [case for case in found if case.watched_at(since)]

    async def _found(self, those: Any) -> list[CaseBrief]:
        there = those & col(CaseRow.erased_at).is_(None)
        asked = select(CaseRow).where(there).order_by(col(CaseRow.opened_at).desc(), col(CaseRow.case_id)).limit(MOST)
        async with self._database.session() as session:
            cases = list(await session.exec(asked))
            watch = col(EpisodeRow.body)["watch_until"].as_string()
            episodes = await session.exec(
                select(EpisodeRow.case_id, EpisodeRow.ending, watch)
                .where(col(EpisodeRow.case_id).in_([case.case_id for case in cases]))
                .order_by(col(EpisodeRow.number))
            )
            latest = {case_id: (ending, until) for case_id, ending, until in episodes}
        return [_brief(case, *latest.get(case.case_id, (None, None))) for case in cases]


def _brief(case: CaseRow, ending: str | None, watch_until: str | None) -> CaseBrief:
    until = datetime.fromisoformat(watch_until).astimezone(UTC) if watch_until else case.opened_at + UNTOLD_WATCH
    return CaseBrief(case.case_id, case.ticket, case.intent, case.opened_at, case.stage, ending, until)
