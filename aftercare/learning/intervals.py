"""How sure a figure is: its value, a 95% interval, and how many it rests on. Unknown is null, never zero.

Every formula here is a known one, named where it is used; docs/reports.md says why each was taken.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats  # type: ignore[import-untyped]

from aftercare.messages.base import Message

LEVEL = 0.95
TAIL = (1 - LEVEL) / 2


class Estimate(Message):
    """A value, its 95% interval, and how many it rests on.

    `value` is null where nothing tells it; `low` or `high` where so few cannot bound it on that side. The n of a
    difference is that of its smaller side.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0


def share(part: int, whole: int) -> Estimate:
    """A rate: so many of so many, with Wilson's score interval."""
    if not whole:
        return Estimate()
    value = part / whole
    found = stats.binomtest(part, whole).proportion_ci(LEVEL, method="wilson")
    # At 0 and 1 rounding would leave the value outside by the last digit.
    return Estimate(value=value, low=min(float(found.low), value), high=max(float(found.high), value), n=whole)


def mean(values: Sequence[float], lowest: float | None = None, highest: float | None = None) -> Estimate:
    """A mean with Student's t interval, cut at the bounds of what the values can be.

    One value alone, or values that are all the same, tell nothing of their spread: they have no interval.
    """
    n = len(values)
    if not n:
        return Estimate()
    value = math.fsum(values) / n
    error = _standard_error(values)
    if not error:
        return Estimate(value=value, n=n)
    half = error * float(stats.t.ppf(1 - TAIL, n - 1))
    low = value - half if lowest is None else max(value - half, lowest)
    high = value + half if highest is None else min(value + half, highest)
    return Estimate(value=value, low=low, high=high, n=n)


def percentile(values: Sequence[float], share_below: float) -> Estimate:
    """The smallest value that at least this share of all do not exceed, with the interval of its order statistics.

    How many of n values lie below a percentile is binomial, whatever their distribution; the 95th needs 72 of them
    before one lies above it for sure.
    """
    n = len(values)
    if not n:
        return Estimate()
    ordered = np.sort(np.asarray(values, dtype=float))
    below = int(stats.binom.ppf(TAIL, n, share_below))
    above = int(stats.binom.ppf(1 - TAIL, n, share_below)) + 1
    return Estimate(
        value=float(ordered[max(math.ceil(round(n * share_below, 9)), 1) - 1]),
        low=float(ordered[below - 1]) if below >= 1 else None,
        high=float(ordered[above - 1]) if above <= n else None,
        n=n,
    )


def ratio(tops: Sequence[float], bottoms: Sequence[float]) -> Estimate:
    """The sum of one thing over the sum of another in the same cases, none of them negative; Fieller's interval.

    Where the sum below is zero there is no ratio, and where it might be, no interval.
    """
    n = len(tops)
    if not n or not sum(bottoms):
        return Estimate(n=n)
    top, bottom = np.asarray(tops, dtype=float), np.asarray(bottoms, dtype=float)
    value = float(top.sum() / bottom.sum())
    if n < 2:
        return Estimate(value=value, n=n)
    squared = float(stats.t.ppf(1 - TAIL, n - 1)) ** 2
    spread = np.cov(top, bottom) / n
    a = float(bottom.mean() ** 2 - squared * spread[1, 1])
    b = float(top.mean() * bottom.mean() - squared * spread[0, 1])
    c = float(top.mean() ** 2 - squared * spread[0, 0])
    if a <= 0:
        return Estimate(value=value, n=n)
    root = math.sqrt(max(b * b - a * c, 0))
    return Estimate(value=value, low=min(max((b - root) / a, 0), value), high=max((b + root) / a, value), n=n)


def difference(a: Estimate, b: Estimate) -> Estimate:
    """The first less the second, by square-and-add of their intervals.

    For two rates that is Newcombe's hybrid score interval; for anything else it is the same step, MOVER.
    """
    return weighted([(1.0, a), (-1.0, b)]) if a.n and b.n else Estimate()


def difference_of_means(a: Sequence[float], b: Sequence[float]) -> Estimate:
    """The first mean less the second, with Welch's interval; none where neither side shows any spread."""
    n, m = len(a), len(b)
    if not (n and m):
        return Estimate()
    value = math.fsum(a) / n - math.fsum(b) / m
    errors = _standard_error(a), _standard_error(b)
    together = math.hypot(*(error or 0 for error in errors))
    if None in errors or not together:
        return Estimate(value=value, n=min(n, m))
    of_first = ((errors[0] or 0) / together) ** 2
    freedom = 1 / (of_first**2 / (n - 1) + (1 - of_first) ** 2 / (m - 1))
    half = together * float(stats.t.ppf(1 - TAIL, freedom))
    return Estimate(value=value, low=value - half, high=value + half, n=min(n, m))


def weighted(parts: Sequence[tuple[float, Estimate]]) -> Estimate:
    """The sum of independent estimates, each times its weight, with their intervals squared and added (MOVER)."""
    known = [(w, e, e.value) for w, e in parts if e.value is not None]
    if not known or len(known) < len(parts):
        return Estimate(n=min((e.n for _, e in parts), default=0))
    value = math.fsum(w * v for w, _, v in known)
    down = _added([(w, v, e.low if w > 0 else e.high) for w, e, v in known])
    up = _added([(w, v, e.high if w > 0 else e.low) for w, e, v in known])
    return Estimate(
        value=value,
        low=None if down is None else value - down,
        high=None if up is None else value + up,
        n=min(e.n for _, e, _ in known),
    )


def _added(sides: Sequence[tuple[float, float, float | None]]) -> float | None:
    """How far the weighted limits lie from their values, together; unknown where one of them is."""
    if any(limit is None for _, _, limit in sides):
        return None
    return math.sqrt(math.fsum((w * (v - limit)) ** 2 for w, v, limit in sides if limit is not None))


def _standard_error(values: Sequence[float]) -> float | None:
    """The standard error of the mean; unknown of a single value, and zero where all are the same."""
    if len(values) < 2 or min(values) == max(values):
        return 0.0 if len(values) >= 2 else None
    return float(np.std(np.asarray(values, dtype=float), ddof=1) / math.sqrt(len(values)))
