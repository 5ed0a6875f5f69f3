"""The outbox: what is to be sent or worked out once a case got so far, and what became of it.

Sending is at least once, with a lease: whoever claims a row has it for a while, and nobody else does; if it dies with
it, the row is claimed again. So nothing is sent twice unless its sender died, or was silent for longer than its lease,
between sending it and saying so.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from aftercare.asking.survey import survey_id
from aftercare.messages.outcome import Stage
from aftercare.messages.work import Standing
from aftercare.store.database import Database
from aftercare.store.tables import CaseRow, EvidenceRow, OutboxRow

SURVEY, SENTIMENT = "survey", "sentiment"
LONGEST_REASON = 500

_OVERTAKING = {"reopen": "the case was reopened", "override": "the case was overridden"}


class Sending(StrEnum):
    """Where a row of the outbox stands."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"


def survey_row(case_id: str, episode: int, at: datetime, open_for: timedelta) -> OutboxRow:
    """The survey about an episode that enters its watch `at`, to be answered within `open_for`. It names nobody."""
    expires_at = (at + open_for).replace(microsecond=0)
    body = {"episode": episode, "expires_at": expires_at.isoformat()}
    id = survey_id(episode)
    return OutboxRow(case_id=case_id, id=id, kind=SURVEY, standing=Sending.WAITING, body=body, at=at, due_at=at)


def sentiment_row(case_id: str, episode: int, first: int, last: int, at: datetime) -> OutboxRow:
    """The words of an episode's steps, from the first to the last, are to be scored."""
    body = {"episode": episode, "first": first, "last": last}
    id = f"sentiment-{episode}"
    return OutboxRow(case_id=case_id, id=id, kind=SENTIMENT, standing=Sending.WAITING, body=body, at=at, due_at=at)


class Outbox:
    """The outbox in the store."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def queue(self, session: AsyncSession, rows: Sequence[OutboxRow]) -> None:
        """Put rows in within the caller's transaction. One that is there already stays as it is."""
        await self.database.add(session, rows)

    async def due(self, now: datetime, limit: int, kinds: Collection[str]) -> list[OutboxRow]:
        """What of these kinds is to be tried now, the longest due first."""
        waiting = (col(OutboxRow.standing) == Sending.WAITING) & (col(OutboxRow.due_at) <= now)
        mine = col(OutboxRow.kind).in_(kinds)
        async with self.database.session() as session:
            found = await session.exec(
                select(OutboxRow).where(waiting & mine).order_by(col(OutboxRow.due_at)).limit(limit)
            )
            return list(found)

    async def claim(self, row: OutboxRow, now: datetime, lease: timedelta) -> OutboxRow | None:
        """The row as claimed, one attempt further, and nobody else's for the length of the lease; None where it is."""
        still = _at(row) & (col(OutboxRow.due_at) <= now)
        claimed = {"attempts": row.attempts + 1, "due_at": now + lease}
        return row.model_copy(update=claimed) if await self._change(still, claimed) else None

    async def sent(self, row: OutboxRow, at: datetime) -> None:
        """It is out. That stands, whoever has claimed it since."""
        unsaid = _is(row) & (col(OutboxRow.standing) != Sending.SENT)
        await self._change(unsaid, {"standing": Sending.SENT, "sent_at": at, "reason": ""})

    async def again(self, row: OutboxRow, reason: str, due_at: datetime) -> None:
        """It could not be sent now; it is tried again when it is due."""
        await self._change(_at(row), {"reason": reason[:LONGEST_REASON], "due_at": due_at})

    async def failed(self, row: OutboxRow, reason: str) -> None:
        """It cannot be sent, or was tried often enough."""
        await self._change(_at(row), {"standing": Sending.FAILED, "reason": reason[:LONGEST_REASON]})

    async def dropped(self, row: OutboxRow, reason: str) -> None:
        """It is not to be sent any more."""
        await self._change(_at(row), {"standing": Sending.DROPPED, "reason": reason[:LONGEST_REASON]})

    async def survey_of(self, case_id: str) -> OutboxRow | None:
        """The latest survey about a case, wherever it stands."""
        of_case = (col(OutboxRow.case_id) == case_id) & (col(OutboxRow.kind) == SURVEY)
        async with self.database.session() as session:
            return (await session.exec(select(OutboxRow).where(of_case).order_by(col(OutboxRow.at).desc()))).first()

    async def overtaken(self, row: OutboxRow) -> str:
        """Why the customer is not to be asked any more; empty where nothing has happened since the row was queued.

        An override or a reopening counts from its first moment in the inbox: in doubt nobody is asked.
        """
        later = (col(EvidenceRow.at) > row.at) & col(EvidenceRow.standing).in_([Standing.WAITING, Standing.DELIVERED])
        of_case = col(EvidenceRow.case_id) == row.case_id
        came = select(EvidenceRow.kind).where(of_case & later & col(EvidenceRow.kind).in_(_OVERTAKING))
        async with self.database.session() as session:
            case = await session.get(CaseRow, row.case_id)
            kind = (await session.exec(came.order_by(col(EvidenceRow.at)).limit(1))).first()
        if case is None or case.erased_at:
            return "the case was erased"
        if kind:
            return _OVERTAKING[kind]
        return "the case was settled" if case.stage == Stage.SETTLED else ""

    async def _change(self, where: ColumnElement[bool], values: dict[str, Any]) -> bool:
        async with self.database.session() as session:
            connection = await session.connection()
            return bool((await connection.execute(update(OutboxRow).where(where).values(**values))).rowcount)


def _is(row: OutboxRow) -> ColumnElement[bool]:
    return (col(OutboxRow.case_id) == row.case_id) & (col(OutboxRow.id) == row.id)


def _at(row: OutboxRow) -> ColumnElement[bool]:
    """This row, waiting and at this attempt: who was silent for longer than its lease has no say any more."""
    return _is(row) & (col(OutboxRow.standing) == Sending.WAITING) & (col(OutboxRow.attempts) == row.attempts)
