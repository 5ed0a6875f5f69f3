"""Applied wrongly: one fact that a write changes gets another value, such as the shop's other records have there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from aftercare.demo.shop.changes import Key, alike, at, leaves
from aftercare.demo.shop.domain import Record
from aftercare.demo.shop.records import Touched

Peers = Callable[[str], Mapping[str, Record]]


@dataclass(frozen=True)
class WrongFact:
    """Which value of which record, what it should be, and what it is instead."""

    key: tuple[str, str]
    way: tuple[Key, ...]
    right: Any
    stored: Any

    def put(self, record: Record) -> Record:
        """The record with the wrong value in it."""
        wrong = deepcopy(record)
        at(wrong, self.way[:-1])[self.way[-1]] = self.stored
        return wrong


def wrong_fact(touched: Touched, peers: Peers, choice: int) -> WrongFact | None:
    """One of the facts that a write changes, any of them, and a wrong value for it; both follow from the choice."""
    facts = sorted(_changed(touched), key=repr)
    if not facts:
        return None
    key, way, right = facts[choice % len(facts)]
    before = at(touched[key][0], way)
    others = (value for record in peers(key[0]).values() for value in _there(record, way))
    stored = _another(right, [v for v in others if not alike(v, right) and not alike(v, before)], choice // len(facts))
    return WrongFact(key, way, right, stored)


def _changed(touched: Touched) -> Iterator[tuple[tuple[str, str], tuple[Key, ...], Any]]:
    """Every single value that the write sets, but the names that the shop itself gives: another would be another's."""
    made = {id for (_, id), (before, _) in touched.items() if before is None}
    for key, (before, after) in touched.items():
        for way, value in leaves(after):
            is_name = isinstance(value, str) and (value in made or value in way)
            if not is_name and not alike(at(before, way), value):
                yield key, way, value


def _there(value: Any, way: Sequence[Key]) -> Iterator[Any]:
    """What another record has at such a place: at any position of a list, under any name of a collection."""
    if not way:
        if value is not None and not isinstance(value, dict | list):
            yield value
        return
    key, *rest = way
    inner: Iterable[Any] = ()
    if isinstance(value, list):
        inner = value
    elif isinstance(value, dict):
        inner = [value[key]] if key in value else [v for v in value.values() if isinstance(v, dict)]
    for one in inner:
        yield from _there(one, rest)


def _another(right: Any, others: Sequence[Any], choice: int) -> Any:
    """One of the others of the same type, or, where there is none, a value near the right one."""
    if isinstance(right, bool):
        return not right
    number = isinstance(right, int | float)
    fitting = {repr(v): v for v in others if isinstance(v, int | float if number else str)}
    if fitting:
        return fitting[sorted(fitting)[choice % len(fitting)]]
    if number:
        return right + 10
    start, last = str(right)[:-1], str(right)[-1:]
    return start + (str((int(last) + 1) % 10) if last.isdecimal() else f"{last}?")
