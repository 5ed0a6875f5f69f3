"""What stands in a step's JSON: its form for comparing, and the words by which it is known again elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

_TOKEN = re.compile(r"\d{4}-\d\d-\d\d|\d+\.\d+|\w+")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")

LONGEST_VALUE = 8  # words; anything longer is prose, of which everyday words say nothing
SHORTEST_WORD = 4
SHORTEST_WORD_OF_PROSE = 6
SHORTEST_NUMBER = 3  # digits


def canonical(value: Any) -> str:
    """One text for all JSON that means the same: keys in order, 1.0 as 1. True is not 1."""
    return json.dumps(_plain(value), sort_keys=True, ensure_ascii=False, default=str)


def tokens(text: str) -> set[str]:
    """All words, numbers and dates of a text, in one spelling: `$1,234.50` and 1234.5 are the same number."""
    return {_spelt(token) for token in _TOKEN.findall(_THOUSANDS.sub("", text.casefold()))}


def words_of(value: Any) -> set[str]:
    """All words and numbers that stand in some JSON, names of fields left out, keys that are ids kept."""
    return {token for leaf in _leaves(value) for token in tokens(leaf)}


def distinctive(value: Any) -> set[str]:
    """The words by which some JSON is known again: ids, words of four letters, numbers of three digits.

    Of prose only ids, numbers, and words of six letters.
    """
    found: set[str] = set()
    for leaf in _leaves(value):
        words = tokens(leaf)
        shortest = SHORTEST_WORD if len(words) <= LONGEST_VALUE else SHORTEST_WORD_OF_PROSE
        found |= {word for word in words if _tells(word, shortest)}
    return found


def _tells(word: str, shortest: int) -> bool:
    digits = sum(character.isdigit() for character in word)
    if digits and digits == len(word.replace(".", "")):
        return digits >= SHORTEST_NUMBER
    return len(word) >= (SHORTEST_WORD if digits else shortest)


def _leaves(value: Any) -> Iterator[str]:
    match value:
        case dict():
            for key, part in value.items():
                if any(character.isdigit() for character in str(key)):
                    yield str(key)
                yield from _leaves(part)
        case list() | tuple():
            for part in value:
                yield from _leaves(part)
        case None | bool():
            return
        case _:
            yield str(value)


def _spelt(token: str) -> str:
    if "." in token:
        return token.rstrip("0").rstrip(".")
    return token


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {str(key): _plain(part) for key, part in value.items()}
        case list() | tuple():
            return [_plain(part) for part in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value
