"""An import: every file read once to see that it can be, and only then again to be written down."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Generic, TypeVar

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn
from sqlmodel import SQLModel

from aftercare.commands.answering import NotAsked, safe, to_people, wrong
from aftercare.commands.import_cells import Cells, Columns, Unreadable
from aftercare.commands.import_files import lines_of, stem_of
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.store.history import KEPT, Written

R = TypeVar("R", bound=SQLModel)
TOGETHER = 1_000
SHOWN, LISTED = 20, 5


@dataclass(frozen=True)
class Way(Generic[R]):
    """How rows of one kind are read, told apart, and written down."""

    read: Callable[[Cells, str], R]
    key: Callable[[R], tuple[str, str]]
    keep: Callable[[Database, Sequence[R]], Awaitable[Written]]


@dataclass
class Imported:
    """What became of a file. `repeated` are rows that stand in it more than once, `bad` those that cannot be read."""

    file: str
    source: str
    rows: int = 0
    repeated: int = 0
    written: Written = field(default_factory=Written)
    bad: list[tuple[int, str]] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """The same as plain data."""
        told = asdict(self)
        bad = [{"line": line, "problem": why} for line, why in told.pop("bad")]
        return {**told, **told.pop("written"), "skipped": bad}

    def problems(self) -> list[str]:
        """What is wrong with rows, each reason once, with the first lines it is true of."""
        lines: dict[str, list[int]] = {}
        for line, why in self.bad:
            lines.setdefault(why, []).append(line)
        return [f"{self.file}, {_numbers(found)}: {why}" for why, found in lines.items()][:SHOWN]


@dataclass(frozen=True)
class Import(Generic[R]):
    """What was asked: these files, read by these columns in this way. `source` is a file's stem where it is null."""

    files: Sequence[Path]
    columns: Columns
    way: Way[R]
    source: str | None = None
    skip_bad: bool = False

    async def into(self, cases: Cases) -> list[Imported]:
        """Write the files down. Raises NotAsked where a row cannot be read and may not be skipped; nothing is written.

        Each thousand rows are a transaction of their own: the same command again finishes what was cut short.
        """
        with _progress() as progress:
            self._check(progress)
            reading = _Reading(self, progress, "writing")
            done = []
            for path in self.files:
                told = self._begun(path)
                for batch in _batches(reading.rows(path, told)):
                    told.written.add(await self.way.keep(cases.database, batch))
                done.append(told)
            return done

    def _check(self, progress: Progress) -> None:
        reading, read = _Reading(self, progress, "checking"), [self._begun(path) for path in self.files]
        for path, told in zip(self.files, read, strict=True):
            for _ in reading.rows(path, told):
                pass
        if unknown := self.columns.unknown(reading.seen):
            raise wrong(f"--map: no row has {', '.join(unknown)}; there are {', '.join(sorted(reading.seen))}")
        bad, rows = sum(len(told.bad) for told in read), sum(told.rows for told in read)
        if bad and (bad == rows or not self.skip_bad):
            rest = f"; --skip-bad imports the other {rows - bad:,}" if bad < rows else ""
            problems = [problem for told in read for problem in told.problems()]
            problems.append(f"nothing was imported: {bad:,} of {rows:,} rows cannot be read{rest}")
            raise NotAsked("wrong_input", problems, {"bad": bad})

    def _begun(self, path: Path) -> Imported:
        return Imported(str(path), self.source or stem_of(path))


class _Reading(Generic[R]):
    """One reading of all the files."""

    def __init__(self, asked: Import[R], progress: Progress, what: str) -> None:
        self.seen: set[str] = set()
        self._asked, self._progress, self._what = asked, progress, what
        self._there: dict[tuple[str, str, str], tuple[str, int]] = {}

    def rows(self, path: Path, told: Imported) -> Iterator[R]:
        """The rows of a file that can be read, each once; what is to be told of the others is noted."""
        size = path.stat().st_size if path.is_file() else None
        task = self._progress.add_task(safe(f"{self._what} {path.name}"), total=size)
        for line in lines_of(path, lambda at: self._progress.update(task, completed=at)):
            told.rows += 1
            self.seen.update(line.cells)
            try:
                if line.problem:
                    raise Unreadable(line.problem)
                row = self._asked.way.read(Cells(line, self._asked.columns), told.source)
                if self._is_new(row, line.number, told):
                    yield row
            except Unreadable as error:
                told.bad.append((line.number, str(error)))

    def _is_new(self, row: R, line: int, told: Imported) -> bool:
        """Whether no row before told it. Raises Unreadable where one before told something else under its id."""
        key, content = (told.source, *self._asked.way.key(row)), hash(repr(row.model_dump(exclude=set(KEPT))))
        if key not in self._there:
            self._there[key] = (f"line {line} of {told.file}", content)
            return True
        before, same = self._there[key]
        if same != content:
            raise Unreadable(f"it has the id of {before}, and says something else")
        told.repeated += 1
        return False


def _numbers(lines: Sequence[int]) -> str:
    more = f" and {len(lines) - LISTED:,} more" if len(lines) > LISTED else ""
    return f"line{'s' if len(lines) > 1 else ''} {', '.join(map(str, lines[:LISTED]))}{more}"


def _batches(rows: Iterable[R]) -> Iterator[list[R]]:
    rest = iter(rows)
    while batch := list(islice(rest, TOGETHER)):
        yield batch


def _progress() -> Progress:
    console = to_people(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal, transient=True)
