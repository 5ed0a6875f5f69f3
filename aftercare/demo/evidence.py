"""Simulated evidence for the matrix of triggers: cases in their usual ways, then a shift in one row's evidence alone.

Shares are spread evenly: every fifty cases of an intent hold as many of each sort as its share says, in an order that
the seed decides. So what is drift-free has no streak that looks like drift; how often chance alone trips a detector is
the business of `aftercare bench triggers`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

from sqlmodel import SQLModel

from aftercare.demo.simulated import Ending, Happened, Told, rows_of
from aftercare.demo.simulated_words import REVIEWERS, TOPICS, person
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from policies.book import PolicyBook, load

BLOCK, BATCH, CUSTOMERS = 50, 250, 211
BEGAN, APART = datetime(2026, 1, 5, 8, tzinfo=UTC), timedelta(minutes=7)
ONE, OTHER = TOPICS  # two intents: two groups of a row that groups by intent
CLAUSE, OTHER_CLAUSE = "general.4", "general.6"

T = TypeVar("T", bound=Hashable)
Shares = Mapping[T, float]
ENDINGS: Mapping[str, Ending] = {"escalated": "escalated", "silent": "fell_silent"}


@dataclass(frozen=True)
class Ways:
    """How cases of one intent go: the share of each end, of each answer, of each measure.

    `ends` are quiet, escalated, silent, overridden and back; the last two also `late`, which is after the watch.
    `seconds` are the least of what it takes.
    """

    ends: Shares[str]
    csat: Shares[int]
    ces: Shares[int]
    slopes: Shares[float]
    broken: Shares[str]
    seconds: Shares[float]
    loops: Shares[int]


USUAL = Ways(
    ends={
        "quiet": 0.56,
        "escalated": 0.04,
        "silent": 0.02,
        "overridden": 0.02,
        "overridden late": 0.04,
        "back": 0.18,
        "back late": 0.14,
    },
    csat={5: 0.5, 4: 0.3, 3: 0.1, 2: 0.06, 1: 0.04},
    ces={7: 0.4, 6: 0.3, 5: 0.16, 4: 0.06, 3: 0.04, 2: 0.02, 1: 0.02},
    slopes={0.2: 0.2, 0.1: 0.3, 0.0: 0.3, -0.1: 0.16, -0.2: 0.04},
    broken={"": 0.96, CLAUSE: 0.02, OTHER_CLAUSE: 0.02},
    seconds={60: 0.2, 90: 0.2, 120: 0.2, 180: 0.2, 240: 0.1, 420: 0.06, 600: 0.04},
    loops={0: 0.94, 1: 0.06},
)


def moved(shares: Shares[T], to: T, by: float, away: T | None = None) -> dict[T, float]:
    """The same shares, but more of one thing and so much less of another: of the most frequent, unless it is told."""
    less = away if away is not None else max((value for value in shares if value != to), key=lambda v: shares[v])
    return {**shares, to: shares.get(to, 0.0) + by, less: shares[less] - by}


@dataclass(frozen=True)
class Shift:
    """What changes so that one row of the matrix should notice it and no other, and `where`: the intent or clause.

    The ways are those of the first intent, from then on.
    """

    ways: Ways
    where: str = ""


# Each by what its row says it notices: twice the share, half a star. What moves is chosen so that no other row's kinds
# do: a person who corrects the agent, or a customer who comes back, after the watch is over is no matter of the first
# contact, and one who comes back sooner than before is no matter of how many come back.
SHIFTS: Mapping[str, Shift] = {
    "csat": Shift(replace(USUAL, csat={5: 0.3, 4: 0.3, 3: 0.2, 2: 0.14, 1: 0.06})),
    "override": Shift(replace(USUAL, ends=moved(USUAL.ends, "overridden late", 0.10)), ONE),
    "first_contact_resolution": Shift(replace(USUAL, ends=moved(USUAL.ends, "back", 0.12, "back late")), ONE),
    "ces": Shift(replace(USUAL, ces={7: 0.2, 6: 0.24, 5: 0.28, 4: 0.1, 3: 0.1, 2: 0.04, 1: 0.04})),
    "sentiment": Shift(replace(USUAL, slopes={0.2: 0.02, 0.1: 0.16, 0.0: 0.3, -0.1: 0.3, -0.2: 0.22})),
    "policy_flag": Shift(replace(USUAL, broken=moved(USUAL.broken, CLAUSE, 0.08)), CLAUSE),
    "handling_time": Shift(replace(USUAL, seconds=moved(USUAL.seconds, 600, 0.10)), ONE),
    "post_resolution_contact": Shift(replace(USUAL, ends=moved(USUAL.ends, "back late", 0.32)), ONE),
}


class Spread(Generic[T]):
    """Values without end, each as often as its share says, evenly."""

    def __init__(self, shares: Shares[T], seed: str) -> None:
        self._die = random.Random(seed)  # noqa: S311 - a die, not a secret
        self._block = [value for value, share in shares.items() for _ in range(round(share * BLOCK))]
        assert len(self._block) == BLOCK, f"shares of whole fiftieths that make one: {shares}"
        self._left: list[T] = []

    def next(self) -> T:
        """The next one."""
        if not self._left:
            self._left = self._die.sample(self._block, BLOCK)
        return self._left.pop()


class Going:
    """Cases of one intent as they go, one after the other."""

    def __init__(self, ways: Ways, seed: str) -> None:
        self._ends, self._csat = Spread(ways.ends, f"{seed}-ends"), Spread(ways.csat, f"{seed}-csat")
        self._ces, self._slopes = Spread(ways.ces, f"{seed}-ces"), Spread(ways.slopes, f"{seed}-slopes")
        self._broken, self._loops = Spread(ways.broken, f"{seed}-broken"), Spread(ways.loops, f"{seed}-loops")
        self._seconds, self._die = Spread(ways.seconds, f"{seed}-seconds"), random.Random(seed)  # noqa: S311 - a die

    def next(self) -> Happened:
        """What happens in the next case."""
        end, _, late = self._ends.next().partition(" ")
        return Happened(
            ending=ENDINGS.get(end, "resolved"),
            overridden=end == "overridden",
            comes_back=end == "back",
            late=bool(late),
            csat=self._csat.next(),
            ces=self._ces.next(),
            slope=self._slopes.next(),
            broken=self._broken.next(),
            seconds=self._seconds.next() * self._die.uniform(1, 1.4),
            loops=self._loops.next(),
        )


class Agent:
    """An agent whose simulated cases are written straight into a store, in batches, with everything known of them."""

    def __init__(self, database: Database, name: str, seed: int = 1, release: str = "release-1") -> None:
        self._database, self._cases, self._book = database, Cases(database), load("retail")
        self.name, self._seed, self._release, self._number = name, seed, release, 0

    async def works(self, cases: int, ways: Mapping[str, Ways] | None = None) -> None:
        """So many cases more, of these intents in turn and as is said for each; of all in their usual ways."""
        await keep_book(self._cases, self._book)
        seed = f"{self._seed}-{self.name}-{self._number}"
        told = ways or dict.fromkeys(TOPICS, USUAL)
        going = {intent: Going(told[intent], f"{seed}-{intent}") for intent in told}
        for first in range(0, cases, BATCH):
            rows: list[SQLModel] = []
            for _ in range(first, min(first + BATCH, cases)):
                rows += self._next(going)
            await self._database.write(*rows)

    def _next(self, going: Mapping[str, Going]) -> list[SQLModel]:
        self._number += 1
        number, intents = self._number, list(going)
        topic = TOPICS[intents[number % len(intents)]]
        other = next(other for intent, other in TOPICS.items() if intent != topic.intent)
        happened = going[topic.intent].next()
        told = Told(
            id=f"{self.name}-{number:05d}",
            agent=self.name,
            release=self._release,
            person=person(number % CUSTOMERS),
            topic=topic,
            taken_for=other if happened.overridden else topic,
            order=f"#W{number:07d}",
            reviewer=REVIEWERS[number % len(REVIEWERS)],
            at=BEGAN + number * APART,
        )
        return rows_of(told, happened, self._book)


async def keep_book(cases: Cases, book: PolicyBook) -> None:
    """The book that simulated cases are opened under, kept as any other is."""
    await cases.keep_book(book.domain, book.digest, json.dumps(dict(book.texts), sort_keys=True), BEGAN)
