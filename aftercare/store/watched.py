"""A row of the matrix as it watches an agent: what its detectors know, what waits, and how that stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from aftercare.learning.watching import Watch, because, volume_of
from aftercare.messages.improvement import TriggerStanding, Work
from aftercare.messages.triggers import TriggerRow
from aftercare.store.database import Database
from aftercare.store.firings import is_open, last_of, over_budget_until
from aftercare.store.states import States
from aftercare.store.tables import SupervisorRow
from aftercare.store.unclaimed import Unclaimed

GROUPS = 20  # in a standing, those nearest to their threshold


@dataclass(frozen=True)
class Due:
    """Why a row would fire, empty where it would not: the groups whose alarm has evidence, and whether all of it."""

    because: str
    groups: tuple[str, ...]
    everything: bool
    waiting: int


class Watched:
    """One row, in a transaction of the caller's."""

    def __init__(self, database: Database, session: AsyncSession, supervisor: SupervisorRow, row: TriggerRow) -> None:
        self.session, self.supervisor, self.row = session, supervisor, row
        self.agent, self.trigger = supervisor.agent, supervisor.trigger
        self.unclaimed = Unclaimed(database, session, self.agent, self.trigger)
        self.states = States(database, session, supervisor, row)

    async def due(self, watch: Watch) -> Due:
        """Whether it would fire: an alarm without evidence that is free does not."""
        alarmed = [group for group in watch.alarmed() if await self.unclaimed.has(self.row, group)]
        waiting, volume = await self.unclaimed.waiting(), volume_of(self.row)
        standings = [g for g in watch.standings() if g.alarmed and g.group in alarmed]
        told = because(self.row, standings, waiting)
        return Due(told, tuple(alarmed), volume is not None and waiting >= volume, waiting)

    async def stands(self, at: datetime) -> TriggerStanding:
        """How it stands."""
        watch = await self.states.to_be_told()
        due = await self.due(watch)
        told = await told_of(self.session, self.supervisor, at)
        known = {
            "says": self.row.says,
            "groups": watch.standings()[:GROUPS],
            "waiting": due.waiting,
            "volume": volume_of(self.row),
            "due": due.because,
            "over_budget_until": await self.over_budget_until(at),
            "cooldown": self.row.cooldown,
            "work": Work(workflow=self.row.starts.workflow, kind=self.row.starts.kind),
        }
        return told.model_copy(update=known)

    async def over_budget_until(self, at: datetime) -> datetime | None:
        """When the week's budget has room again; None where it has."""
        return await over_budget_until(self.session, self.agent, self.trigger, self.row.budget, at)


async def told_of(session: AsyncSession, supervisor: SupervisorRow, at: datetime) -> TriggerStanding:
    """What can be told of a supervisor whatever its row says, or where the book has none."""
    last = await last_of(session, supervisor.agent, supervisor.trigger)
    return TriggerStanding(
        agent=supervisor.agent,
        trigger=supervisor.trigger,
        at=at,
        book=supervisor.book,
        open=last if is_open(last) else None,
        last=last,
        next_cycle=last.cycle + 1 if last else 1,
        paused_by=supervisor.paused_by,
        pause_reason=supervisor.pause_reason,
    )
