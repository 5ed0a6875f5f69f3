"""The detectors of the matrix: what each takes for an observation, and what it holds it against.

Each bets, case by case, that its group has become worse than usual (`edetector`), where what is usual is bounded from
the group's first cases (`baselines`). What each promises is the same: if what is usual lies within its bound, at least
`tolerated` cases of an agent pass, on average, between two false alarms of a row. That it does is as sure as
`Baseline.sure` says, for each group. What comes of both together is measured by `aftercare bench triggers`.
"""

from __future__ import annotations

import bisect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from aftercare.learning.baselines import (
    Sums,
    cases_for_quantile,
    lent,
    mean_at_most,
    quantile_at_most,
    rate_at_most,
)
from aftercare.learning.edetector import stakes_on_mean, stakes_on_rate
from aftercare.learning.groups import Group, Usual
from aftercare.messages.kinds import KINDS
from aftercare.messages.triggers import Baseline, Burst, Counts, Mean, Quantile, Rate, TriggerRow

Values = Iterable[tuple[str, float]]  # of one case: kind and value, the unknown left out
HOPELESS = 0.95  # a share that is usually as high cannot become worse in a way that could be seen
# So much of the way to the shift that is to be noticed is held to be chance or drift, and is no evidence. Rates go that
# way by multiples, means by sums.
ALIKE_RATE, ALIKE_MEAN = 1 / 2, 1 / 3
ENOUGH = 10  # cases against the agent: from fewer a rate is known to half or double of it only
DOUBTED = 10  # from this likelihood of a shift on, what comes is not learned to be usual


def counts_against(counts: Counts | None, value: float) -> bool:
    """Whether a value counts against the agent, by the bounds of its kind."""
    if counts is None:
        return False
    low, high = counts.at_least, counts.at_most
    return (low is not None and value >= low) or (high is not None and value <= high)


@dataclass(frozen=True)
class EDetector(ABC):
    """One detector of a row: `name` within it, the `kinds` it looks at, and what their values mean."""

    name: str
    kinds: tuple[str, ...]
    counts: tuple[tuple[str, Counts], ...]
    baseline: Baseline

    @abstractmethod
    def observed(self, values: Values) -> float | None:
        """What one case tells, in the kind's own unit; None where it tells nothing."""

    @abstractmethod
    def bounded(self, learned: Sums) -> Usual | None:
        """What is usual at most, of what was learned; None where nothing can be held against it."""

    def scaled(self, value: float, group: Group) -> float | None:
        """An observation as a number from 0 to 1, where 1 is worst; None where it cannot be told yet."""
        return value

    def unscaled(self, x: float | None) -> float | None:
        """The same in the unit that people read."""
        return x

    def usually(self, group: Group) -> float | None:
        """What is usual, as far as it is known, in the unit that people read."""
        return self.unscaled(group.learned.mean) if group.learned.cases else None

    def learning(self, group: Group) -> bool:
        """Whether the group has not learned from all of its first cases yet."""
        return group.learned.cases < self.baseline.cases

    def learn(self, group: Group, value: float) -> None:
        """Take one of the group's first observations as usual."""
        x = self.scaled(value, group)
        group.learned += Sums(1) if x is None else Sums(1, x, x * x)

    def observe(self, group: Group, value: float, judged: bool, others: Callable[[], Sums]) -> None:
        """Hold one case against what is usual, and then learn from it where the group still does.

        While a shift seems to be under way nothing is learned: what is worse from early on would become what is usual.
        """
        x = self.scaled(value, group)
        if judged and x is not None:
            group.watch(x, self._usual(group, others))
        if self.learning(group) and group.height < DOUBTED:
            self.learn(group, value)
        group.seen += 1
        if group.values and not self.learning(group):
            group.values = []  # the limit stands; a state is written with every check

    def _usual(self, group: Group, others: Callable[[], Sums]) -> Usual | None:
        """By what came before the case that is held against it: so that no case is its own excuse."""
        if not self.learning(group):
            group.usual = group.usual or self.bounded(group.learned)
            return group.usual
        own = group.learned
        return self.bounded(own + lent(own.cases, self.baseline.cases, others()))


@dataclass(frozen=True)
class RateDetector(EDetector):
    """The share of cases against the agent: `tolerated` cases pass between two false alarms, on average.

    A likelihood ratio of Bernoulli rates per size of shift, in a Shiryaev-Roberts mixture (Shin, Ramdas and Rinaldo
    2023). Usual is the upper limit of Clopper and Pearson, and at least the usual share times the root of `notice`:
    less than that is held to be chance or drift, and is no evidence. A rare rate is learned from up to twice as many
    cases, until enough of them counted against the agent.
    """

    notice: float

    def observed(self, values: Values) -> float | None:
        counts = dict(self.counts)
        told = [counts_against(counts.get(kind), value) for kind, value in values]
        return float(any(told)) if told else None

    def learning(self, group: Group) -> bool:
        learned, cases = group.learned, self.baseline.cases
        return learned.cases < cases or (learned.total < ENOUGH and learned.cases < 2 * cases)

    def bounded(self, learned: Sums) -> Usual | None:
        if not learned.cases:
            return None
        at_most = max(rate_at_most(learned, self.baseline.sure), learned.mean * self.notice**ALIKE_RATE)
        return Usual(at_most, stakes_on_rate(at_most, self.notice)) if at_most < HOPELESS else None


@dataclass(frozen=True)
class BurstDetector(RateDetector):
    """Each clause's share of the audited cases: `tolerated` cases pass between two false alarms of any clause.

    A rate detector per clause. Every audited case advances all clauses under watch, so that the threshold is
    `tolerated` times their number. A clause comes under watch when it is first broken: that first time is no evidence
    yet, or the number would depend on what is counted. Clauses lend each other nothing: each of them has been seen in
    as many cases as all others.
    """

    def _usual(self, group: Group, others: Callable[[], Sums]) -> Usual | None:
        return super()._usual(group, Sums)


@dataclass(frozen=True)
class MeanDetector(EDetector):
    """The mean of a kind between bounds: `tolerated` cases pass between two false alarms, on average.

    Betting on bounded means (Waudby-Smith and Ramdas 2024) as the increments of an e-detector (Shin, Ramdas and Rinaldo
    2023), whatever the distribution between the bounds. The stakes fit the shift to be noticed and the variance among
    the first cases. Usual is the upper limit by Student's t, and at least the usual mean and a third of `notice`. Of a
    case with several values their mean is taken.
    """

    notice: float
    low: float
    high: float
    low_is_worse: bool

    def observed(self, values: Values) -> float | None:
        told = [value for _, value in values]
        return math.fsum(told) / len(told) if told else None

    def scaled(self, value: float, group: Group) -> float | None:
        cut = min(max(value, self.low), self.high)
        beyond = self.high - cut if self.low_is_worse else cut - self.low
        return beyond / (self.high - self.low)

    def unscaled(self, x: float | None) -> float | None:
        if x is None:
            return None
        beyond = x * (self.high - self.low)
        return self.high - beyond if self.low_is_worse else self.low + beyond

    def bounded(self, learned: Sums) -> Usual | None:
        notice = self.notice / (self.high - self.low)
        if learned.cases < 2:
            return None
        at_most = max(mean_at_most(learned, self.baseline.sure), learned.mean + notice * ALIKE_MEAN)
        if not 0 < at_most < 1:
            return None
        return Usual(at_most, stakes_on_mean(at_most, notice, learned.variance))


@dataclass(frozen=True)
class QuantileDetector(EDetector):
    """The share of cases beyond the usual quantile: `tolerated` cases pass between two false alarms, on average.

    Beyond the upper limit of the group's usual quantile, which is an order statistic of its first cases, lie at most
    1 - quantile of all cases, whatever their distribution; that share is watched as a rate. A group is lent nothing:
    how long a case takes differs too much from intent to intent. Of a case with several values the largest is taken.
    """

    quantile: float
    notice: float

    def observed(self, values: Values) -> float | None:
        return max((value for _, value in values), default=None)

    def scaled(self, value: float, group: Group) -> float | None:
        return None if group.limit is None else float(value > group.limit)

    def usually(self, group: Group) -> float | None:
        return None if group.limit is None else 1 - self.quantile

    def learning(self, group: Group) -> bool:
        return group.learned.cases < max(self.baseline.cases, cases_for_quantile(self.quantile, self.baseline.sure))

    def learn(self, group: Group, value: float) -> None:
        bisect.insort(group.values, value)
        group.limit = quantile_at_most(group.values, self.quantile, self.baseline.sure)
        group.learned += Sums(1)

    def bounded(self, learned: Sums) -> Usual | None:
        return Usual(1 - self.quantile, stakes_on_rate(1 - self.quantile, self.notice))


def detectors_of(row: TriggerRow) -> tuple[EDetector, ...]:
    """The detectors of a row that raise alarms; a volume does not."""
    found: list[EDetector] = []
    for declared in row.detectors:
        if isinstance(declared, Rate | Mean | Quantile | Burst):
            found.append(_detector(row, declared, [detector.name for detector in found]))
    return tuple(found)


def _detector(row: TriggerRow, declared: Rate | Mean | Quantile | Burst, taken: Sequence[str]) -> EDetector:
    kinds = declared.of or tuple(row.evidence)
    name = declared.detector + (f":{'+'.join(declared.of)}" if declared.of else "")
    same = sum(1 for one in taken if one.split(" ")[0] == name)
    name = f"{name} {same + 1}" if same else name
    counts = tuple((kind, row.evidence[kind]) for kind in kinds if kind in row.evidence)
    of = (name, kinds, counts, row.baseline)
    match declared:
        case Rate():
            return RateDetector(*of, declared.notice)
        case Burst():
            return BurstDetector(*of, declared.notice)
        case Quantile():
            return QuantileDetector(*of, declared.quantile, declared.notice)
        case Mean():
            low, high = declared.within or _bounds_of(kinds[0])
            low_is_worse = any(bounds.at_most is not None for _, bounds in counts)
            return MeanDetector(*of, declared.notice, low, high, low_is_worse)


def _bounds_of(kind: str) -> tuple[float, float]:
    known = KINDS.get(kind)
    if known is None or known.lowest is None or known.highest is None:
        raise ValueError(f"a mean of {kind} needs bounds: it has none of its own")
    return known.lowest, known.highest
