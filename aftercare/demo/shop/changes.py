"""What differs between two states of a record, fact by fact: objects are looked into, a list is one fact."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from aftercare.demo.shop.domain import Record
from aftercare.demo.shop.messages import Change

Key = str | int
HALF_A_CENT = 0.005


def changes(before: Record | None, after: Record | None) -> list[Change]:
    """What was set or removed to come from one state to the other; of a whole record the field is empty."""
    if before is None or after is None:
        return [] if before == after else [Change(field=(), value=after, gone=after is None)]
    return list(_within((), before, after))


def applied(record: Record | None, changed: Iterable[Change]) -> Record | None:
    """The record after these changes. What is about a place that is not there is lost."""
    result: Any = deepcopy(record)
    for change in changed:
        if not change.field:
            result = None if change.gone else deepcopy(change.value)
        elif isinstance(parent := at(result, change.field[:-1]), dict):
            if change.gone:
                parent.pop(change.field[-1], None)
            else:
                parent[change.field[-1]] = deepcopy(change.value)
    whole: Record | None = result
    return whole


def leaves(value: Any, way: tuple[Key, ...] = ()) -> Iterator[tuple[tuple[Key, ...], Any]]:
    """Every single value, however deep, with the way to it."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*way, key))
    elif value is not None:
        yield way, value


def at(value: Any, way: Sequence[Key]) -> Any:
    """The value at the end of a way, or None where it leads nowhere."""
    for key in way:
        if isinstance(value, list) and isinstance(key, int) and key < len(value):
            value = value[key]
        else:
            value = value.get(key) if isinstance(value, dict) else None
    return value


def alike(one: Any, other: Any) -> bool:
    """The same value; amounts may differ by what floating point adds to them."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return abs(one - other) < HALF_A_CENT
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    return bool(one == other)


def _within(way: tuple[str, ...], before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for name in (*before, *(n for n in after if n not in before)):
        here, old, new = (*way, name), before.get(name), after.get(name)
        if name not in after:
            yield Change(field=here, gone=True)
        elif isinstance(old, dict) and isinstance(new, dict):
            yield from _within(here, old, new)
        elif name not in before or not alike(old, new):
            yield Change(field=here, value=new)
