"""Keeps what a span tells within the limits of a message: texts are cut visibly, and what is no JSON is left out."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from aftercare.messages.base import Json

MARK = "..."
LONGEST_TEXT = 20_000  # characters of one text
LARGEST_VALUE = 64 * 1024  # characters of JSON of one argument list or result
DEEPEST = 32
MOST = 10**12  # tokens
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")  # neither every database nor UTF-8 holds these
_NO_ID = re.compile(r"[^A-Za-z0-9._:\-]+")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:\-]{0,119}")


def cut(text: str, longest: int = LONGEST_TEXT) -> str:
    """A text of at most `longest` characters, which says where it was cut."""
    text = _NO_TEXT.sub("\ufffd", text)
    return text if len(text) <= longest else text[: longest - len(MARK)] + MARK


def told(value: Json, longest: int) -> str:
    """A text, number or flag as a text; everything else tells nothing."""
    return cut(str(value), longest) if isinstance(value, str | int | float) else ""


def plain(value: Any, depth: int = DEEPEST) -> Json:
    """JSON that any store keeps: not too deep, its texts not too long, NaN and Infinity unknown."""
    if isinstance(value, str):
        return cut(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict | list) and depth == 0:
        return MARK
    if isinstance(value, dict):
        return {cut(str(name), 500): plain(part, depth - 1) for name, part in value.items()}
    if isinstance(value, list):
        return [plain(part, depth - 1) for part in value]
    return value


def bounded(value: Json) -> Json:
    """JSON of at most 64 kB; of a larger one, the beginning of its text."""
    text = json.dumps(value := plain(value), ensure_ascii=False)
    return value if len(text) <= LARGEST_VALUE else cut(text)


def parsed(value: Json) -> Json:
    """What a text that holds a JSON object or list stands for; any other value as it is."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):  # it only looked like JSON
        return value


def as_object(value: Json) -> dict[str, Json]:
    """Arguments as a JSON object; what is none stands under `value`."""
    value = bounded(parsed(value))
    if isinstance(value, dict):
        return value
    return {} if value is None else {"value": value}


def exact_id(value: Json) -> str | None:
    """An id that is one as it stands."""
    return value if isinstance(value := _as_text(value), str) and _ID.fullmatch(value) else None


def made_id(value: Json) -> str | None:
    """A name made into an id: what an id cannot hold becomes a dash."""
    return exact_id(_NO_ID.sub("-", _as_text(value) or "").strip("-._:")[:120])


def count(value: Json) -> int | None:
    """A number of tokens; null where it is none."""
    is_one = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOST
    return int(value) if is_one else None


def _as_text(value: Json) -> str | None:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
