"""Intervals agree with the literature, hold their value, and narrow as there is more to tell from."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercare.learning.intervals import (
    Estimate,
    difference,
    difference_of_means,
    mean,
    percentile,
    ratio,
    share,
    weighted,
)

# Student's sleep data: extra hours of sleep under two drugs.
FIRST = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SECOND = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
numbers = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60)
amounts = st.lists(st.tuples(st.floats(0, 1e6), st.booleans()), min_size=1, max_size=60)
counts = st.integers(0, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_a_share_has_the_score_interval_of_the_literature(part: int, whole: int, low: float, high: float) -> None:
    """Newcombe (1998), Statistics in Medicine 17:857, table I, method 3."""
    found = share(part, whole)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("a", "b", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_two_shares_differ_as_in_the_literature(
    a: tuple[int, int], b: tuple[int, int], low: float, high: float
) -> None:
    """Newcombe (1998), Statistics in Medicine 17:873, table II, method 10."""
    found = difference(share(*a), share(*b))
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


def test_means_have_the_intervals_of_the_literature() -> None:
    """Student's sleep data, as R's t.test gives them: one mean, and Welch's difference of two."""
    one, two = mean(FIRST), difference_of_means(FIRST, SECOND)
    assert (one.value, one.low, one.high) == pytest.approx((0.75, -0.5297804, 2.0297804), abs=1e-6)
    assert (two.value, two.low, two.high) == pytest.approx((-1.58, -3.3654832, 0.2054832), abs=1e-6)


@pytest.mark.parametrize(("n", "low", "high"), [(10, 2, 9), (20, 6, 15), (30, 10, 21)])
def test_a_median_lies_between_the_ranks_of_the_literature(n: int, low: int, high: int) -> None:
    """The usual table of ranks for the median: for 10 values the second and the ninth."""
    found = percentile(range(1, n + 1), 0.5)
    assert (found.low, found.high) == (low, high)


def test_a_percentile_nobody_can_bound_has_no_bound() -> None:
    """Of 71 values the 95th percentile may lie above them all; of 72 it may not."""
    assert percentile(range(71), 0.95).high is None
    assert percentile(range(72), 0.95).high == 71


def test_a_ratio_has_fiellers_interval() -> None:
    """Its ends are the ratios r at which top - r * bottom is just not told from zero."""
    tops, bottoms = [float(n % 7) for n in range(40)], [float(n % 3 > 0) for n in range(40)]
    found = ratio(tops, bottoms)
    for end in (found.low, found.high):
        assert end is not None
        left = mean([t - end * b for t, b in zip(tops, bottoms, strict=True)])
        assert min(abs(left.low or 0), abs(left.high or 0)) == pytest.approx(0, abs=1e-9)


def test_a_ratio_to_what_may_be_nothing_has_no_interval() -> None:
    """One durable case in ten may have been luck; where there is none at all there is no ratio either."""
    assert ratio([1.0] * 10, [1.0] + [0.0] * 9) == Estimate(value=10, n=10)
    assert ratio([1.0] * 10, [0.0] * 10) == Estimate(n=10)


def test_of_nothing_nothing_is_known() -> None:
    """Unknown is null, never zero."""
    nothing = Estimate(value=None, low=None, high=None, n=0)
    assert [share(0, 0), mean([]), percentile([], 0.5), ratio([], []), difference_of_means([], [1])] == [nothing] * 5
    assert difference(share(1, 2), share(0, 0)) == nothing


def test_values_that_are_all_the_same_tell_nothing_of_their_spread() -> None:
    """Three customers who gave a 5 do not make a certainty; nor does one alone."""
    assert mean([5, 5, 5], 1, 5) == Estimate(value=5, n=3)
    assert mean([4], 1, 5) == Estimate(value=4, n=1)


def test_no_interval_leaves_the_scale() -> None:
    """A score from 1 to 5 cannot be 5.4."""
    assert mean([5, 5, 4], 1, 5).high == 5


@given(counts)
def test_a_share_lies_in_its_interval(told: tuple[int, int]) -> None:
    """And the interval between 0 and 1."""
    found = share(*told)
    if found.value is not None:
        assert found.low is not None
        assert found.high is not None
        assert 0 <= found.low <= found.value <= found.high <= 1


@given(numbers, st.floats(0.01, 0.99))
def test_means_and_percentiles_lie_in_their_intervals(values: list[float], below: float) -> None:
    """Whatever the values."""
    for found in (mean(values), percentile(values, below), difference_of_means(values, values[:3])):
        assert _holds(found)


@given(amounts)
def test_a_ratio_lies_in_its_interval(told: list[tuple[float, bool]]) -> None:
    """Whatever was spent, and on how few."""
    assert _holds(ratio([spent for spent, _ in told], [float(lasted) for _, lasted in told]))


@given(counts, counts)
def test_a_difference_turns_round_with_its_sides(a: tuple[int, int], b: tuple[int, int]) -> None:
    """b less a is a less b with the sign and the ends turned round."""
    one, other = difference(share(*a), share(*b)), difference(share(*b), share(*a))
    if one.value is not None:
        assert _holds(one)
        assert (one.low, one.high) == pytest.approx((-other.high, -other.low))  # type: ignore[operator]


@given(st.integers(1, 20), st.integers(0, 20), st.integers(2, 50))
def test_intervals_narrow_as_there_are_more(up: int, down: int, times: int) -> None:
    """The same values over and over."""
    few, many = share(up, up + down), share(up * times, (up + down) * times)
    assert _width(many) < _width(few)
    values = [float(n) for n in range(up + 2)]
    assert _width(mean(values * times)) < _width(mean(values))
    assert _width(percentile(values * times * 10, 0.5)) <= _width(percentile(values * 10, 0.5))


def test_a_sum_of_estimates_is_unknown_where_one_of_them_is() -> None:
    """And its interval where one of theirs is."""
    known, unknown, unbounded = share(1, 2), Estimate(), Estimate(value=1, n=1)
    assert weighted([(1, known), (1, unknown)]).value is None
    assert weighted([(1, known), (1, unbounded)]) == Estimate(value=1.5, n=1)


def _holds(found: Estimate) -> bool:
    value = found.value
    below = found.low is None or (value is not None and found.low <= value)
    return below and (found.high is None or (value is not None and value <= found.high))


def _width(found: Estimate) -> float:
    return math.inf if found.low is None or found.high is None else found.high - found.low
