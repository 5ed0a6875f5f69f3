"""The words a case's own records use for things: products and their options, fares, brands, and the keys themselves.

A model that looks for names takes a Desk Lamp for somebody. What a record with a price or a product's id says is the
name of a thing, and no person's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from aftercare.lifecycle.personal import parsed
from aftercare.messages.base import Json
from aftercare.redaction.keys import kinds_in

_OF_A_THING = re.compile(
    r"(?i)(?:^|_)(?:(?:product|item|variant|flight|plan|sku|article)(?:_?(?:id|number|no))?|sku|price|brand|ean)$"
)
_KEY = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+")
_WORD = re.compile(r"[^\W\d_][\w'’-]*")
_LONGEST = 80  # a longer text is prose
_MOST = 5_000


def things_in(values: Iterable[Json]) -> frozenset[str]:
    """Words that stand for things in some JSON, in small letters."""
    found: set[str] = set()
    for value in values:
        for word in _words(value, False):
            found.add(word.casefold())
            if len(found) >= _MOST:
                return frozenset(found)
    return frozenset(found)


def _words(value: Json, of_a_thing: bool) -> Iterator[str]:
    match parsed(value):
        case dict() as record:
            personal = kinds_in(record, None)
            is_thing = not personal and (of_a_thing or any(_OF_A_THING.search(key) for key in record))
            for key, part in record.items():
                yield from _KEY.findall(key)
                yield from _words(part, is_thing and key not in personal)
        case list() as parts:
            for part in parts:
                yield from _words(part, of_a_thing)
        case str() as text if of_a_thing and len(text) <= _LONGEST:
            yield from _WORD.findall(text)
