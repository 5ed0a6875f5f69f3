"""What the detectors of a row know, as it lies in the store: what is needed of it is read, not all that ever was.

Releases come and go, and what is known of each stays. Evidence needs what is known under its own release alone; whether
a row is due, the alarms; who looks, also what was seen last. So nothing costs more for the releases of the past. Where
detectors begin anew, those that alarmed are written at once. For the others it is written down that their group did, or
all did, in which cycle: what was last written in an earlier one begins anew when it is read next.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, func, select, true
from sqlmodel.ext.asyncio.session import AsyncSession

from aftercare.learning.detectors import detectors_of
from aftercare.learning.watching import Kept, Key, Piece, Watch
from aftercare.messages.triggers import Burst, TriggerRow
from aftercare.store.counting import chunks
from aftercare.store.database import Database
from aftercare.store.tables import DetectorRow, SupervisorRow

ANEW = "anew"  # the name, among the detectors of a row, under which it is kept in which cycle a group began anew
RECENT = 3  # releases that are shown, those seen last
TABLE: Table = DetectorRow.__table__  # type: ignore[attr-defined]
_MARKS = TABLE.alias("mark")
STATE, MARK = TABLE.c, _MARKS.c


class States:
    """Those of one row, in a transaction of the caller's."""

    def __init__(self, database: Database, session: AsyncSession, supervisor: SupervisorRow, row: TriggerRow) -> None:
        self._database, self._session, self._supervisor, self._row = database, session, supervisor, row
        self._whose = {"agent": supervisor.agent, "trigger": supervisor.trigger}

    async def of(self, pieces: Sequence[Piece]) -> Watch:
        """All that these pieces are held against: what is known under their releases."""
        return self._watch(await self._under({piece.release for piece in pieces}))

    async def to_be_told(self) -> Watch:
        """What alarms, under whichever release, and what is known under the releases seen last."""
        alarms = await self._read(STATE.alarmed == true())
        releases = set(self._supervisor.releases)
        if any(isinstance(detector, Burst) for detector in self._row.detectors):
            releases |= {alarm.release for alarm in alarms}  # how many clauses there are is part of a threshold
        return self._watch([*alarms, *await self._under(releases)])

    async def begun_anew_in(self, cycle: int, groups: Sequence[str]) -> Watch:
        """What is known of these groups, as far as it was written since this cycle: what alarmed before it was."""
        since = STATE.cycle >= cycle
        found = [await self._read(and_(since, STATE.grouping.in_(some))) for some in chunks(groups)]
        return self._watch(state for some in found for state in some)

    async def keep(self, watch: Watch, seen: Sequence[Piece] = ()) -> None:
        """Write down what changed, and which releases were seen last."""
        last = dict.fromkeys([*(piece.release for piece in reversed(seen)), *self._supervisor.releases])
        self._supervisor.releases = list(last)[:RECENT]
        await self._database.put(self._session, [self._row_of(key, kept) for key, kept in watch.changed().items()])

    async def begin_anew(self, watch: Watch, groups: Collection[str] | None, cycle: int) -> None:
        """With this cycle these groups do, None: all, under every release. `watch` has what alarms."""
        self._supervisor.cycle = cycle
        if groups is None:
            self._supervisor.anew = cycle
        watch.begin_anew(groups)
        await self.keep(watch)
        marks = [self._row_of(Key(ANEW, "", group), Kept("", False, {})) for group in sorted(groups or ())]
        await self._database.put(self._session, marks)

    async def _under(self, releases: Collection[str]) -> list[Any]:
        # Named by their key from its beginning, so that others are not passed over.
        mine = STATE.detector.in_([detector.name for detector in detectors_of(self._row)])
        parts = chunks(sorted(releases))
        found = [await self._read(and_(mine, STATE.release.in_(some))) for some in parts]
        return [state for some in found for state in some]

    async def _read(self, which: ColumnElement[bool]) -> Sequence[Any]:
        asked = states(self._supervisor.agent, self._supervisor.trigger, which)
        found: Sequence[Any] = (await (await self._session.connection()).execute(asked)).all()
        return found

    def _watch(self, found: Iterable[Any]) -> Watch:
        known: dict[Key, Kept] = {}
        outdated: dict[Key, Kept] = {}
        for state in found:
            key, kept = Key(state.detector, state.release, state.grouping), Kept(state.spec, state.alarmed, state.state)
            is_outdated = state.cycle < max(self._supervisor.anew, state.anew)
            (outdated if is_outdated else known)[key] = kept
        anew = Watch(self._row, outdated)
        anew.begin_anew(None)
        return Watch(self._row, {**known, **outdated, **anew.changed()})

    def _row_of(self, key: Key, kept: Kept) -> DetectorRow:
        return DetectorRow(
            **self._whose,
            detector=key.detector,
            release=key.release,
            grouping=key.group,
            spec=kept.spec,
            alarmed=kept.alarmed,
            cycle=self._supervisor.cycle,
            state=kept.state,
        )


def states(agent: str, trigger: str, which: ColumnElement[bool]) -> Select[Any]:
    """States of a row, each with the cycle it was written in, and the last one its group began anew with."""
    of_group = and_(MARK.agent == agent, MARK.trigger == trigger, MARK.detector == ANEW, MARK.release == "")
    marked = and_(of_group, MARK.grouping == STATE.grouping)
    known = (STATE.detector, STATE.release, STATE.grouping, STATE.spec, STATE.alarmed, STATE.cycle, STATE.state)
    asked = select(*known, func.coalesce(MARK.cycle, 0).label("anew"))
    joined = asked.select_from(TABLE.outerjoin(_MARKS, marked))
    return joined.where(STATE.agent == agent, STATE.trigger == trigger, which)
