"""A row of the matrix as it watches an agent: what its detectors know, what waits, and how that stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from aftercare.learning.watching import Kept, Key, Watch, because, volume_of
from aftercare.messages.improvement import TriggerStanding, Work
from aftercare.messages.triggers import TriggerRow
from aftercare.store.database import Database
from aftercare.store.firings import is_open, last_of, over_budget_until
from aftercare.store.tables import DetectorRow, SupervisorRow
from aftercare.store.unclaimed import WAITING, Unclaimed

GROUPS = 20  # in a standing, those nearest to their threshold
_KNOWN = [col(getattr(DetectorRow, name)) for name in ("detector", "release", "grouping", "spec", "alarmed", "state")]


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
        self._database = database

    async def watch(self) -> Watch:
        """The detectors as they stand."""
        whose = and_(col(DetectorRow.agent) == self.agent, col(DetectorRow.trigger) == self.trigger)
        asked = select(*_KNOWN).where(whose, col(DetectorRow.detector) != WAITING)
        found = await (await self.session.connection()).execute(asked)
        kept = {Key(d.detector, d.release, d.grouping): Kept(d.spec, d.alarmed, d.state) for d in found}
        return Watch(self.row, kept)

    async def keep(self, watch: Watch) -> None:
        """Write down what changed in the detectors."""
        changed = watch.changed().items()
        await self._database.put(self.session, [self._detector(key, kept) for key, kept in changed])

    async def due(self, watch: Watch) -> Due:
        """Whether it would fire: an alarm without evidence that is free does not."""
        alarmed = [group for group in watch.alarmed() if await self.unclaimed.has(self.row, group)]
        waiting, volume = await self.unclaimed.waiting(), volume_of(self.row)
        standings = [g for g in watch.standings() if g.alarmed and g.group in alarmed]
        told = because(self.row, standings, waiting)
        return Due(told, tuple(alarmed), volume is not None and waiting >= volume, waiting)

    async def stands(self, watch: Watch, at: datetime) -> TriggerStanding:
        """How it stands."""
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

    def _detector(self, key: Key, kept: Kept) -> DetectorRow:
        return DetectorRow(
            agent=self.agent,
            trigger=self.trigger,
            detector=key.detector,
            release=key.release,
            grouping=key.group,
            spec=kept.spec,
            alarmed=kept.alarmed,
            state=kept.state,
        )


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
