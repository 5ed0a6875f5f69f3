"""The price table: who changes it is told what is wrong, and what it does not tell stays unknown."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from aftercare.evidence.prices import PricesInvalid, read_prices

SHIPPED = Path(__file__).parents[2] / "policies" / "prices.yaml"
ROW = "since: 2025-01-01, source: ours"


def table(*rows: str) -> str:
    return "currency: EUR\nprices:\n" + "".join(f"  - {{{row}}}\n" for row in rows)


def test_the_shipped_table_is_whole_and_says_that_it_is_an_example() -> None:
    """Nobody is to take its figures for a vendor's."""
    text = SHIPPED.read_text("utf-8")
    prices = read_prices(text)
    assert all(row.model.startswith("example-") and "example" in row.source for row in prices.prices)
    assert prices.cost("example-small", 1_000_000, 500_000) == pytest.approx(0.30)


def test_an_unknown_model_costs_nobody_knows_what() -> None:
    """Unknown is never zero."""
    prices = read_prices(table(f"model: a, input: 1, output: 2, energy: 0.5, {ROW}"))
    assert prices.cost("b", 1000, 1000) is None
    assert prices.energy("b", 1000) is None
    assert prices.cost("a", 0, 0) == 0


def test_the_closest_row_counts() -> None:
    """The very name before a beginning, a longer beginning before a shorter one."""
    names = ("*", "big-*", "big-fast-*", "big-fast-1")
    prices = read_prices(table(*(f'model: "{name}", energy: {n}, {ROW}' for n, name in enumerate(names, 1))))
    told = [prices.energy(model, 1000) for model in ("big-fast-1", "big-fast-2", "big-slow", "other", "")]
    assert told == [4, 3, 2, 1, 1]


def test_a_row_holds_from_its_day_on() -> None:
    """A step keeps the price of its day; one whose day is unknown has the latest."""
    rows = [f"model: a, input: {n}, output: 0, since: 202{n}-01-01, source: ours" for n in (4, 5)]
    prices = read_prices(table(*rows))
    days = (date(2023, 6, 1), date(2024, 6, 1), date(2025, 6, 1), None)
    assert [prices.cost("a", 1_000_000, 0, day) for day in days] == [None, 4, 5, 5]


def test_a_row_that_tells_only_energy_leaves_the_price_to_the_next() -> None:
    """Each figure is looked for by itself."""
    prices = read_prices(table(f"model: a, energy: 1, {ROW}", f'model: "*", input: 3, output: 3, {ROW}'))
    assert prices.cost("a", 1_000_000, 0) == 3
    assert prices.energy("other", 1000) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (table(f"model: a, input: -1, output: 2, {ROW}"), r"p.yaml, row 1 \(a\), field input: .*greater than or equal"),
        (table(f"model: a, input: 1, {ROW}"), r"row 1 \(a\): input and output are given together"),
        (table(f"model: a, {ROW}"), r"row 1 \(a\): a row tells input and output, or energy"),
        (table(f"model: a*b, energy: 1, {ROW}"), r"row 1 \(a\*b\), field model: a \* stands for the rest"),
        (table(f"model: a, energy: .nan, {ROW}"), r"row 1 \(a\), field energy: .*finite"),
        (table(f"model: a, energy: 1, watts: 2, {ROW}"), r"row 1 \(a\), field watts: Extra inputs"),
        (table("model: a, energy: 1, source: ours"), r"row 1 \(a\), field since: Field required"),
        (table(*[f"model: a, energy: 1, {ROW}"] * 2), r"a since 2025-01-01 stands here a second time"),
        (table("energy: 1"), r"row 1, field model: Field required"),
        ("prices: []", r"field currency: Field required"),
        ("currency: euro", r"field currency: String should match"),
        ("- a\n- b", r"p.yaml: Input should be"),
        ("currency: [", r"p.yaml: while parsing"),
        ("currency: EUR\nprices: 3", r"field prices: "),
    ],
)
def test_what_is_wrong_is_named_by_row_and_field(text: str, told: str) -> None:
    """All of it at once, for whoever edits the file."""
    with pytest.raises(PricesInvalid, match=told):
        read_prices(text, "p.yaml")


def test_all_problems_are_told_together() -> None:
    """One look at the file is enough."""
    with pytest.raises(PricesInvalid) as raised:
        read_prices(table(f"model: a, energy: -1, {ROW}", f"model: b, energy: x, {ROW}"))
    assert len(raised.value.problems) == 2
