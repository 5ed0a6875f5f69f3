"""What an episode took: known only where every step that used a model is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercare.evidence.operational import cost, energy, handling_time, latency, percentile, tokens
from aftercare.evidence.prices import read_prices
from aftercare.messages.case import Step

PRICES = read_prices(
    """
    currency: EUR
    prices: [{model: small, since: 2025-01-01, source: ours, input: 1, output: 10, energy: 0.2}]
    """
)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def steps(*told: dict[str, Any]) -> tuple[Step, ...]:
    return tuple(Step(number=number, kind="reply", **fields) for number, fields in enumerate(told, 1))


def used(model: str = "small", read: int = 1000, written: int = 100, **more: Any) -> dict[str, Any]:
    return {"model": model, "input_tokens": read, "output_tokens": written, **more}


def test_latency_is_summed_and_spread_over_the_steps_that_told_any() -> None:
    """How many told is told as well."""
    piece = latency(steps({"latency": 1}, {"latency": 3}, {}))
    assert piece.value == 4
    assert piece.payload == {"p50": 2, "p95": 2.9, "told": 2, "of": 3}


def test_what_no_step_told_is_unknown() -> None:
    """Never zero."""
    silent = steps({}, {})
    assert [
        piece.value for piece in (latency(silent), tokens(silent), cost(silent, PRICES), energy(silent, PRICES))
    ] == [None] * 4


def test_tokens_are_the_told_sum_or_both_sides_together() -> None:
    """Input and output stand apart where they are known."""
    piece = tokens(steps(used(), {"tokens": 50}, {}))
    assert piece.value == 1150
    assert piece.payload == {"of": 2, "unknown": 0, "input": 1000, "output": 100}


def test_the_agents_own_cost_comes_before_the_table() -> None:
    """It knows what it paid."""
    assert cost(steps(used(), used(cost=0.5)), PRICES).value == pytest.approx(0.002 + 0.5)
    assert cost(steps(used()), PRICES).unit == "EUR"


def test_one_unknown_step_makes_the_cost_unknown_and_says_so() -> None:
    """A sum of what happens to be known would pass for the whole."""
    piece = cost(steps(used(), used("large"), {"model": "small", "tokens": 5}), PRICES)
    assert piece.value is None
    assert piece.payload == {"of": 3, "unknown": 2, "steps": [2, 3], "known": pytest.approx(0.002)}


def test_without_a_table_only_told_costs_are_known() -> None:
    """And no energy at all."""
    assert cost(steps({"cost": 0.1}, {"cost": 0.2}), None).value == pytest.approx(0.3)
    assert cost(steps(used()), None).value is None
    assert energy(steps(used()), None).value is None


def test_energy_is_by_token() -> None:
    """The sum is enough; which side they were on does not matter."""
    assert energy(steps(used(), {"model": "small", "tokens": 900}), PRICES).value == pytest.approx(0.4)


def test_what_is_below_zero_tells_nothing() -> None:
    """A broken clock or counter is no credit."""
    assert latency(steps({"latency": -3})).value is None
    assert tokens(steps({"tokens": -3})).value is None
    assert cost(steps({"cost": -3}), PRICES).value is None


def test_handling_time_runs_from_the_opening_to_the_ending() -> None:
    """From the first step where the case was registered only afterwards."""
    later = NOON + timedelta(minutes=5)
    assert handling_time(steps({}), NOON, later).value == 300
    assert handling_time(steps({"at": NOON}), later, later).value == 300


def test_handling_time_is_unknown_where_an_end_is() -> None:
    """Or where the clocks contradict each other."""
    assert handling_time(steps({"at": NOON}), NOON, None).value is None
    assert handling_time(steps({}), None, NOON).value is None
    assert handling_time(steps({}), NOON, NOON - timedelta(seconds=1)).value is None


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 1))
def test_a_percentile_lies_within_what_was_measured(told: list[float], share: float) -> None:
    """Whatever the share; and the ends are the ends."""
    ordered = sorted(told)
    assert ordered[0] <= percentile(ordered, share) <= ordered[-1] * (1 + 1e-12)
    assert (percentile(ordered, 0), percentile(ordered, 1)) == (ordered[0], ordered[-1])


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=8))
def test_costs_add_up(read: list[int]) -> None:
    """What an episode costs is what its steps cost."""
    each = [cost(steps(used(read=tokens_in)), PRICES).value or 0 for tokens_in in read]
    assert cost(steps(*(used(read=tokens_in) for tokens_in in read)), PRICES).value == pytest.approx(sum(each))
