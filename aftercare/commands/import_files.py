"""What lies in a file of rows: csv or jsonl, plain or gzipped, a line at a time, however large it is."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from aftercare.commands.answering import wrong
from aftercare.commands.reading import LARGEST

FORMS = (".csv", ".jsonl", ".ndjson")


class NoRows(ValueError):
    """A file that holds no rows as they are read here."""


UNREADABLE = (OSError, EOFError, zlib.error, NoRows)


@dataclass(frozen=True)
class Line:
    """A row by the names of its columns, or what is wrong with it. `number` counts the lines of the file from 1."""

    number: int
    cells: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""


def stem_of(path: Path) -> str:
    """A file's name without what tells its form."""
    name = path.name.removesuffix(".gz")
    return name[: -len(_form(path))]


def lines_of(path: Path, told: Callable[[int], None] = lambda at: None) -> Iterator[Line]:
    """The rows of a file. `told` hears how many of its bytes were read. Raises NotAsked where it is no such file."""
    read = _csv if _form(path) == ".csv" else _jsonl
    try:
        with path.open("rb") as raw:
            packed = gzip.GzipFile(fileobj=raw) if path.name.endswith(".gz") else raw
            # What is no UTF-8 is seen again in its own line.
            with io.TextIOWrapper(packed, "utf-8-sig", "surrogateescape", newline="") as text:
                for line in read(text):
                    told(raw.tell())
                    yield line
    except UNREADABLE as error:
        raise wrong(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _form(path: Path) -> str:
    name = path.name.removesuffix(".gz")
    for form in FORMS:
        if name.endswith(form) and name != form:
            return form
    raise wrong(f"{path}: the name must end in {', '.join(FORMS)}, or in one of them and .gz")


def _csv(text: TextIO) -> Iterator[Line]:
    """The first line names the columns, and shows what stands between them."""
    first = text.readline(LARGEST)
    apart = max(",;\t", key=first.count)
    header = next(csv.reader([first], delimiter=apart), [])
    if len(set(header)) < len(header) or not header:
        raise NoRows("the first line must name each column once")
    rows = csv.reader(text, delimiter=apart)
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Line(rows.line_num + 1, problem=str(error))
            continue
        if row:
            yield _row(rows.line_num + 1, header, row)


def _row(number: int, header: list[str], row: list[str]) -> Line:
    if len(row) != len(header):
        return Line(number, problem=f"it has {len(row)} columns, and the first line names {len(header)}")
    if not _is_utf8("".join(row)):
        return Line(number, problem="it is not UTF-8")
    return Line(number, dict(zip(header, row, strict=True)))


def _jsonl(text: TextIO) -> Iterator[Line]:
    number = 0
    while line := text.readline(LARGEST + 1):
        number += 1
        if len(line) > LARGEST:
            raise NoRows(f"line {number} is longer than {LARGEST // 1024 // 1024} MB")
        if line.strip():
            yield _object(number, line)


def _object(number: int, line: str) -> Line:
    if not _is_utf8(line):
        return Line(number, problem="it is not UTF-8")
    try:
        cells = json.loads(line)
    except (ValueError, RecursionError):
        return Line(number, problem="it is no JSON")
    return Line(number, cells) if isinstance(cells, dict) else Line(number, problem="it is no JSON object")


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
