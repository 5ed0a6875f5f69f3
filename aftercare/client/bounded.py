"""Whatever an agent's functions take and give, as JSON of a bounded size. Pure; runs none of the agent's own code."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from itertools import islice
from math import isfinite
from typing import Any
from uuid import UUID

from aftercare.messages.base import Json

LARGEST = 16 * 1024
DEEPEST = 12
SHORTEST = 16  # a text cut shorter than this tells nothing
KEY = 120  # characters of a key
ROOM = 40  # what the brackets of a list and "… 1234567 more" need
LARGEST_NUMBER = 2**63 - 1
_WRITTEN = (datetime, date, time, timedelta, Decimal, UUID)


def bounded(value: Any, largest: int = LARGEST, deepest: int = DEEPEST) -> Json:
    """The value as JSON of at most `largest` characters (at least 64) and `deepest` levels.

    Dataclasses, pydantic models and enums become what they hold, moments and decimals their text; whatever else is no
    JSON becomes the name of its type. Texts and lists that are too long are cut, and say so with an ellipsis.
    """
    try:
        return _Bounds(largest).fit(value, deepest)
    except Exception:  # an object may do anything when it is looked at, and the agent goes on
        return _name_of(value)


def clean(text: str) -> str:
    """The text without what no database keeps: NUL characters, and halves of characters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\x00", "\ufffd")


class _Full(Exception):
    """There is no room for another value."""


class _Bounds:
    """How many characters of JSON are still free."""

    def __init__(self, free: int) -> None:
        self.free = free

    def fit(self, value: Any, deeper: int) -> Json:
        """The value within what is free. Raises _Full."""
        value = _opened(value)
        match value:
            case None | bool():
                return self._taking(value)
            case str():
                return self._text(clean(str.__str__(value)))
            case int() if abs(value) <= LARGEST_NUMBER:
                return self._taking(int(value))
            case float() if isfinite(value):
                return self._taking(float(value))
            case dict() if deeper:
                return self._object(value, deeper)
            case list() | tuple() if deeper:
                return self._array(value, deeper)
            case _:
                return self._taking(_name_of(value))

    def _object(self, value: dict[Any, Any], deeper: int) -> Json:
        self._take(ROOM)
        kept: dict[str, Json] = {}
        for key, part in _some(value.items(), self.free):
            try:
                name = _key(key)
                self._take(_length(name) + 4)
                kept[name] = self.fit(part, deeper - 1)
            except _Full:
                return kept | {"…": f"{len(value) - len(kept)} more"}
        return kept

    def _array(self, value: list[Any] | tuple[Any, ...], deeper: int) -> Json:
        self._take(ROOM)
        kept: list[Json] = []
        for part in _some(value, self.free):
            try:
                self._take(2)
                kept.append(self.fit(part, deeper - 1))
            except _Full:
                return [*kept, f"… {len(value) - len(kept)} more"]
        return kept

    def _text(self, text: str) -> str:
        if _length(text[: self.free]) > self.free or len(text) > self.free:
            if self.free < SHORTEST:
                raise _Full
            text = _cut(text, self.free)
        self._take(_length(text))
        return text

    def _taking(self, value: Any) -> Any:
        self._take(_length(value))
        return value

    def _take(self, characters: int) -> None:
        if characters > self.free:
            raise _Full
        self.free -= characters


def _opened(value: Any) -> Any:
    """What stands inside an enum, a moment, a model or a dataclass; another value as it is."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, _WRITTEN):
        return value.isoformat() if isinstance(value, date | time) else str(value)
    if isinstance(value, type):
        return value
    if is_dataclass(value):
        return {f.name: getattr(value, f.name) for f in fields(value)}
    dump = getattr(type(value), "model_dump", None)
    return dump(value, mode="json") if callable(dump) else value


def _some(parts: Iterable[Any], most: int) -> list[Any]:
    """As many as could fit at all: every part takes more than a character."""
    return list(islice(parts, most))


def _key(key: Any) -> str:
    scalar = key is None or isinstance(key, str | int | float)
    return clean(str(key) if scalar else _name_of(key))[:KEY]


def _name_of(value: Any) -> str:
    return type(value).__name__[:KEY]


def _length(value: Any) -> int:
    return len(json.dumps(value))


def _cut(text: str, most: int) -> str:
    """The longest beginning that, with an ellipsis, fits into so many characters of JSON."""
    least, beyond = 0, min(len(text), most)
    while least < beyond:
        middle = (least + beyond + 1) // 2
        least, beyond = (middle, beyond) if _length(text[:middle] + "…") <= most else (least, middle - 1)
    return text[:least] + "…"
