"""Workers that are killed again and again while evidence flows: the same firings as undisturbed, each piece once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from sqlmodel import col, select

from aftercare.demo.evidence import ONE, SHIFTS, USUAL, Agent, Ways
from aftercare.demo.processes import Kept
from aftercare.demo.simulated_words import TOPICS
from aftercare.store.tables import AgainstRow, DetectorRow, FeedbackRow
from tests.matrix.supervised import SELDOM, Supervised, accounted, supervised

KILLS, AGENTS, BATCHES, BATCH, USUALLY = 20, ("ada", "ben", "cem", "dee"), 6, 100, 3
BOOK = f"""
check: {{every: {SELDOM}, at_most: {SELDOM}}}
triggers:
  override:
    says: "People correct or take over what the agent decides."
    evidence: {{override: {{at_least: 1}}, escalation: {{at_least: 1}}}}
    group_by: intent
    detectors: [{{detector: rate, notice: 2}}, {{detector: volume, cases: 25}}]
    baseline: {{cases: 100}}
    minimum_sample: 50
    cooldown: PT0S
    budget: {{children: 1000}}
    starts: {{workflow: retraining, kind: intent_classifier}}
  contact:
    says: "Customers come back about what was resolved."
    evidence: {{recontact: {{at_least: 1}}}}
    group_by: intent
    detectors: [{{detector: rate, notice: 2}}]
    baseline: {{cases: 100}}
    tolerated: 500
    minimum_sample: 50
    cooldown: PT0S
    budget: {{children: 1000}}
    starts: {{workflow: knowledge_update, kind: gap}}
"""
COUNTED = {"override": ("override", "escalation"), "contact": ("recontact",)}
KINDS = {kind: row for row, kinds in COUNTED.items() for kind in kinds}
Pieces = list[tuple[str, str]]


@dataclass(frozen=True)
class Played:
    """What came of all the evidence: why each cycle fired, what each firing claimed, what its dataset accounts for."""

    firings: dict[tuple[str, str, int], str]
    statuses: set[str]
    states: list[tuple[object, ...]]
    claimed: dict[str, Pieces]
    in_datasets: dict[str, Pieces]
    against: list[tuple[str, str, str]]
    should_be: list[tuple[str, str, str]]
    uncounted: Pieces
    restarts: int


class Flow:
    """Evidence that flows in batches, each counted at a boundary of its own, by supervisors that may be killed."""

    def __init__(self, place: Supervised) -> None:
        self._place, self.boundaries = place, 0

    async def all(self) -> None:
        """Every agent's evidence, side by side."""
        await self._place.watch(*AGENTS)
        await asyncio.gather(*(self._of_agent(name) for name in AGENTS))

    async def _of_agent(self, name: str) -> None:
        agent = Agent(self._place.place.cases.database, name)
        for number in range(BATCHES):
            await agent.works(BATCH, _ways(name, number))
            await asyncio.gather(*(self._boundary(name, row, number) for row in COUNTED))

    async def _boundary(self, agent: str, row: str, number: int) -> None:
        """Check until nothing is left to count or to fire, and what fired has ended."""
        self.boundaries += 1
        for time in range(100):
            standing = await self._place.check(agent, row, id=f"{number}-{time}")
            if not (standing.counted or standing.due or standing.open):
                return
            await self._place.ended(agent, row)
        raise AssertionError(f"{agent}/{row} never comes to rest")


def _ways(agent: str, number: int) -> dict[str, Ways]:
    """As usual for some batches, then a shift for every other agent in one thing and for the rest in another."""
    shifted = SHIFTS["post_resolution_contact" if AGENTS.index(agent) % 2 else "override"].ways
    return dict.fromkeys(TOPICS, USUAL) | ({ONE: shifted} if number >= USUALLY else {})


async def killed(place: Supervised, flow: Flow) -> int:
    """SIGKILL at random moments, spread over the boundaries; gives how often another one took its place."""
    moments, worker = random.Random(7), place.place.worker  # noqa: S311 - a die, not a secret
    assert worker
    boundaries = BATCHES * len(AGENTS) * len(COUNTED)
    for number in range(KILLS):
        while flow.boundaries <= number * boundaries / KILLS or not _is_up(worker, number):  # noqa: ASYNC110 - a process
            await asyncio.sleep(0.02)
        await asyncio.sleep(moments.uniform(0, 0.6))
        worker.kill()
    while not _is_up(worker, KILLS):  # noqa: ASYNC110 - a process, and no event
        await asyncio.sleep(0.02)
    return worker.restarts


def _is_up(worker: Kept, kills: int) -> bool:
    """Whether the one that followed so many kills is up."""
    return worker.restarts == kills and worker.running


async def played(folder: Path, kills: bool) -> Played:
    async with supervised(folder, BOOK) as place:
        flow = Flow(place)
        killing = asyncio.create_task(killed(place, flow) if kills else asyncio.sleep(0, 0))
        await flow.all()
        return await seen(place, await killing)


async def seen(place: Supervised, restarts: int) -> Played:
    """What lies in the store once all has come to rest."""
    firings = [firing for agent in AGENTS for firing in await place.firings(agent)]
    async with place.place.cases.database.session() as session:
        detectors = list(await session.exec(select(DetectorRow)))
        against = list(await session.exec(select(AgainstRow)))
        evidence = list(await session.exec(select(FeedbackRow).where(col(FeedbackRow.kind).in_(KINDS))))
    return Played(
        firings={(f.agent, f.trigger, f.cycle): f.because for f in firings},
        statuses={str(f.status) for f in firings},
        states=sorted((d.agent, d.trigger, d.detector, d.grouping, d.alarmed, str(d.state)) for d in detectors),
        claimed={f.id: sorted((a.case_id, a.piece) for a in against if a.firing == f.id) for f in firings},
        in_datasets={f.id: sorted(accounted((await place.dataset(f))[0])) for f in firings},
        against=sorted((a.trigger, a.case_id, a.piece) for a in against),
        should_be=sorted((KINDS[e.kind], e.case_id, e.id) for e in evidence if e.value == 1),
        uncounted=[(e.case_id, e.id) for e in evidence if e.counted_at is None],
        restarts=restarts,
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def quiet(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The evidence, undisturbed."""
    return await played(tmp_path_factory.mktemp("quiet") / "place", kills=False)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def rough(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The same evidence, while the worker is killed."""
    return await played(tmp_path_factory.mktemp("rough") / "place", kills=True)


def test_the_workers_were_killed_while_evidence_flowed(rough: Played) -> None:
    """Every time by SIGKILL, and every time another one took its place."""
    assert rough.restarts == KILLS


def test_the_same_firings_as_undisturbed(quiet: Played, rough: Played) -> None:
    """The same cycles for the same reasons, by alarm and by volume; and each improvement came to its end."""
    assert rough.firings == quiet.firings
    assert len(quiet.firings) > 10
    assert rough.statuses == quiet.statuses == {"prepared"}


def test_every_detector_knows_the_same(quiet: Played, rough: Played) -> None:
    """To the last figure: nothing was counted twice, or in another order."""
    assert rough.states == quiet.states


def test_the_same_evidence_was_claimed(quiet: Played, rough: Played) -> None:
    """Piece by piece."""
    assert rough.claimed == quiet.claimed


def test_no_evidence_is_in_two_datasets_of_a_row(rough: Played) -> None:
    """Each dataset accounts for what its firing claimed, and no piece is claimed twice."""
    assert rough.in_datasets == rough.claimed
    times = Counter((id.rpartition("/")[0], *piece) for id, pieces in rough.in_datasets.items() for piece in pieces)
    assert {piece for piece, number in times.items() if number > 1} == set()


def test_no_evidence_is_skipped(rough: Played) -> None:
    """Everything was counted; all that counts against an agent is claimed by a firing, or waits for the next."""
    assert rough.uncounted == []
    assert rough.against == rough.should_be
