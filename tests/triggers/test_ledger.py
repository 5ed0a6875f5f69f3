"""Whatever comes in whatever order: what waits, and what each firing has claimed, is what a plain ledger says."""

from __future__ import annotations

import random

import pytest

from aftercare.messages.improvement import EndFiring, FiringStatus
from tests.triggers.evidence import AGENT, NOW, ROW, TRIGGER, Desk

KINDS = ("override", "escalation")
Piece = tuple[str, str]


class Ledger:
    """What has come in, and what was claimed, by piece: a few cases, so that much happens to each."""

    def __init__(self, desk: Desk, seed: int) -> None:
        self._desk, self._random = desk, random.Random(seed)  # noqa: S311 - the same course of things in every run
        self._values: dict[Piece, float | None] = {}
        self._claims: dict[Piece, int] = {}
        self._erased: set[str] = set()
        self._cycle, self._open = 0, False

    async def something(self) -> None:
        """One of all that can happen."""
        happens = [self._comes] * 6 + [self._fires] * 2 + [self._ends, self._fails, self._erases]
        await self._random.choice(happens)()

    async def holds(self) -> None:
        """Count everything that is new, a few pieces at a time, and compare."""
        small = Desk(self._desk.database, batch=self._random.choice([1, 3, 50]))
        while (standing := await small.check()).more:
            pass
        found = {(row.case_id, row.kind): row.firing for row in await self._desk.against()}
        unclaimed = {piece for piece, firing in found.items() if firing is None and piece[0] not in self._erased}
        assert unclaimed == self._waiting()
        assert standing.waiting == len({case for case, _ in unclaimed})
        claimed = {piece: int(firing.rsplit("/", 1)[1]) for piece, firing in found.items() if firing}
        assert claimed == self._claims

    def _waiting(self) -> set[Piece]:
        against = {piece for piece, value in self._values.items() if value}
        return {piece for piece in against - set(self._claims) if piece[0] not in self._erased}

    async def _comes(self) -> None:
        case, kind = f"c{self._random.randrange(12)}", self._random.choice(KINDS)
        if case not in self._erased:
            self._values[case, kind] = value = self._random.choice([0, 1, 1, None])
            intent = self._random.choice(["returns", "billing"])
            await self._desk.put(self._desk.piece(value, case=case, kind=kind, intent=intent))

    async def _fires(self) -> None:
        await self.holds()
        fired = (await self._desk.fire(self._cycle + 1, by="ada")).firing
        waiting = self._waiting()
        assert bool(fired) == (bool(waiting) and not self._open)
        if fired:
            self._cycle, self._open = self._cycle + 1, True
            self._claims |= dict.fromkeys(waiting, self._cycle)
            assert (fired.pieces, fired.cases) == (len(waiting), len({case for case, _ in waiting}))

    async def _ends(self) -> None:
        if self._open:
            await self._desk.triggers.end(EndFiring(firing=self._id, status=FiringStatus.PREPARED), NOW)
            self._open = False

    async def _fails(self) -> None:
        if self._open:
            await self._desk.triggers.give_back(self._id, ROW, NOW)
            self._claims = {piece: cycle for piece, cycle in self._claims.items() if cycle != self._cycle}
            self._open = False

    async def _erases(self) -> None:
        if self._random.random() < 0.3:
            case = f"c{self._random.randrange(12)}"
            await self._desk.erase(case)
            self._erased.add(case)

    @property
    def _id(self) -> str:
        return f"{AGENT}/{TRIGGER}/{self._cycle}"


@pytest.mark.parametrize("seed", range(4))
async def test_the_store_agrees_with_a_ledger(desk: Desk, seed: int) -> None:
    """Evidence comes and changes its mind, rows fire, improvements end and fail, customers are erased."""
    ledger = Ledger(desk, seed)
    for _ in range(60):
        await ledger.something()
    await ledger.holds()
