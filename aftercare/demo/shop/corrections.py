"""Correcting a record by hand: JSON Pointers (RFC 6901) that must point at something that is there.

The empty pointer is the whole record: with it, a record is made, replaced, or, by None, removed.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from aftercare.demo.shop.domain import Record, Refused

WHOLE = ""


def corrected(name: str, record: Record | None, fields: Mapping[str, Any]) -> Record | None:
    """The record with every field set, or removed where the value is None, one after the other."""
    if record is None and WHOLE not in fields:
        raise Refused(f"There is no record {name}.")
    result = deepcopy(record)
    for pointer, value in fields.items():
        if result is None and (pointer != WHOLE or value is None):
            raise Refused(f"There is no record {name}.")
        if pointer == WHOLE:
            result = _whole(name, value)
        else:
            _put(result, pointer, value)
    return result


def _whole(name: str, value: Any) -> Record | None:
    if value is None or isinstance(value, dict):
        return deepcopy(value)
    raise Refused(f"The whole record {name} is an object or, to remove it, null.")


def _put(record: Any, pointer: str, value: Any) -> None:
    *way, last = _tokens(pointer)
    parent = record
    for token in way:
        parent = parent[_held_key(parent, token, pointer)]
    if value is None:
        del parent[_held_key(parent, last, pointer)]
    else:
        _set(parent, last, value, pointer)


def _tokens(pointer: str) -> list[str]:
    if not pointer.startswith("/"):
        raise Refused(f"'{pointer}' is not a JSON Pointer to a field: it must start with '/'.")
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer[1:].split("/")]


def _held_key(parent: Any, token: str, pointer: str) -> str | int:
    if isinstance(parent, dict) and token in parent:
        return token
    if isinstance(parent, list) and (index := _index(token)) is not None and index < len(parent):
        return index
    raise Refused(f"{pointer} points into nothing: there is no '{token}'.")


def _set(parent: Any, token: str, value: Any, pointer: str) -> None:
    if isinstance(parent, dict):
        parent[token] = value
    elif isinstance(parent, list) and token in ("-", str(len(parent))):
        parent.append(value)
    else:
        parent[_held_key(parent, token, pointer)] = value


def _index(token: str) -> int | None:
    canonical = token.isascii() and token.isdigit() and str(int(token)) == token
    return int(token) if canonical else None
