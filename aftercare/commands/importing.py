"""`aftercare import`: cases and feedback of the time before, to compare with. They start nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

from cyclopts import App, Parameter
from rich.table import Table
from rich.text import Text
from sqlmodel import SQLModel

from aftercare.commands.answering import Answer, AsJson, answered, safe, wrong
from aftercare.commands.door import read_settings, store
from aftercare.commands.import_cells import Columns, pairs_of
from aftercare.commands.import_rows import FEEDBACK, HISTORY, FeedbackReader, history_row, spelt
from aftercare.commands.import_work import Import, Imported, Way
from aftercare.store.history import keep_feedback, keep_history
from aftercare.zones import UnknownZone, zone_of

R = TypeVar("R", bound=SQLModel)

Pairs = Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)]

importing = App(name="import", help="Import what happened before, to compare with (docs/reports.md).")


@Parameter(name="*")
@dataclass(frozen=True)
class Options:
    """How files are read.

    Parameters
    ----------
    map
        Which column tells what: --map id=number,opened_at=created. A name alone with = is told by none.
    set
        What holds for every row: --set handled_by=human.
    zone
        The zone of times that name none, as Europe/Berlin.
    source
        The name it is reported under; a file's own name, without its ending, unless given.
    skip_bad
        Leave out rows that cannot be read, instead of importing nothing.
    """

    map: Pairs = ()
    set: Pairs = ()
    zone: str | None = None
    source: str | None = None
    skip_bad: Annotated[bool, Parameter(negative=(), show_default=False)] = False


@importing.command
async def history(*files: Path, options: Options = Options(), json: AsJson = False) -> int:
    """Cases of the time before: id and opened_at, and whatever else is known of each. The same again changes nothing.

    Read are csv and jsonl, also gzipped. What a column is called by default stands in docs/reports.md.
    """
    way = Way(history_row, lambda row: (row.id, ""), keep_history)
    return await answered(json, _work(files, options, HISTORY, way))


@importing.command
async def feedback(*files: Path, options: Options = Options(), values: Pairs = (), json: AsJson = False) -> int:
    """Pieces of feedback: case_id, kind, value and at, and whatever else is known. The same again changes nothing.

    Read are csv and jsonl, also gzipped. Without an id a piece is known by its case, kind, step and time.

    Parameters
    ----------
    values
        What a value stands for: --values 1=up,0=down.
    """

    async def work() -> Answer:
        means = {spelt(given): value for given, value in pairs_of("--values", values).items()}
        reader = FeedbackReader(datetime.now(UTC), means)
        way = Way(reader.row, lambda row: (row.case_id, row.id), keep_feedback)
        return await _work(files, options, FEEDBACK, way)

    return await answered(json, work())


async def _work(files: Sequence[Path], options: Options, names: Mapping[str, Sequence[str]], way: Way[R]) -> Answer:
    if not files:
        raise wrong("name at least one file")
    known = list(names)
    mapped, fixed = pairs_of("--map", options.map, known), pairs_of("--set", options.set, known)
    try:
        columns = Columns(names, mapped, fixed, zone_of(options.zone) if options.zone is not None else None)
    except UnknownZone as error:
        raise wrong(f"--zone: {error}") from None
    async with store(read_settings()) as cases:
        done = await Import(files, columns, way, options.source, options.skip_bad).into(cases)
    return Answer({"files": [told.document() for told in done]}, list(_lines(done)))


def _lines(done: Sequence[Imported]) -> Iterator[Table | Text]:
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    shown.add_column("source", overflow="fold")
    for name in ("rows", "new", "changed", "as before", "repeated", "skipped"):
        shown.add_column(name, justify="right")
    for told in done:
        written = told.written
        counts = (told.rows, written.new, written.changed, written.same, told.repeated, len(told.bad))
        shown.add_row(safe(told.source), *(f"{count:,}" for count in counts))
    yield shown
    for told in done:
        yield from (Text(f"skipped: {safe(problem)}", "yellow") for problem in told.problems())
        if told.written.taken:
            kept = (
                f"{len(told.written.taken)} rows have the id of evidence that came in by itself, which stays as it is"
            )
            yield Text(f"{safe(told.file)}: {kept}", "yellow")
