"""One set of cases against another: how much higher each figure is, with its interval, or that there are too few."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from aftercare.learning.facts import CaseFacts
from aftercare.learning.figures import By, grouped
from aftercare.learning.intervals import Estimate, weighted
from aftercare.learning.measures import ALL, MEASURES, Measure
from aftercare.messages.base import Message

MINIMUM = 30  # on each side; below it an interval says little, and a bare number less


class Finding(StrEnum):
    """What a comparison came to, said of the first side."""

    HIGHER = "higher"
    LOWER = "lower"
    UNCLEAR = "no clear difference"
    TOO_FEW = "too few"


class Compared(Message):
    """One figure on both sides. `difference` is the first less the second, and null where there are too few."""

    name: str
    unit: str
    of: str
    a: Estimate
    b: Estimate
    difference: Estimate | None
    finding: Finding


def compare(
    a: Sequence[CaseFacts],
    b: Sequence[CaseFacts],
    same_intent: bool = False,
    minimum: int = MINIMUM,
    names: Iterable[str] | None = None,
) -> list[Compared]:
    """The first cases against the second, figure by figure.

    With `same_intent` only cases of the same intent are held against each other: both sides and their difference are
    means over the intents they share, each weighing as it bears on the difference (n·m / (n + m), Mantel and Haenszel).
    An intent in which one side has too few for an interval is left out.
    """
    measures = ALL if names is None else [MEASURES[name] for name in names]
    pairs = _pairs(a, b) if same_intent else [(a, b)]
    return [_compared(measure, pairs, minimum) for measure in measures]


def shared_intents(a: Iterable[CaseFacts], b: Iterable[CaseFacts]) -> list[str]:
    """The intents that both have."""
    return sorted({case.intent for case in a} & {case.intent for case in b})


def _pairs(a: Sequence[CaseFacts], b: Sequence[CaseFacts]) -> list[tuple[Sequence[CaseFacts], Sequence[CaseFacts]]]:
    ours, theirs = grouped(a, By.INTENT), grouped(b, By.INTENT)
    return [(ours[intent], theirs[intent]) for intent in sorted(ours.keys() & theirs.keys())]


def _compared(
    measure: Measure, pairs: Sequence[tuple[Sequence[CaseFacts], Sequence[CaseFacts]]], minimum: int
) -> Compared:
    strata = [(measure.estimate(a), measure.estimate(b), measure.differ(a, b)) for a, b in pairs]
    a, b, apart = strata[0] if len(strata) == 1 else _together(strata)
    enough = min(a.n, b.n) >= minimum and apart.low is not None and apart.high is not None
    return Compared(
        name=measure.name,
        unit=measure.unit,
        of=measure.of,
        a=a,
        b=b,
        difference=apart if enough else None,
        finding=_finding(apart) if enough else Finding.TOO_FEW,
    )


def _together(strata: Sequence[tuple[Estimate, Estimate, Estimate]]) -> tuple[Estimate, Estimate, Estimate]:
    """Both sides and their difference over all strata that can bear one."""
    bearing = [(a, b, d) for a, b, d in strata if d.low is not None and d.high is not None]
    weights = [a.n * b.n / (a.n + b.n) for a, b, _ in bearing]
    heaped = [
        weighted([(w / sum(weights), side) for w, side in zip(weights, sides, strict=True)])
        for sides in zip(*bearing, strict=True)
    ]
    if not heaped:
        return Estimate(), Estimate(), Estimate()
    n, m = sum(a.n for a, _, _ in bearing), sum(b.n for _, b, _ in bearing)
    a, b, apart = (e.model_copy(update={"n": size}) for e, size in zip(heaped, (n, m, min(n, m)), strict=True))
    return a, b, apart


def _finding(apart: Estimate) -> Finding:
    if apart.low is not None and apart.low > 0:
        return Finding.HIGHER
    if apart.high is not None and apart.high < 0:
        return Finding.LOWER
    return Finding.UNCLEAR
