"""Triggers for people: tables that fit a terminal, shares in per cent, times on the reader's own clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from aftercare.commands.answering import safe
from aftercare.commands.case_story import local
from aftercare.commands.trigger_book import Book
from aftercare.lifecycle.story import in_words
from aftercare.messages.improvement import Firing, FiringStatus, GroupStanding, TriggerStanding
from aftercare.messages.triggers import Burst, Counts, Detector, Mean, Quantile, Rate, TriggerRow, Volume

COLOURS = {
    FiringStatus.STARTED: "yellow",
    FiringStatus.FAILED: "red",
    FiringStatus.RELEASED: "green",
    FiringStatus.REFUSED: "red",
}
COUNTED = 1_000  # above it a figure is told without a fraction
MEAN = "mean"  # what the detectors of a mean are named after; all others watch a share


def table(*columns: str, right: Sequence[int] = ()) -> Table:
    """A table of ours."""
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for number, column in enumerate(columns):
        shown.add_column(column, justify="right" if number in right else "left", overflow="fold")
    return shown


def minute(at: datetime | None) -> str:
    """A moment on the reader's own clock, as near as people need it."""
    return local(at)[:16]


def rows_of(book: Book) -> Iterator[Text]:
    """The rows of a book, some lines each."""
    yield Text(safe(f"Book {book.name}: {book.origin}"))
    for name, row in book.loaded.matrix.triggers.items():
        counts = ", ".join(_counts(kind, bound) for kind, bound in row.evidence.items())
        by = "" if row.group_by == "none" else f", by {row.group_by}"
        yield Text(f"\n{name}", "bold")
        yield Text(safe(f"  {row.says}"))
        yield Text(f"  counts   {counts}{by}")
        yield Text(f"  notices  {', '.join(_notices(detector) for detector in row.detectors)}")
        yield Text(f"  starts   {row.starts}, {_budget(row)} in 7 days, at least {_span(row.cooldown)} apart")


def standings(
    told: Sequence[TriggerStanding], rows: Mapping[str, TriggerRow], checked: Mapping[tuple[str, str], datetime]
) -> Iterator[RenderableType]:
    """How rows stand, a line each; by group where it is one."""
    if len(told) == 1:
        yield from _in_full(told[0], rows[told[0].trigger], checked.get((told[0].agent, told[0].trigger)))
        return
    for agent in dict.fromkeys(standing.agent for standing in told):
        yield Text(safe(f"Agent {agent}"), "bold")
        shown = table("row", "waiting", "nearest", "lately", "usual", "evidence", "state", right=(1, 3, 4, 5))
        for standing in told:
            if standing.agent == agent:
                state = _state(standing, checked.get((agent, standing.trigger)))
                shown.add_row(standing.trigger, _waiting(standing), *_nearest(standing), state)
        yield shown


def firings(told: Sequence[Firing]) -> Iterator[RenderableType]:
    """Firings, a line each."""
    shown = table("firing", "when", "status", "cases", "because", right=(3,))
    for firing in told:
        status = Text(firing.status, COLOURS.get(firing.status, ""))
        shown.add_row(safe(firing.id), minute(firing.at), status, f"{firing.cases:,}", safe(firing.because))
    yield shown


def standing_now(told: TriggerStanding, before: str) -> Iterator[Text]:
    """What a supervisor answered: how its row stands now."""
    yield Text(before)
    yield Text(f"  {_waiting(told)} cases against the agent that no firing has claimed")
    if told.due:
        yield Text(safe(f"  due: {told.due}"), "yellow")
    yield Text.assemble("  ", _state(told, told.at))
    if told.problem:
        yield Text(safe(f"  {told.problem}"), "red")


def _in_full(told: TriggerStanding, row: TriggerRow, checked: datetime | None) -> Iterator[RenderableType]:
    yield Text(safe(f"{told.trigger}, agent {told.agent}"), "bold")
    yield Text(safe(told.says or row.says))
    yield Text.assemble("state     ", _state(told, checked))
    yield Text(f"waiting   {_waiting(told)} cases against the agent that no firing has claimed")
    yield Text(f"checked   {minute(checked) or 'never'}")
    if told.due:
        yield Text(safe(f"due       {told.due}"), "yellow")
    if told.last:
        yield Text(safe(f"last      {told.last.id}, {minute(told.last.at)}, {told.last.status}: {told.last.because}"))
    if told.problem:
        yield Text(safe(f"problem   {told.problem}"), "red")
    if told.groups:
        yield Text()
        yield _groups(told.groups)
    else:
        yield Text("No evidence of this row has been counted yet.")


def _nearest(told: TriggerStanding) -> Sequence[RenderableType]:
    if not told.groups:
        return ("-",) * 4
    near = told.groups[0]
    return safe(near.group or "all"), _lately(near), _figure(near, near.baseline), reach(near)


def _groups(groups: Sequence[GroupStanding]) -> Table:
    shown = table("detector", "group", "release", "cases", "lately", "usual", "evidence", right=(3, 4, 5, 6))
    for group in groups:
        figures = (_lately(group), _figure(group, group.baseline), reach(group))
        shown.add_row(
            group.detector, safe(group.group or "all"), safe(group.release or "-"), f"{group.cases:,}", *figures
        )
    return shown


def _figure(group: GroupStanding, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3g}" if group.detector.startswith(MEAN) else f"{value:.1%}"


def _lately(group: GroupStanding) -> str:
    """Since a shift seems to have begun, or since the statistic began anew."""
    return _figure(group, group.statistic if group.lately is None else group.lately)


def reach(group: GroupStanding) -> Text:
    """How much evidence there is, of what is needed."""
    told = f"{group.evidence:,.3g}" if group.evidence < COUNTED else f"{group.evidence:,.0f}"
    return Text(f"{told} of {group.threshold:,.0f}", "yellow" if group.alarmed else "")


def _waiting(told: TriggerStanding) -> str:
    return f"{told.waiting:,} of {told.volume:,}" if told.volume else f"{told.waiting:,}"


def _state(told: TriggerStanding, checked: datetime | None) -> Text:
    """What it waits for, the strongest first."""
    if told.paused_by:
        why = f": {told.pause_reason}" if told.pause_reason else ""
        return Text(safe(f"paused by {told.paused_by}{why}"), "yellow")
    if told.open:
        return Text(f"improving, cycle {told.open.cycle}", "yellow")
    if told.last and (until := told.last.at + told.cooldown) > told.at:
        return Text(f"{'due, ' if told.due else ''}cooling down until {minute(until)}")
    if told.over_budget_until and told.over_budget_until > told.at:
        return Text(f"{'due, ' if told.due else ''}over its budget until {minute(told.over_budget_until)}")
    fired = f", last fired {local(told.last.at)[:10]}" if told.last else ""
    if told.due:
        return Text(f"due{fired}", "yellow")
    return Text(f"watching{fired}") if checked else Text("not checked yet", "dim")


def _counts(kind: str, counts: Counts) -> str:
    if counts.at_least is not None:
        return f"{kind} >= {counts.at_least:g}"
    return f"{kind} <= {counts.at_most:g}" if counts.at_most is not None else kind


def _notices(detector: Detector) -> str:
    of = f" of {', '.join(detector.of)}" if not isinstance(detector, Volume) and detector.of else ""
    match detector:
        case Rate():
            return f"{detector.notice:g} x the rate{of}"
        case Mean():
            return f"a mean {detector.notice:g} worse{of}"
        case Quantile():
            return f"{detector.notice:g} x beyond p{detector.quantile * 100:g}{of}"
        case Burst():
            return f"{detector.notice:g} x a clause"
        case Volume():
            return f"{detector.cases:,} cases"


def _budget(row: TriggerRow) -> str:
    cost = f" and a cost of {row.budget.cost:g}" if row.budget.cost is not None else ""
    return f"at most {row.budget.children}{cost}"


def _span(time: timedelta) -> str:
    return f"{time.days} d" if time.days and not time.seconds else in_words(time)
