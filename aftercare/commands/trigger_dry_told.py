"""A dry run for people: what would have fired, when, because of what, and how that differs from the book in force."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from aftercare.commands.answering import Hanging, safe
from aftercare.commands.trigger_dry_run import DryRun, Line, nearest
from aftercare.commands.trigger_told import minute, reach, table
from aftercare.learning.rehearsal import Beside, Compared, Rehearsed

SHOWN = 40
AGAIN = "A case whose evidence changes later counts once more, here as for the detectors."


def lines_of(done: DryRun) -> Iterator[RenderableType]:
    """The dry run: every firing in a line, and then every row."""
    yield from _about(done)
    if not done.pieces:
        yield Text("There is no evidence of these kinds; nothing could have fired.")
        return
    fired = done.lines()
    yield Text()
    yield _firings(done, fired[:SHOWN]) if fired else Text("Nothing would have fired.")
    if len(fired) > SHOWN:
        yield Text(f"and {len(fired) - SHOWN} more; --json gives all")
    yield Text()
    yield _rows(done)
    yield from _held_back(done)
    yield Text()
    yield Hanging("", AGAIN, "dim")


def _about(done: DryRun) -> Iterator[RenderableType]:
    same = done.book.loaded.digest == done.in_force.loaded.digest
    yield Hanging("", f"Book {done.book.name}: {done.book.origin}")
    beside = "it is the book in force" if same else f"in force is {done.in_force.name}: {done.in_force.origin}"
    yield Hanging("     ", beside)
    if done.pieces:
        of = f" imported as {done.past.imported}," if done.past.imported else ""
        told = f"{done.pieces:,} pieces of evidence,{of} {minute(done.first)} to {minute(done.last)}"
        yield Hanging("", f"{told}; agent {', '.join(done.agents)}")


def _firings(done: DryRun, lines: list[Line]) -> RenderableType:
    several = len(done.agents) > 1
    shown = table("when", *(["agent"] if several else []), "row", "case", "because", "beside the book in force")
    for line in lines:
        told = line.compared.edited or line.compared.in_force
        assert told
        who = [safe(line.agent)] if several else []
        number = f"{told.number_of_case:,}"
        shown.add_row(minute(told.at), *who, line.trigger, number, safe(_because(told)), _beside(line.compared))
    return shown


def _because(told: Rehearsed) -> str:
    return f"{told.because}; {told.cases:,} cases claimed"


def _beside(compared: Compared) -> Text:
    if compared.edited is None:
        return Text("fires no more", "red")
    if compared.in_force is None:
        return Text("new", "green")
    earlier, then = compared.earlier or 0, minute(compared.in_force.at)
    if not earlier:
        return Text("as now" if compared.edited.at == compared.in_force.at else f"as now, but for {then}")
    told = f"{abs(earlier):,} case{'' if abs(earlier) == 1 else 's'} {'earlier' if earlier > 0 else 'later'}"
    return Text(f"{told} than on {then}", "yellow")


def _rows(done: DryRun) -> RenderableType:
    several = len(done.agents) > 1
    names = ("row", *(["agent"] if several else []), "cases", "fires", "in force", "nearest at the end")
    shown = table(*names, right=(2, 3, 4) if several else (1, 2, 3))
    for (agent, trigger), beside in sorted(done.rows.items(), key=lambda row: (row[0][1], row[0][0])):
        fires, in_force = (len(one.fired) if one else "-" for one in (beside.edited, beside.in_force))
        who = [safe(agent)] if several else []
        shown.add_row(trigger, *who, f"{beside.cases:,}", str(fires), str(in_force), safe(_nearest(beside)))
    return shown


def _nearest(beside: Beside) -> str:
    near = nearest(beside)
    if near is None:
        return "-"
    if near.baseline is None:
        return f"{near.group or 'all'}: {near.cases:,} cases, too few to be judged"
    return f"{near.group or 'all'}, {near.detector}: {reach(near)}"


def _held_back(done: DryRun) -> Iterator[RenderableType]:
    for (agent, trigger), beside in done.rows.items():
        if beside.edited and beside.edited.held_back:
            why = f"due, and held back by cooldown or budget: {beside.edited.held_back}"
            yield Hanging("", f"{trigger}, {agent}: {why}")
