"""Triggers in the store: evidence counted once, firings written once, whoever else is at it and wherever it breaks off.

Each question is one transaction, which holds the supervisor's row. What a detector knows, the marks on what it counted
and what counts against the agent change together, and so do a firing, its claims and the detectors that begin anew.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text, update
from sqlmodel import col, select

from aftercare.messages.improvement import (
    EndFiring,
    Fired,
    FireTrigger,
    Firing,
    FiringStatus,
    Pausing,
    TriggerStanding,
    Work,
)
from aftercare.messages.triggers import TriggerRow
from aftercare.store.counting import BATCH, mark, take
from aftercare.store.database import Database
from aftercare.store.firings import alarmed_of, firing_id, is_open, last_of, message_of, row_of
from aftercare.store.states import States
from aftercare.store.supervising import held
from aftercare.store.tables import AgainstRow, FiringRow, SupervisorRow
from aftercare.store.unclaimed import Unclaimed
from aftercare.store.watched import Due, Watched, told_of

ENDS = (FiringStatus.PREPARED, FiringStatus.RELEASED, FiringStatus.REFUSED)

# Every distinct value by one look into the index each.
_AGENTS = """
WITH RECURSIVE known(agent) AS (
    SELECT min(agent) FROM support_case
    UNION ALL
    SELECT (SELECT min(c.agent) FROM support_case c WHERE c.agent > known.agent)
    FROM known WHERE known.agent IS NOT NULL
)
SELECT agent FROM known WHERE agent IS NOT NULL
"""


class NoSuchFiring(Exception):
    """Nothing fired under this id."""


class FiringEnded(Exception):
    """It has ended already, and in another way."""


class Triggers:
    """The triggers of every agent. A check takes up about `batch` pieces."""

    def __init__(self, database: Database, batch: int = BATCH) -> None:
        self._database, self._batch = database, batch

    async def agents(self) -> list[str]:
        """The agents that have cases."""
        async with self._database.session() as session:
            return [agent for (agent,) in await (await session.connection()).execute(text(_AGENTS))]

    async def check(self, agent: str, trigger: str, row: TriggerRow, digest: str, at: datetime) -> TriggerStanding:
        """Count what is new by the book of this digest, and say how the row stands."""
        async with held(self._database, agent, trigger) as (session, supervisor):
            watched = Watched(self._database, session, supervisor, row)
            taken = await take(session, agent, row, self._batch)
            watch = await watched.states.of(taken.pieces)
            await watched.unclaimed.write(taken.pieces, watch.take(taken.pieces))
            await watched.states.keep(watch, taken.pieces)
            await mark(session, taken.pieces, at)
            supervisor.book, supervisor.checked_at = digest, at
            standing = await watched.stands(at)
            return standing.model_copy(update={"counted": len(taken.pieces), "more": taken.more})

    async def standing(self, agent: str, trigger: str, row: TriggerRow | None, at: datetime) -> TriggerStanding:
        """How a row stands by what its last check left; nothing is counted or changed.

        A row that the book does not have has a standing too: it says so, and what had fired is still known.
        """
        async with self._database.session() as session:
            found = await session.get(SupervisorRow, (agent, trigger))
            supervisor = found or SupervisorRow(agent=agent, trigger=trigger)
            if row:
                watched = Watched(self._database, session, supervisor, row)
                return await watched.stands(at)
            told = await told_of(session, supervisor, at)
            return told.model_copy(update={"problem": f"the book has no row {trigger!r}: its evidence is not counted"})

    async def fire(self, asked: FireTrigger, row: TriggerRow, at: datetime) -> Fired:
        """Claim the evidence and write the firing of a cycle down; asked again it is the same one.

        Who asks by name is refused only where a firing is open, or no evidence is free.
        """
        async with held(self._database, asked.agent, asked.trigger) as (session, supervisor):
            if there := await session.get(FiringRow, firing_id(asked.agent, asked.trigger, asked.cycle)):
                return Fired(firing=message_of(there))
            watched = Watched(self._database, session, supervisor, row)
            watch = await watched.states.to_be_told()
            due = await watched.due(watch)
            if refusal := await _refusal(watched, asked, due, at):
                return Fired(note=refusal)
            fired = _fired(asked, row, due, at)
            groups = None if asked.by or due.everything else due.groups
            cases, pieces = await watched.unclaimed.claim(fired.id, row, groups)
            fired = fired.model_copy(update={"cases": cases, "pieces": pieces})
            if not pieces:
                return Fired(note="there is no evidence that no firing has claimed")
            session.add(row_of(fired, due.groups))
            await watched.states.begin_anew(watch, groups, asked.cycle)
            return Fired(firing=fired)

    async def give_back(self, id: str, row: TriggerRow | None, at: datetime, note: str = "") -> Firing:
        """An improvement failed: its evidence is free again, and its alarm stands. What has ended otherwise stays so.

        Without a row, which the book may have lost meanwhile, nothing can be alarmed again.
        """
        agent, trigger = await self._whose(id)
        async with held(self._database, agent, trigger) as (session, supervisor):
            found = (await session.exec(select(FiringRow).where(FiringRow.id == id))).one()
            if found.status != FiringStatus.STARTED:
                return message_of(found)
            found.status, found.note, found.ended_at = FiringStatus.FAILED, note, at
            await Unclaimed(self._database, session, agent, trigger).give_back(id, row)
            if row:
                states, alarmed = States(self._database, session, supervisor, row), alarmed_of(found)
                watch = await states.begun_anew_in(found.cycle, alarmed)
                watch.alarm_again(alarmed)
                await states.keep(watch)
            return message_of(found)

    async def end(self, ended: EndFiring, at: datetime) -> Firing:
        """An improvement ended. The same again changes nothing. Raises FiringEnded where it ended in another way."""
        if ended.status not in ENDS:
            raise ValueError(f"{ended.status} is no end of an improvement; one that failed gives its evidence back")
        agent, trigger = await self._whose(ended.firing)
        async with held(self._database, agent, trigger) as (session, _):
            found = (await session.exec(select(FiringRow).where(FiringRow.id == ended.firing))).one()
            if found.status not in (FiringStatus.STARTED, ended.status):
                raise FiringEnded(f"firing {found.id} has ended as {found.status}, and cannot end as {ended.status}")
            if found.status == FiringStatus.STARTED:
                found.status, found.note, found.ended_at, found.cost = ended.status, ended.note, at, ended.cost
                if ended.status in (FiringStatus.RELEASED, FiringStatus.REFUSED):
                    claimed = update(AgainstRow).where(col(AgainstRow.firing) == found.id)
                    await (await session.connection()).execute(claimed.values(consumed_at=at))
            return message_of(found)

    async def pause(self, pausing: Pausing, at: datetime) -> None:
        """Write down that a row is paused, or that it goes on."""
        async with held(self._database, pausing.agent, pausing.trigger) as (_, supervisor):
            if supervisor.paused_at and at < supervisor.paused_at:
                return  # an attempt that was given up long ago, and has only now got through
            supervisor.paused_by = pausing.by if pausing.paused else ""
            supervisor.pause_reason = pausing.reason if pausing.paused else ""
            supervisor.paused_at = at

    async def firing(self, id: str) -> Firing | None:
        """A firing as it stands."""
        async with self._database.session() as session:
            found = await session.get(FiringRow, id)
        return message_of(found) if found else None

    async def firings(self, agent: str | None = None, trigger: str | None = None, limit: int = 50) -> list[Firing]:
        """The last firings, the newest first."""
        asked = select(FiringRow).order_by(col(FiringRow.fired_at).desc(), col(FiringRow.id).desc()).limit(limit)
        if agent:
            asked = asked.where(FiringRow.agent == agent)
        if trigger:
            asked = asked.where(FiringRow.trigger == trigger)
        async with self._database.session() as session:
            return [message_of(row) for row in await session.exec(asked)]

    async def _whose(self, id: str) -> tuple[str, str]:
        found = await self.firing(id)
        if found is None:
            raise NoSuchFiring(f"nothing fired as {id!r}")
        return found.agent, found.trigger


async def _refusal(watched: Watched, asked: FireTrigger, due: Due, at: datetime) -> str:
    """Why nothing is fired; empty where it is."""
    last = await last_of(watched.session, asked.agent, asked.trigger)
    if last and is_open(last):
        return f"firing {last.id} is open: its improvement has not ended"
    if asked.cycle != (expected := last.cycle + 1 if last else 1):
        return f"the next cycle is {expected}, and not {asked.cycle}"
    if asked.by:
        return ""
    if watched.supervisor.paused_by:
        return f"paused by {watched.supervisor.paused_by}"
    if until := await watched.over_budget_until(at):
        return f"the week's budget is spent until {until:%Y-%m-%d %H:%M} UTC"
    return "" if due.because else "nothing is due"


def _fired(asked: FireTrigger, row: TriggerRow, due: Due, at: datetime) -> Firing:
    reason = f"asked for by {asked.by}: {asked.reason}" if asked.by else ""
    return Firing(
        id=firing_id(asked.agent, asked.trigger, asked.cycle),
        agent=asked.agent,
        trigger=asked.trigger,
        cycle=asked.cycle,
        work=Work(workflow=row.starts.workflow, kind=row.starts.kind),
        because="; ".join(filter(None, (reason, due.because))),
        groups=tuple(group for group in due.groups if group),
        at=at,
        by=asked.by,
    )
