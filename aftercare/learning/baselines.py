"""What is usual, bounded so as to be sure of it: a rate, a mean or a quantile of a group's first cases.

A detector that took the estimate itself for the truth would alarm at half of all groups sooner or later. So it holds
what comes against the upper end of a one-sided interval. Each bound here is a known one, named where it is used.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import special  # type: ignore[import-untyped]

LENT = 50  # so many cases a group without any of its own is lent by the others of its row


@dataclass(frozen=True, slots=True)
class Sums:
    """So many observations between 0 and 1, their sum and the sum of their squares."""

    cases: float = 0
    total: float = 0
    squares: float = 0

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.cases + other.cases, self.total + other.total, self.squares + other.squares)

    def worth(self, cases: float) -> Sums:
        """The same, worth so many cases, or as many as there are."""
        share = min(cases / self.cases, 1) if self.cases else 0
        return Sums(self.cases * share, self.total * share, self.squares * share)

    @property
    def mean(self) -> float:
        return self.total / self.cases

    @property
    def variance(self) -> float:
        """Of the sample; never below zero, where rounding would put it."""
        if self.cases <= 1:
            return 0.0
        return max(self.squares - self.total * self.mean, 0.0) / (self.cases - 1)


def pooled(others: Sequence[Sums]) -> Sums:
    """All together. Summed exactly, so that their order is of no matter."""
    return Sums(
        sum(other.cases for other in others),
        math.fsum(other.total for other in others),
        math.fsum(other.squares for other in others),
    )


def lent(own: float, cases: int, others: Sums) -> Sums:
    """What a group that has so many of the cases it learns from is lent: the less, the more it has of its own."""
    return others.worth(LENT * max(1 - own / cases, 0))


def rate_at_most(seen: Sums, sure: float) -> float:
    """The upper limit of a rate by Clopper and Pearson (1934), one-sided; 1 where nothing was seen.

    It covers with at least `sure`, for rates as small as these with more. Lent cases count as if they were seen.
    """
    missed = seen.cases - seen.total
    if missed <= 0:
        return 1.0
    return float(special.betaincinv(seen.total + 1, missed, sure))


def mean_at_most(seen: Sums, sure: float) -> float:
    """The upper limit of a mean by Student's t, one-sided; 1 where fewer than two were seen.

    It covers with `sure` only as nearly as the mean of so many is normal: hundreds of scores between bounds are.
    """
    if seen.cases < 2:
        return 1.0
    quantile = float(special.stdtrit(seen.cases - 1, sure))
    return min(seen.mean + quantile * math.sqrt(seen.variance / seen.cases), 1.0)


def quantile_at_most(ordered: Sequence[float], quantile: float, sure: float) -> float | None:
    """The upper limit of a quantile: the order statistic that is at least it with `sure`, whatever the distribution.

    How many of n values lie below a quantile is binomial (David and Nagaraja, Order Statistics, 7.1). None where even
    the largest value is not above it for sure.
    """
    n = len(ordered)
    if n < cases_for_quantile(quantile, sure):
        return None
    low, high = 0, n - 1
    while low < high:
        middle = (low + high) // 2
        if special.bdtr(middle, n, quantile) >= sure:
            high = middle
        else:
            low = middle + 1
    return ordered[low]


def cases_for_quantile(quantile: float, sure: float) -> int:
    """How many values it takes until the largest is at least their quantile with `sure`."""
    return math.ceil(math.log(1 - sure) / math.log(quantile))
