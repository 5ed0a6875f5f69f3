"""A dry run: evidence that is there already, against the book as edited and the one in force. Nothing is written."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from aftercare.commands.answering import to_people
from aftercare.commands.trigger_book import Book
from aftercare.learning.rehearsal import Beside, Compared, is_found_with
from aftercare.learning.watching import Piece
from aftercare.messages.improvement import GroupStanding
from aftercare.messages.triggers import TriggerRow
from aftercare.store.cases import Cases
from aftercare.store.rehearsing import Past, evidence, how_many

EVERY = 500  # pieces between two words about how far it is


@dataclass(frozen=True)
class Line:
    """A firing of one row for one agent, under either book or both."""

    agent: str
    trigger: str
    compared: Compared


@dataclass
class DryRun:
    """What a dry run found: of each row that saw evidence of an agent, how both books would have had it fire."""

    book: Book
    in_force: Book
    past: Past
    pieces: int = 0
    first: datetime | None = None
    last: datetime | None = None
    rows: dict[tuple[str, str], Beside] = field(default_factory=dict)

    @property
    def agents(self) -> list[str]:
        """Whose evidence it was."""
        return sorted({agent for agent, _ in self.rows})

    def lines(self) -> list[Line]:
        """Every firing under either book, in the order of their times."""
        lines = [Line(*key, compared) for key, beside in self.rows.items() for compared in beside.compared()]
        return sorted(lines, key=lambda line: (line.compared.at, line.agent, line.trigger))

    def document(self) -> dict[str, Any]:
        """The same for machines."""
        return {
            "book": {"digest": self.book.loaded.digest, "from": self.book.origin},
            "in_force": {"digest": self.in_force.loaded.digest, "from": self.in_force.origin},
            "imported": self.past.imported,
            "pieces": self.pieces,
            "first": self.first.isoformat() if self.first else None,
            "last": self.last.isoformat() if self.last else None,
            "firings": [_firing(line) for line in self.lines()],
            "rows": [_row(*key, beside) for key, beside in sorted(self.rows.items())],
        }


async def dry_run(cases: Cases, book: Book, in_force: Book, past: Past, trigger: str | None = None) -> DryRun:
    """Go through the past once, with a word about how far it is on a terminal where it takes long."""
    triggers = _rows_of(book, in_force, trigger)
    past = Past(_kinds(triggers), past.agent, past.since, past.until, past.imported)
    done = DryRun(book, in_force, past)
    with _progress() as progress:
        task = progress.add_task("reading evidence", total=await how_many(cases, past))
        async for agent, pieces in _looks(cases, past):
            _take(done, triggers, agent, pieces)
            if done.pieces % EVERY < len(pieces):
                progress.update(task, completed=done.pieces)
    if end := past.until or (done.last if past.imported else datetime.now(UTC)):
        for beside in done.rows.values():
            beside.until(end)
    return done


def nearest(beside: Beside) -> GroupStanding | None:
    """The group that is nearest to its threshold now, by the book as edited."""
    return next(iter(beside.edited.watch.standings()), None) if beside.edited else None


Rows = Mapping[str, tuple[TriggerRow | None, TriggerRow | None]]


def _rows_of(book: Book, in_force: Book, trigger: str | None) -> Rows:
    edited, before = book.loaded.matrix.triggers, in_force.loaded.matrix.triggers
    if trigger and trigger not in edited and trigger not in before:
        book.row(trigger)  # says which there are
    names = [trigger] if trigger else list(edited | before)
    return {name: (edited.get(name), before.get(name)) for name in names}


def _kinds(rows: Rows) -> frozenset[str]:
    return frozenset(kind for both in rows.values() for row in both if row for kind in row.evidence)


async def _looks(cases: Cases, past: Past) -> AsyncIterator[tuple[str, list[Piece]]]:
    """The pieces of one case that one look finds, look by look."""
    whose, found = "", list[Piece]()
    async for agent, piece in evidence(cases, past):
        if found and (agent != whose or not is_found_with(found, piece)):
            yield whose, found
            found = []
        whose = agent
        found.append(piece)
    if found:
        yield whose, found


def _take(done: DryRun, triggers: Rows, agent: str, pieces: Sequence[Piece]) -> None:
    done.pieces += len(pieces)
    done.first, done.last = done.first or pieces[0].at, pieces[-1].at
    kinds = {piece.kind for piece in pieces}
    for trigger, both in triggers.items():
        if any(row and not kinds.isdisjoint(row.evidence) for row in both):
            if (agent, trigger) not in done.rows:
                done.rows[agent, trigger] = Beside(*both)
            done.rows[agent, trigger].take(pieces)


def _firing(line: Line) -> dict[str, Any]:
    compared = line.compared
    return {
        "agent": line.agent,
        "trigger": line.trigger,
        "edited": asdict(compared.edited) if compared.edited else None,
        "in_force": asdict(compared.in_force) if compared.in_force else None,
        "cases_earlier": compared.earlier,
    }


def _row(agent: str, trigger: str, beside: Beside) -> dict[str, Any]:
    near = nearest(beside)
    return {
        "agent": agent,
        "trigger": trigger,
        "cases": beside.cases,
        "fired": len(beside.edited.fired) if beside.edited else None,
        "fired_in_force": len(beside.in_force.fired) if beside.in_force else None,
        "held_back": beside.edited.held_back if beside.edited else "",
        "nearest": near.model_dump(mode="json") if near else None,
    }


def _progress() -> Progress:
    console = to_people(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal, transient=True)
