"""What stands in a row, under whatever names: texts, numbers, times, yes and no."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from aftercare.commands.answering import wrong
from aftercare.commands.import_files import Line
from aftercare.store.feedback_facts import LARGEST

WORDS = {"yes": True, "true": True, "y": True, "t": True, "1": True, "no": False, "false": False, "n": False}
WORDS |= {"f": False, "0": False}
LONGEST = 200
PLACE = "#"  # before a column that holds a list: the place after its entries


class Unreadable(ValueError):
    """What is wrong with a row. It names columns and never what stands in them, which may be about a person."""


@dataclass(frozen=True)
class Columns:
    """Under which names things stand: `mapped` by a column each, `fixed` for all rows, else by their usual `names`."""

    names: Mapping[str, Sequence[str]]
    mapped: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)
    zone: ZoneInfo | None = None

    def column(self, what: str, cells: Mapping[str, Any]) -> str | None:
        """The column of a row that tells something; null where none does."""
        if what in self.mapped:
            return self.mapped[what] or None
        return next((name for name in self.names[what] if name in cells), None)

    def unknown(self, seen: set[str]) -> list[str]:
        """The columns that were named and that no row has."""
        return sorted({column.removeprefix(PLACE) for column in self.mapped.values() if column} - seen)


@dataclass(frozen=True)
class Cells:
    """One row. Every reading raises Unreadable; what is not there, or empty, is unknown: null."""

    line: Line
    columns: Columns

    def tells(self, what: str) -> bool:
        """Whether a column or a fixed value tells it, even where this row leaves it empty."""
        return what in self.columns.fixed or self.columns.column(what, self.line.cells) is not None

    def raw(self, what: str) -> Any:
        """What stands there."""
        if what in self.columns.fixed:
            return self.columns.fixed[what]
        column = self.columns.column(what, self.line.cells)
        if column and column.startswith(PLACE):
            entries = self.line.cells.get(column.removeprefix(PLACE))
            return len(entries) + 1 if isinstance(entries, list) else None
        value = self.line.cells.get(column) if column else None
        return (value.strip() or None) if isinstance(value, str) else value

    def text(self, what: str) -> str | None:
        """A short text in one line."""
        value = self.raw(what)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise Unreadable(f"{what} is no text")
        if len(str(value)) > LONGEST or not str(value).isprintable():
            raise Unreadable(f"{what} must be one line of at most {LONGEST} characters")
        return str(value)

    def needed(self, what: str) -> str:
        """A text that must be there."""
        if told := self.text(what):
            return told
        raise Unreadable(f"there is no {what}: name its column with --map {what}=COLUMN")

    def number(self, what: str) -> float | None:
        """A number."""
        return number(what, self.raw(what))

    def flag(self, what: str) -> bool | None:
        """Yes or no."""
        value = self.raw(what)
        if value is None or isinstance(value, bool):
            return value
        if str(value).lower() not in WORDS:
            raise Unreadable(f"{what} is neither yes nor no")
        return WORDS[str(value).lower()]

    def moment(self, what: str) -> datetime | None:
        """A time in ISO 8601; the first, where several stand there with a semicolon between them."""
        value = self.raw(what)
        if value is None:
            return None
        try:
            read = datetime.fromisoformat(str(value).split(";")[0].strip())
            aware = read if read.tzinfo else self._in_zone(what, read)
            return aware.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            if isinstance(error, Unreadable):
                raise
            raise Unreadable(f"{what} is no time like 2016-02-29T01:16 (ISO 8601)") from None

    def _in_zone(self, what: str, told: datetime) -> datetime:
        zone = self.columns.zone
        if zone is None:
            raise Unreadable(f"{what} has no zone: say in which one these times are, with --zone Europe/Berlin")
        aware = told.replace(tzinfo=zone)
        if aware.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != told:
            raise Unreadable(f"{what} is an hour that {zone.key} left out when its clocks went forward")
        return aware


def number(what: str, value: Any) -> float | None:
    """A number, as such or in a text; unknown stays unknown. Raises Unreadable."""
    if value is None:
        return None
    try:
        told = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        told = math.nan
    if not abs(told) <= LARGEST:
        raise Unreadable(f"{what} is no number that could have been measured")
    return told


def pairs_of(option: str, given: Sequence[str], known: Sequence[str] | None = None) -> dict[str, str]:
    """What an option of pairs says: name=value,name=value, once or more. Raises NotAsked."""
    pairs = {}
    for text in given:
        for part in next(csv.reader([text], skipinitialspace=True), []):
            name, equals, value = (p.strip() for p in part.partition("="))
            if not equals:
                raise wrong(f"{option} takes name=value,name=value, and this has no =: {part}")
            if known is not None and name not in known:
                raise wrong(f"{option}: there is no {name!r}; there are {', '.join(known)}")
            pairs[name] = value
    return pairs
