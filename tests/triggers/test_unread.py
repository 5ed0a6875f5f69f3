"""Reading only what is needed makes no difference: the detectors are what they would be, had all been in one place."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import true

from aftercare.learning.watching import Kept, Key, Watch
from aftercare.messages.improvement import EndFiring, FiringStatus
from aftercare.messages.triggers import Rate, TriggerRow, Volume
from aftercare.store.counting import take
from aftercare.store.firings import alarmed_of
from aftercare.store.states import States
from aftercare.store.tables import FiringRow, SupervisorRow
from tests.triggers.evidence import AGENT, BY_CLAUSE, NOW, ROW, TRIGGER, Desk

RATE = ROW.model_copy(update={"detectors": (Rate(notice=2), Volume(cases=60)), "tolerated": 20})
CLAUSES = BY_CLAUSE.model_copy(update={"detectors": (*BY_CLAUSE.detectors, Volume(cases=60)), "tolerated": 20})
RELEASES = [f"r{number}" for number in range(8)]


class Beside:
    """A desk, and beside it the same detectors, all of them in memory."""

    def __init__(self, desk: Desk, row: TriggerRow, seed: int) -> None:
        self._desk, self._row, self._all = desk, row, Watch(row)
        self._random = random.Random(seed)  # noqa: S311 - the same course of things in every run
        self._cycle, self.fired = 0, 0

    async def something(self) -> None:
        """Evidence under a release or two, new or old; now and then a firing, which fails or ends."""
        await self._evidence()
        if self._random.random() < 0.4:
            await self._fire("ada" if self._random.random() < 0.2 else "")

    async def agree(self) -> None:
        """What the store knows of every state is what is known in memory."""
        async with self._desk.database.session() as session:
            supervisor = await session.get(SupervisorRow, (AGENT, TRIGGER))
            assert supervisor
            states = States(self._desk.database, session, supervisor, self._row)
            stored = states._watch(await states._read(true()))
        assert _told(stored) == _told(self._all)

    async def _evidence(self) -> None:
        for release in self._random.sample(RELEASES, 2):
            bad, group = self._random.random() < 0.4, self._random.choice("abc")
            told = {"intent": group} if self._row is RATE else {"kind": "policy_audit", "payload": {"clauses": [group]}}
            values = [int(self._random.random() < (0.8 if bad else 0.1)) for _ in range(25)]
            against = values if self._row is RATE else [1 - value for value in values]
            await self._desk.put(*(self._desk.piece(value, release=release, **told) for value in against))
        async with self._desk.database.session() as session:
            self._all.take((await take(session, AGENT, self._row)).pieces)
        await self._desk.check(self._row)

    async def _fire(self, by: str) -> None:
        due = (await self._desk.triggers.standing(AGENT, TRIGGER, self._row, NOW)).waiting >= 60
        fired = (await self._desk.fire(self._cycle + 1, self._row, by=by)).firing
        if fired is None:
            return
        self._cycle, self.fired = fired.cycle, self.fired + 1
        self._all.begin_anew(None if by or due else fired.groups)
        await self.agree()
        await self._evidence()
        if self._random.random() < 0.5:
            async with self._desk.database.session() as session:
                row = await session.get(FiringRow, fired.id)
            assert row
            self._all.alarm_again(alarmed_of(row))
            await self._desk.triggers.give_back(fired.id, self._row, NOW)
        else:
            await self._desk.triggers.end(EndFiring(firing=fired.id, status=FiringStatus.PREPARED), NOW)


def _told(watch: Watch) -> dict[Key, Kept]:
    """All its states, as they would be written."""
    return {key: Kept("", group.alarmed, group.kept()) for key, group in watch._all()}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("row", [RATE, CLAUSES], ids=["by intent", "by clause"])
async def test_what_was_not_read_is_as_if_it_had_been(desk: Desk, row: TriggerRow, seed: int) -> None:
    """Releases come and come back, rows fire by alarm, volume and name, improvements end and fail."""
    beside = Beside(desk, row, seed)
    for _ in range(25):
        await beside.something()
        await beside.agree()
    assert beside.fired > 3
