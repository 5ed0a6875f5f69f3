"""Triggers for people: tables that fit a terminal, shares in per cent, times on the reader's own clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from aftercare.commands.answering import Hanging, safe
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
Checked = Mapping[tuple[str, str], datetime]  # when each row was last checked, by agent and trigger
COUNTED = 1_000  # above it a figure is told without a fraction
MEAN = "mean"  # what the detectors of a mean are named after; all others watch a share


def table(*columns: str, right: Sequence[int] = (), whole: Sequence[int] = ()) -> Table:
    """A table of ours. The `whole` columns are never folded."""
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for number, column in enumerate(columns):
        shown.add_column(
            column, justify="right" if number in right else "left", overflow="fold", no_wrap=number in whole
        )
    return shown


def minute(at: datetime | None) -> str:
    """A moment on the reader's own clock, as near as people need it."""
    return local(at)[:16]


def problems_of(book: Book) -> Iterator[RenderableType]:
    """What is wrong with the edited book, where it does not hold: this terminal's, which may be no worker's."""
    if book.problems:
        told = (
            f"{book.place}, of this terminal's AFTERCARE_POLICIES, does not hold; a worker keeps to the last that did"
        )
        yield Hanging("", told, "red")
        yield from (Hanging("  ", problem, "red") for problem in book.problems)


def rows_of(book: Book) -> Iterator[RenderableType]:
    """The rows of a book, some lines each."""
    yield Hanging("", f"Book {book.name}: {book.origin}")
    yield from problems_of(book)
    for name, row in book.loaded.matrix.triggers.items():
        counts = ", ".join(_counts(kind, bound) for kind, bound in row.evidence.items())
        by = "" if row.group_by == "none" else f", by {row.group_by}"
        yield Text(f"\n{name}", "bold")
        yield Hanging("  ", row.says)
        yield Hanging("  counts   ", f"{counts}{by}")
        yield Hanging("  notices  ", ", ".join(_notices(detector) for detector in row.detectors))
        yield Hanging("  starts   ", f"{row.starts}, {_budget(row)} in 7 days, at least {_span(row.cooldown)} apart")


def standings(told: Sequence[TriggerStanding], book: Book, checked: Checked) -> Iterator[RenderableType]:
    """How rows stand, a line each; by group where it is one."""
    rows, stale = book.loaded.matrix.triggers, 2 * book.loaded.matrix.check.at_most
    if len(told) == 1:
        (one,) = told
        yield from _in_full(one, rows.get(one.trigger), checked.get((one.agent, one.trigger)), stale)
        return
    for agent in dict.fromkeys(standing.agent for standing in told):
        yield Text(safe(f"Agent {agent}"), "bold")
        of_agent = [standing for standing in told if standing.agent == agent]
        shown = table("row", "waiting", "nearest", "lately", "usual", "evidence", right=(1, 3, 4, 5), whole=(0,))
        states: dict[tuple[str, str], list[str]] = {}
        for standing in of_agent:
            row = rows.get(standing.trigger)
            shown.add_row(standing.trigger, _waiting(standing), *_nearest(standing, row))
            stands = state(standing, row, checked.get((agent, standing.trigger)), stale)
            states.setdefault((stands.plain, str(stands.style)), []).append(standing.trigger)
        yield shown
        for (told_of, style), names in states.items():
            yield Hanging("  ", f"{told_of}: {', '.join(names)}", style)


def firings(told: Sequence[Firing]) -> Iterator[RenderableType]:
    """Firings, a line each."""
    shown = table("firing", "when", "status", "cases", "because", right=(3,), whole=(1, 2))
    for firing in told:
        status = Text(firing.status, COLOURS.get(firing.status, ""))
        shown.add_row(safe(firing.id), minute(firing.at), status, f"{firing.cases:,}", safe(firing.because))
    yield shown


def standing_now(told: TriggerStanding, before: str) -> Iterator[RenderableType]:
    """What a supervisor answered: how its row stands now."""
    yield Hanging("", before)
    yield Text(f"  {_waiting(told)} cases against the agent that no firing has claimed")
    if told.due:
        yield Hanging("  due: ", told.due, "yellow")
    if told.open:
        yield Hanging("  fired: ", f"{_fired(told.open)}; `aftercare trigger show {told.open.id}` follows it", "green")
    yield Text.assemble("  ", _working(told))
    yield from (Hanging("  ", problem, "red") for problem in told.problem.splitlines())


def _in_full(
    told: TriggerStanding, row: TriggerRow | None, checked: datetime | None, stale: timedelta
) -> Iterator[RenderableType]:
    yield Text(safe(f"{told.trigger}, agent {told.agent}"), "bold")
    if says := told.says or (row.says if row else ""):
        yield Hanging("", says)
    stands = state(told, row, checked, stale)
    yield Hanging("state     ", stands)
    yield Text(f"waiting   {_waiting(told)} cases against the agent that no firing has claimed")
    yield Text(f"checked   {minute(checked) or 'never'}")
    if told.due:
        yield Hanging("due       ", told.due, "yellow")
    if told.last:
        yield Hanging(
            "last      ", f"{_fired(told.last)} {minute(told.last.at)}, {told.last.status}: {told.last.because}"
        )
    yield from (Hanging("problem   ", problem, "red") for problem in told.problem.splitlines())
    if told.groups:
        yield Text()
        yield _groups(told.groups, row)
    elif row:
        yield Text("No evidence of this row has been counted yet.")


def _fired(firing: Firing) -> str:
    return f"{firing.id}, {firing.cases:,} case{'' if firing.cases == 1 else 's'},"


def _nearest(told: TriggerStanding, row: TriggerRow | None) -> Sequence[RenderableType]:
    if not told.groups:
        return ("-",) * 4
    near = told.groups[0]
    return safe(near.group or "all"), _lately(near), _usual(near, row).replace(", ", ",\n"), reach(near)


def _groups(groups: Sequence[GroupStanding], row: TriggerRow | None) -> Table:
    shown = table(
        "detector", "group", "release", "cases", "lately", "usual", "evidence", right=(3, 4, 5, 6), whole=(0,)
    )
    for group in groups:
        figures = (_lately(group), _usual(group, row), reach(group))
        shown.add_row(
            group.detector, safe(group.group or "all"), safe(group.release or "-"), f"{group.cases:,}", *figures
        )
    return shown


def _usual(group: GroupStanding, row: TriggerRow | None) -> str:
    """What is usual, once the group has learned it from its first cases."""
    if row and group.cases < row.baseline.cases:
        return f"learning, {group.cases:,} of {row.baseline.cases:,}"
    return _figure(group, group.baseline)


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


def state(told: TriggerStanding, row: TriggerRow | None, checked: datetime | None, stale: timedelta) -> Text:
    """What it waits for, the strongest first; or that nobody looks, where the last check is older than `stale`."""
    if row is None:
        return Text("no row in the book: its evidence is not counted", "yellow")
    if told.open or _cooling(told):
        return _working(told)  # it looks again when that is over
    if checked is None and not told.paused_by:
        return Text("not checked yet", "dim")
    cooled = [told.last.at + told.cooldown] if told.last else []
    if told.at - max([checked or told.at, *cooled]) <= stale:
        return _working(told)
    nobody = f"not checked since {minute(checked)}: is a worker running?"
    return Text(f"{_working(told)}, {nobody}" if told.paused_by else nobody, "yellow")


def _working(told: TriggerStanding) -> Text:
    """What a supervisor that looks waits for."""
    if told.paused_by:
        why = f": {told.pause_reason}" if told.pause_reason else ""
        return Text(safe(f"paused by {told.paused_by}{why}"), "yellow")
    if told.open:
        return Text(f"improving, cycle {told.open.cycle}", "yellow")
    due = "due, " if told.due else ""
    if until := _cooling(told):
        return Text(f"{due}cooling down until {minute(until)}")
    if told.over_budget_until and told.over_budget_until > told.at:
        return Text(f"{due}over its budget until {minute(told.over_budget_until)}")
    fired = f", last fired {local(told.last.at)[:10]}" if told.last else ""
    return Text(f"due{fired}", "yellow") if told.due else Text(f"watching{fired}")


def _cooling(told: TriggerStanding) -> datetime | None:
    """Until when it cools down; None where it does not."""
    until = told.last.at + told.cooldown if told.last else told.at
    return until if until > told.at else None


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
