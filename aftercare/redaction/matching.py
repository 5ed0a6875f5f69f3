"""Finds known values in a text: names also in parts, numbers however they are grouped, streets however shortened."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache

import phonenumbers

from aftercare.lifecycle.personal import pattern
from aftercare.redaction.kinds import Kind, Span
from aftercare.redaction.words import GREETING, HONORIFIC, INTRODUCED, IT_IS, ORDINARY

_SHORTEST = 4  # a shorter value stands in too many other words and numbers
_NEVER = re.compile(r"(?!)")
_STREETS = (
    "street st", "avenue ave av", "road rd", "drive dr", "lane ln", "court ct", "boulevard blvd", "place pl",
    "square sq", "terrace ter", "parkway pkwy", "highway hwy", "apartment apt", "suite ste", "north n", "south s",
    "east e", "west w",
)  # fmt: skip
_SPELT = {word: words.split() for words in _STREETS for word in words.split()}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_POSTAL_CODE = re.compile(r"(?i)(?=.*\d)[A-Z\d][A-Z\d -]{3,9}[A-Z\d]")

Value = tuple[str, Kind]


class Matcher:
    """Finds the known values in texts. `places` are parts of addresses that count only beside another part."""

    def __init__(self, values: Sequence[Value], things: frozenset[str] = frozenset()) -> None:
        self._ordinary = ORDINARY | things  # words that are no name unless they stand as one: colours, products
        self._names = _Names((value for value, kind in values if kind is Kind.NAME), self._ordinary)
        patterns: dict[Kind, list[str]] = {}
        for value, kind in sorted(values, key=lambda known: -len(known[0])):
            patterns.setdefault(kind, []).extend(_patterns(value, kind))
        self._found = [(kind, re.compile("|".join(parts))) for kind, parts in patterns.items() if parts]
        self.places = frozenset(_plain(v) for v, kind in values if kind is Kind.ADDRESS and _is_only_beside(v))
        self._whole = {_plain(value): kind for value, kind in values if len(value) >= _SHORTEST or kind is Kind.NAME}

    def whole(self, text: str) -> Kind | None:
        """The kind of a text that is a known value and nothing else."""
        plain = _plain(text)
        return None if plain in self._ordinary or plain in self.places else self._whole.get(plain)

    def spans(self, text: str) -> Iterator[Span]:
        """Where known values stand."""
        for kind, known in self._found:
            yield from (Span(*found.span(), kind) for found in known.finditer(text))
        yield from self._names.spans(text)


@lru_cache(maxsize=64)
def matcher_of(values: tuple[Value, ...], things: frozenset[str]) -> Matcher:
    """The matcher of known values, made once for a case."""
    return Matcher(values, things)


class _Names:
    """Whole names in any case; a part of one where it is spelt as a name, or stands where a name does."""

    def __init__(self, names: Iterable[str], ordinary: frozenset[str]) -> None:
        self._ordinary = ordinary
        several = {" ".join(name.split()) for name in names}
        self._whole = _any_of(pattern(name, False) for name in several if not name.isascii() or " " in name)
        parts = {part for name in several for part in re.findall(r"[^\W\d_][\w'’-]+", name)}
        part = "|".join(sorted(map(re.escape, parts), key=lambda p: (-len(p), p)))
        self._parts = re.compile(rf"(?<![\w@-])(?i:{part})(?:,?\s(?i:{part}))*(?![\w@]|-\w)") if part else _NEVER

    def spans(self, text: str) -> Iterator[Span]:
        """Where names stand, whole or in part."""
        yield from (Span(*found.span(), Kind.NAME) for found in self._whole.finditer(text))
        for found in self._parts.finditer(text):
            if len(found[0].split()) > 1 or self._is_meant(text, found):
                yield Span(*found.span(), Kind.NAME)

    def _is_meant(self, text: str, found: re.Match[str]) -> bool:
        """Whether a single word is the name, and not a colour, a month, or a name in small letters by chance."""
        before = text[max(0, found.start() - 30) : found.start()]
        if any(said.search(before) for said in (INTRODUCED, GREETING, HONORIFIC)):
            return True
        if found[0].casefold() in self._ordinary:
            return False
        return found[0][0].isupper() or IT_IS.search(before) is not None


def _patterns(value: str, kind: Kind) -> Iterator[str]:
    match kind:
        case Kind.NAME:
            return
        case Kind.PHONE:
            yield from _of_phone(value)
        case Kind.CARD | Kind.ACCOUNT | Kind.IBAN | Kind.TAX_ID:
            yield from _of_number(value)
        case Kind.ADDRESS if not _is_only_beside(value):
            yield _of_address(value)
        case Kind.BIRTH_DATE:
            yield from _of_date(value)
        case Kind.CUSTOMER | Kind.EMAIL | Kind.IP if len(value) >= _SHORTEST:
            yield pattern(value, kind is Kind.CUSTOMER)


def _of_phone(value: str) -> Iterator[str]:
    """The number within its country, however it is grouped, with or without what is dialled before it."""
    try:
        national = str(phonenumbers.parse(value).national_number)
    except phonenumbers.NumberParseException:
        national = re.sub(r"\D", "", value).lstrip("0")
    if len(national) >= 6:
        dialled = r"(?:(?:\+|\b00)?\d{1,3}[\s.()/-]{0,3})?(?:\(?0\)?[\s./-]{0,2})?\(?"
        grouped = r"[\s.()/-]{0,3}".join(national)
        yield rf"(?<![\w+]){dialled}{grouped}(?!\w)"


def _of_number(value: str) -> Iterator[str]:
    plain = re.sub(r"[^A-Za-z\d]", "", value)
    if len(plain) >= 6:
        yield rf"(?<!\w)(?i:{'[ .-]?'.join(plain)})(?!\w)"


def _of_address(value: str) -> str:
    if _POSTAL_CODE.fullmatch(value):
        return rf"(?<![\w#$€£.,-])(?i:{re.escape(value)})(?:-\d{{4}})?(?![\w%]|[.,]\d)"
    words = r"[\s,]+".join(_spellings(word) for word in re.split(r"[\s,]+", value) if word)
    return rf"(?<!\w)(?i:{words})(?!\w)"


def _spellings(word: str) -> str:
    spelt = _SPELT.get(word.casefold().rstrip("."))
    return rf"(?:{'|'.join(spelt)})\.?" if spelt else re.escape(word)


def _of_date(value: str) -> Iterator[str]:
    try:
        born = date.fromisoformat(value[:10])
    except ValueError:
        yield rf"(?<!\w){re.escape(value)}(?!\w)"
        return
    year, month, day = born.year, rf"0?{born.month}", rf"0?{born.day}"
    named = rf"(?i:{_MONTHS[born.month - 1]}[a-z]*\.?)"
    nth = rf"{day}(?:st|nd|rd|th|\.)?"
    yield rf"(?<!\d){year}[-/.]{month}[-/.]{day}(?!\d)"
    yield rf"(?<!\d)(?:{month}[-/.]{day}|{day}[-/.]{month})[-/.]{year}(?!\d)"
    yield rf"\b(?:{named} {nth},? {year}|{nth} (?:of )?{named},? {year})\b"


def _is_only_beside(place: str) -> bool:
    return len(place) < _SHORTEST + 1 or not any(c.isdigit() for c in place)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    found = sorted(set(patterns), key=lambda p: (-len(p), p))
    return re.compile("|".join(found)) if found else _NEVER
