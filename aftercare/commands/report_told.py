"""Reports for people: tables that fit a terminal, every figure with its interval and n."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from aftercare.commands.answering import safe
from aftercare.commands.case_story import local
from aftercare.learning.comparison import Compared, Finding
from aftercare.learning.figures import Figure, Group
from aftercare.learning.intervals import Estimate
from aftercare.learning.measures import MEASURES
from aftercare.reporting import Comparison, Report

USUAL = ("claimed", "verified", "durable", "csat")
MOST = 4  # figures side by side
TIMES = ((86_400, "d"), (3_600, "h"), (60, "min"))
COLOURS = {Finding.HIGHER: "bold", Finding.LOWER: "bold", Finding.TOO_FEW: "dim"}


def figures(report: Report) -> Iterator[RenderableType]:
    """Every figure in a line of its own; those that nothing is known of are only named."""
    (group,) = report.groups
    yield _about(report)
    if not group.cases:
        return
    known = [figure for figure in group.figures if figure.n]
    table = _table("figure", "value", "95% interval", "n", "what it says", right=(1, 2, 3))
    for figure in known:
        says = f"{MEASURES[figure.name].says}, of {figure.of}"
        table.add_row(
            figure.name, _value(figure.value, figure.unit), _interval(figure, figure.unit), _n(figure.n), says
        )
    yield table
    yield from _unknown([f.name for f in group.figures if not f.n])


def groups(report: Report, names: Sequence[str] = ()) -> Iterator[RenderableType]:
    """A line for each group, with a few figures side by side."""
    shown = (tuple(names) or USUAL)[:MOST]
    table = _table(str(report.by), "cases", *shown, right=(1,))
    for group in report.groups:
        table.add_row(safe(group.group), _n(group.cases), *(_cell(group, name) for name in shown))
    rest = "; --figure shows others, --json all" if not names else ""
    below = f"Each figure with its n and 95% interval; - where nothing is known{rest}."
    yield _about(report)
    if report.groups:
        yield table
        yield Text(below, "dim")


def compared(told: Comparison) -> Iterator[RenderableType]:
    """A line for each figure that both sides know."""
    about = f"a: {told.a}, {told.cases_a:,} cases; b: {told.b}, {told.cases_b:,} cases"
    if told.intents is not None:
        about += f"; of the same intent only: {', '.join(told.intents) or 'they share none'}"
    known = [figure for figure in told.figures if figure.a.n and figure.b.n]
    table = _table("figure", "a", "n", "b", "n", "a - b", "95% interval", "a is", right=(1, 2, 3, 4, 5, 6))
    for figure in known:
        table.add_row(*_compared(figure))
    few = f"Too few: fewer than {told.minimum} on a side, or too few for an interval."
    yield Text(safe(about))
    if known:
        yield table
        yield Text(few, "dim")
    yield from _unknown([f.name for f in told.figures if not (f.a.n and f.b.n)], " on one side or both")


def _compared(figure: Compared) -> list[RenderableType]:
    apart = figure.difference
    return [
        figure.name,
        _value(figure.a.value, figure.unit),
        _n(figure.a.n),
        _value(figure.b.value, figure.unit),
        _n(figure.b.n),
        _value(apart.value, figure.unit, signed=True) if apart else "-",
        _interval(apart, figure.unit, signed=True) if apart else "-",
        Text(figure.finding, COLOURS.get(figure.finding, "")),
    ]


def _about(report: Report) -> Text:
    told = f"{report.of}: {report.cases:,} cases"
    if report.opened_first and report.opened_last:
        told += f", opened {_day(report.opened_first)} to {_day(report.opened_last)}"
    if report.unsettled:
        told += f"; {report.unsettled:,} more have not settled, and are in no figure"
    return Text(safe(told))


def _day(at: datetime) -> str:
    try:
        return local(at)
    except (OverflowError, ValueError):  # the reader's clock does not show so late or early a time
        return str(at)


def _unknown(names: Sequence[str], where: str = "") -> Iterator[Text]:
    if names:
        yield Text(f"Nothing is known{where} of: {', '.join(names)}.", "dim")


def _cell(group: Group, name: str) -> str:
    figure = next(f for f in group.figures if f.name == name)
    value = f"{_value(figure.value, figure.unit)}, n {_n(figure.n)}"
    return "-" if figure.value is None else f"{value}\n{_interval(figure, figure.unit)}"


def _value(value: float | None, unit: str, signed: bool = False) -> str:
    """A value for people: shares in per cent, times in what suits them."""
    sign = "+" if signed else ""
    if value is None:
        return "-"
    match unit:
        case "share":
            return f"{value:{sign}.1%}"
        case "s":
            size, name = next(((s, n) for s, n in TIMES if abs(value) >= s), (1, "s"))
            return f"{value / size:{sign}.3g} {name}"
        case "1-5" | "1-7":
            return f"{value:{sign}.2f}"
        case _:
            return f"{value:{sign}.4g}"


def _interval(estimate: Estimate | Figure, unit: str, signed: bool = False) -> str:
    if estimate.low is None and estimate.high is None:
        return "-"
    low, high = (_value(end, unit, signed) if end is not None else "?" for end in (estimate.low, estimate.high))
    return f"{low} to {high}"


def _n(n: int) -> str:
    return f"{n:,}"


def _table(*columns: str, right: Sequence[int] = ()) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number in right else "left", overflow="fold")
    return table
