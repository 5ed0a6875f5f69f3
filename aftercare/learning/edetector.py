"""The e-detector: evidence that something has become worse, good to be looked at after every case.

Shin, Ramdas and Rinaldo, "E-detectors: a nonparametric framework for sequential change detection" (New England Journal
of Statistics in Data Science, 2023; arXiv 2203.03532). Per size of shift a Shiryaev-Roberts statistic R <- (1 + R) * L
is kept, where L is at least 0 and on average at most 1 while nothing is worse than usual. So R less the number of cases
is a supermartingale: it takes at least A cases, on average, until R reaches A without a cause. The mean over the sizes
of shift has the same property.

L is a bet (Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", Journal of the Royal
Statistical Society B, 2024): 1 + stake * (x - usual), x between 0 and 1, with a stake so small that L stays positive.
For a rate, where x is 0 or 1, that is the likelihood ratio of the worse rate to the usual one.
"""

from __future__ import annotations

from collections.abc import Sequence

SIZES = (0.5, 1.0, 1.5, 2.5)  # of the shift to be noticed; the first is what is left of it above a bounded baseline
NOTICED = 1  # the size that is the shift itself
LEAST = 0.1  # no single case takes more than nine tenths of the evidence
MOST = 1e12  # evidence beyond that says no more, and would not fit into a float for ever


def stakes_on_rate(usual: float, notice: float) -> tuple[float, ...]:
    """The stakes against a rate of at most `usual`: for shifts to it times `notice`, and to powers of that."""
    worst = 1 - LEAST * (1 - usual)
    worse = (min(usual * notice**size, worst) for size in SIZES)
    return tuple((rate - usual) / (usual * (1 - usual)) for rate in worse)


def stakes_on_mean(usual: float, notice: float, variance: float) -> tuple[float, ...]:
    """The stakes against a mean of at most `usual`: for shifts by `notice`, and by multiples of that.

    shift / (variance + shift^2) makes the evidence grow fastest, to second order, where that is the shift.
    """
    shifts = (min(notice * size, 1 - usual) for size in SIZES)
    return tuple(min(shift / (variance + shift * shift), (1 - LEAST) / usual) if shift > 0 else 0.0 for shift in shifts)


def grown(evidence: Sequence[float], stakes: Sequence[float], beyond: float) -> list[float]:
    """The evidence per size of shift after one more case that lies so far `beyond` what is usual."""
    return [min((1 + r) * (1 + stake * beyond), MOST) for r, stake in zip(evidence, stakes, strict=True)]
