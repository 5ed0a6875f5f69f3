"""What is known of the people of a case, each value with its kind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aftercare.lifecycle.personal import learned
from aftercare.messages.base import Json
from aftercare.messages.case import Case, Step
from aftercare.redaction.keys import fits, walked
from aftercare.redaction.kinds import PLACEHOLDER, Kind
from aftercare.redaction.names import introduced
from aftercare.redaction.things import things_in
from aftercare.redaction.words import NOT_IN_NAMES

_LONGEST = 200  # a longer value is a text, not a value
_MOST = 500  # values of a case: a tool that answers with a whole list of people tells nothing of this one


@dataclass(frozen=True, slots=True)
class Known:
    """Values known of the people of a case: the customer's id, names, addresses and the like.

    `things` are words its records use for products and the like, which a model would take for somebody.
    """

    values: tuple[tuple[str, Kind], ...] = ()
    things: frozenset[str] = frozenset()

    @classmethod
    def of(cls, case: Case | None, steps: Sequence[Step], more: Iterable[str] = ()) -> Known:
        """What a case and its steps tell; `more` are values known from elsewhere, whose kind is told by their look.

        Read are what erasure reads of a customer (`learned`), and beyond it whatever stands under a telling key in
        the steps, whoever it is of: passengers and recipients are people too.
        """
        bodies = [step.model_dump(include={"input", "output", "state"}) for step in steps]
        values: dict[str, Kind] = {}
        said = list(more)
        if case is not None:
            if case.customer:
                values[case.customer] = Kind.CUSTOMER
            said += learned(case.customer or "", [case.contact] if case.contact else [], bodies)
        told = [*((value, kind_of(value)) for value in sorted(said)), *_under_keys(bodies), *_introduced(steps)]
        for value, kind in told:
            if _is_usable(value):
                values.setdefault(value.strip(), kind)
        for value in [value for value, kind in values.items() if kind in (Kind.CUSTOMER, Kind.EMAIL)]:
            if name := _spelt_in(value):
                values.setdefault(name, Kind.NAME)
        return cls(tuple(values.items())[:_MOST], things_in(bodies))


def kind_of(value: str) -> Kind:
    """What a value tells of a person, by its look."""
    if "@" in value:
        return Kind.EMAIL
    digits = sum(c.isdigit() for c in value)
    if not digits:
        return Kind.NAME
    if digits >= 6 and not any(c.isalpha() for c in value):
        return Kind.PHONE
    return Kind.ADDRESS if " " in value else Kind.CUSTOMER


def _under_keys(bodies: Iterable[Json]) -> list[tuple[str, Kind]]:
    found: list[tuple[str, Kind]] = []

    def note(value: Json, kind: Kind | None, is_figure: bool) -> Json:
        if kind is not None and fits(value, kind):
            found.append((str(value).strip(), kind))
        return value

    for body in bodies:
        walked(body, note)
    return found


def _introduced(steps: Sequence[Step]) -> list[tuple[str, Kind]]:
    return [(name, Kind.NAME) for step in steps for text in (step.heard, step.said) for name in introduced(text)]


def _spelt_in(value: str) -> str:
    """The name that an id or a mail address spells: `yusuf_rossi_9620`, `yusuf.rossi@example.com`."""
    words = [word for word in re.split(r"[._\-\d]+", value.partition("@")[0]) if word]
    if len(words) != 2 or not all(word.isalpha() and len(word) >= 2 for word in words):
        return ""
    return "" if set(words) & NOT_IN_NAMES else " ".join(word.capitalize() for word in words)


def _is_usable(value: str) -> bool:
    return 0 < len(value.strip()) <= _LONGEST and not PLACEHOLDER.search(value)
