"""What is known of a person, and how it is found and taken out of what others said. Pure.

A value of four characters or more is found as a whole token of a text; a shorter one stands in too many other words,
and is found only where it is a whole JSON value. In scripts that put no spaces between words, two characters are
enough, and they are found anywhere. The customer's id and other single words are found as they are
spelt, words in a row and e-mail addresses in any case. An id that mixes letters and figures is found within longer
ones too (`refund-c1047`); a mere number is not found within dates, times and versions.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

ERASED = "[erased]"
ERASED_ID = "erased"  # where an id is expected, which knows no brackets
SHORTEST = 4
DEEPEST = 50  # no record is nested deeper; what is was made to do harm to whoever walks through it
SHORT_TEXT = 60  # no limit on a text is narrower: below it, a text may grow by the replacement

# Thai, Lao, Burmese, Hangul, Kana, Han.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u11ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\s]{2,}")
_IDS = frozenset({"id", "case_id", "receipt", "agent", "domain"})
_CUSTOMERS = frozenset({"customer", "customer_id", "user_id"})
_EMAILS = frozenset({"email", "emailaddress", "mail"})
_PHONES = frozenset({"phone", "phonenumber", "mobile", "telephone"})


class Person:
    """A customer's id, and other values known of the person."""

    def __init__(self, customer: str, values: Iterable[str] = ()) -> None:
        self.customer = customer
        spelt = {unicodedata.normalize(form, v.strip()) for v in (customer, *values) for form in ("NFC", "NFD")}
        self.values = sorted((v for v in spelt if v), key=lambda v: (-len(v), v))
        self._whole = {v for v in self.values if not _any_case(v)}
        self._folded = {v.casefold() for v in self.values if _any_case(v)}
        within = [pattern(v, v == customer) for v in self.values if len(v) >= SHORTEST or _UNSPACED.fullmatch(v)]
        self._within = re.compile("|".join(within) or r"(?!)")

    def stands_in(self, value: Any) -> bool:
        """Whether a known value stands anywhere in a JSON value or a text."""
        return bool(self.forgotten(value) != value)

    def is_named(self, text: str) -> bool:
        """Whether a text is a known value and nothing else."""
        return text in self._whole or text.casefold() in self._folded

    def forgotten(self, value: Any, under: str = "") -> Any:
        """A JSON value with every known value in it replaced; `under` is the key it stands under."""
        match value:
            case str():
                return self._text(value, under)
            case dict():
                return {self._text(key, ""): self.forgotten(v, key) for key, v in value.items()}
            case list() | tuple():
                return [self.forgotten(v, under) for v in value]
            case int() if under.casefold() in _CUSTOMERS and not isinstance(value, bool):
                return ERASED if str(value) == self.customer else value
            case _:
                return value

    def hints(self) -> list[str] | None:
        """Texts of plain ASCII, one of which stands in whatever holds a known value, however JSON escapes it.

        None where a value has no such part: then only looking everywhere finds it.
        """
        found = {_hint(v) for v in self.values}
        return None if None in found else sorted(h for h in found if h)

    def _text(self, text: str, under: str) -> str:
        if self.is_named(text):
            return ERASED_ID if under in _IDS else ERASED
        if under.casefold() in _CUSTOMERS:
            return text  # another customer, whose id only looks alike
        told = self._within.sub(ERASED_ID if under in _IDS else ERASED, text)
        return told[: max(len(text), SHORT_TEXT)] if told != text else text


def learned(customer: str, contacts: Iterable[str], steps: Iterable[dict[str, Any]]) -> set[str]:
    """What a customer's own cases tell of the person: where they are reached, and what records of them say.

    `contacts` are addresses such as `mailto:...`, `steps` bodies of steps. A record of the person is an object within a
    step's input or output that holds the customer's id as one of its values, the input of a call that was answered with
    the id, and the answer to a call that was given the id alone. Read are e-mail addresses, telephone numbers, first
    and last names together, and a name of several words beside one of the former.
    """
    values = {contact.split(":", 1)[-1] for contact in contacts}
    for step in steps:
        for record in _records(customer, step):
            values |= set(_told(record))
    return {v for v in values if len(v) >= SHORTEST and v != customer}


def _records(customer: str, step: dict[str, Any]) -> Iterator[dict[str, Any]]:
    asked, answer = step.get("input") or {}, parsed(step.get("output"))
    if _is(customer, answer):
        yield asked
    if isinstance(answer, dict) and len(asked) == 1 and _is(customer, *asked.values()):
        yield answer
    yield from (record for record in _objects([asked, answer]) if any(_is(customer, v) for v in record.values()))


def _is(customer: str, value: Any) -> bool:
    return isinstance(value, str | int) and str(value) == customer


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in parts:
        yield from _objects(part)


def parsed(output: Any) -> Any:
    """What a tool answered: tools often answer with JSON as text. Nested very deep, it stays the text it is."""
    if not isinstance(output, str) or output.lstrip()[:1] not in ("{", "["):
        return output
    try:
        told = json.loads(output)
    except (ValueError, RecursionError):
        return output
    return output if _is_deep(told) else told


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [
            part for v in level if isinstance(v, dict | list) for part in (v.values() if isinstance(v, dict) else v)
        ]
        if not level:
            return False
    return True


def _told(record: dict[str, Any]) -> Iterator[str]:
    texts = _texts(record)
    reached = [v for key, v in texts.items() if key in _EMAILS and "@" in v]
    reached += [v for key, v in texts.items() if key in _PHONES and sum(c.isdigit() for c in v) >= 6]
    yield from reached
    name = record.get("name")
    for names in (texts, _texts(name) if isinstance(name, dict) else {}):
        if "firstname" in names and "lastname" in names:
            yield f"{names['firstname']} {names['lastname']}"
    if reached and " " in texts.get("name", ""):
        yield texts["name"]


def _texts(record: dict[str, Any]) -> dict[str, str]:
    plain = ((re.sub(r"[_-]", "", str(key)).casefold(), v) for key, v in record.items())
    return {key: v.strip() for key, v in plain if isinstance(v, str) and v.strip()}


def _any_case(value: str) -> bool:
    return "@" in value or len(value.split()) > 1


def pattern(value: str, is_id: bool) -> str:
    """How a known value is found within a text: as a whole token."""
    words = r"\s+".join(re.escape(word) for word in value.split())
    if _UNSPACED.fullmatch(value):
        return words
    if "@" in value:
        words = words.replace("@", "(?:@|%40)")
        return rf"(?<!\w)(?<!\w[.+%-])(?i:{words})(?!\w)(?!-\w)(?!\.\w)"
    if value.isdigit():
        return rf"(?<!\w)(?<!\d[-.:/]){words}(?!\w)(?![-.:/]\d)"
    if is_id and any(c.isdigit() for c in value):
        return rf"(?<![^\W_]){words}(?![^\W_])"
    return rf"(?<!\w){f'(?i:{words})' if _any_case(value) else words}(?!\w)"


def _hint(value: str) -> str | None:
    pieces = re.findall(r"[A-Za-z0-9._-]+", value.partition("@")[0] or value)
    return max(pieces, key=len) if pieces else None
