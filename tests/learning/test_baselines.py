"""What is usual is bounded so as to be as sure of it as was asked, and small groups are lent what others know."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]

from aftercare.learning.baselines import (
    LENT,
    Sums,
    cases_for_quantile,
    lent,
    mean_at_most,
    pooled,
    quantile_at_most,
    rate_at_most,
)

sums = st.tuples(st.integers(0, 300), st.floats(0, 1)).map(lambda s: Sums(s[0], s[0] * s[1], s[0] * s[1]))


@pytest.mark.parametrize("sure", [0.8, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("rate", [0.005, 0.02, 0.1, 0.4])
def test_the_bound_of_a_rate_covers_at_least_as_often_as_promised(rate: float, sure: float) -> None:
    """Exactly, over all that 300 cases can show."""
    shown = range(301)
    covers = [rate_at_most(Sums(300, part), sure) >= rate for part in shown]
    assert stats.binom.pmf(shown, 300, rate)[covers].sum() >= sure


def test_the_bound_of_a_rate_is_that_of_the_literature() -> None:
    """None of ten: the rule of three's exact form; and nothing seen says nothing."""
    assert rate_at_most(Sums(10, 0), 0.95) == pytest.approx(1 - 0.05 ** (1 / 10))
    assert rate_at_most(Sums(20, 2), 0.95) == pytest.approx(stats.binomtest(2, 20).proportion_ci(0.9).high)
    assert rate_at_most(Sums(), 0.9) == rate_at_most(Sums(7, 7), 0.9) == 1


def test_the_bound_of_a_mean_is_students() -> None:
    """As scipy has it."""
    x = np.array([0.1, 0.4, 0.35, 0.8, 0.2])
    told = Sums(len(x), x.sum(), (x**2).sum())
    assert mean_at_most(told, 0.9) == pytest.approx(stats.ttest_1samp(x, 0).confidence_interval(0.8).high)
    assert mean_at_most(Sums(1, 0.2, 0.04), 0.9) == 1
    assert mean_at_most(Sums(5, 5, 5), 0.9) == 1


@pytest.mark.parametrize("sure", [0.9, 0.95])
@pytest.mark.parametrize("quantile", [0.5, 0.9, 0.95])
def test_the_bound_of_a_quantile_covers_as_often_as_promised(quantile: float, sure: float) -> None:
    """Of n uniform values the k-th smallest is a beta; one place lower it would not be enough."""
    n = 300
    limit = quantile_at_most(range(1, n + 1), quantile, sure)
    assert limit is not None
    k = int(limit)
    assert stats.beta.sf(quantile, k, n - k + 1) >= sure
    assert stats.beta.sf(quantile, k - 1, n - k + 2) < sure


def test_few_values_cannot_bound_a_quantile() -> None:
    """Wilks (1941): 59 values until the largest is above the 95th percentile with 95%."""
    assert cases_for_quantile(0.95, 0.95) == 59
    assert quantile_at_most(range(58), 0.95, 0.95) is None
    assert quantile_at_most(range(59), 0.95, 0.95) == 58


@given(sums, st.integers(0, 400))
def test_the_more_a_group_has_the_less_it_is_lent(others: Sums, own: int) -> None:
    """Never more than the others have, nothing once it has learned, and always their mean."""
    given_to = lent(own, 300, others)
    assert given_to.cases <= min(LENT, others.cases)
    assert given_to.cases <= LENT * max(1 - own / 300, 0) + 1e-9
    if given_to.cases:
        assert given_to.mean == pytest.approx(others.mean)


@given(st.lists(sums, max_size=20), st.randoms(use_true_random=False))
def test_what_others_know_is_the_same_in_whatever_order(others: list[Sums], random: object) -> None:
    """A store gives states in any order; the same evidence makes the same states."""
    shuffled = list(others)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert pooled(shuffled) == pooled(others)
