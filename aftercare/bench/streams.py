"""Cases made up for `aftercare bench triggers`: what a row of the matrix sees while nothing is wrong, and once it is.

The figures of what is usual are made up, as are those of what is worse; no stream is taken from anybody's cases.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

from aftercare.learning.watching import Piece

Told = tuple[str, float, tuple[str, ...]]  # a piece of one case: kind, value, clauses
Source = Callable[[Random], Sequence[Told]]
AT = datetime(2026, 1, 1, tzinfo=UTC)  # detectors do not look at times


@dataclass(frozen=True)
class Shift:
    """What a row sees before and after something became worse; `said` in words."""

    said: str
    usual: Source
    worse: Source


def pieces(case: int, told: Sequence[Told], intent: str = "cancel") -> list[Piece]:
    """One case as the detectors see it."""
    name = str(case)
    return [Piece(name, str(n), kind, value, intent, "r", AT, clauses) for n, (kind, value, clauses) in enumerate(told)]


def either(first: str, second: str, rate: float) -> Source:
    """Two kinds of yes or no that settle together; one of them is yes with this rate."""

    def case(random: Random) -> Sequence[Told]:
        u = random.random()
        return ((first, float(u < rate / 2), ()), (second, float(rate / 2 <= u < rate), ()))

    return case


def failing(kind: str, rate: float) -> Source:
    """A kind of yes or no that is no with this rate."""
    return lambda random: ((kind, float(random.random() >= rate), ()),)


def scored(kind: str, lowest: int, weights: Sequence[float]) -> Source:
    """A score from `lowest` on, each with its weight."""
    scores = range(lowest, lowest + len(weights))
    return lambda random: ((kind, float(random.choices(scores, weights)[0]), ()),)


def normal(kind: str, mean: float, spread: float) -> Source:
    """A figure that varies by chance around its mean."""
    return lambda random: ((kind, random.gauss(mean, spread), ()),)


def broken(**rates: float) -> Source:
    """Audits in which each clause is broken with its own rate."""

    def case(random: Random) -> Sequence[Told]:
        clauses = tuple(clause for clause, rate in rates.items() if random.random() < rate)
        return (("policy_audit", float(not clauses), clauses),)

    return case


def handled(times: float, loops: float) -> Source:
    """Times that spread as durations do, by a factor of two or so around their middle, and loops in some cases."""

    def case(random: Random) -> Sequence[Told]:
        seconds = 120 * times * random.lognormvariate(0, 0.7)
        return (("handling_time", seconds, ()), ("loop", float(random.random() < loops), ()))

    return case
