"""Problems: cases that are about one thing, and the side of a dataset on which all of them stand.

Two cases are about one problem where they have the same customer, the same ticket, or the same opening words, and so on
from case to case. What is learned on one side is tried on the other, so a problem stands on one of them alone; whatever
has to do with a case that was drawn for the audit stands apart, and is never trained on.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from aftercare.messages.case import Case, Step
from aftercare.messages.override import Override, RecordFact

HELD_OUT = 0.2
# A greeting opens too many conversations to tell one from another: then what was said next counts too.
WORDS, BYTES = 3, 12
_CUSTOMERS = frozenset({"customer", "customer_id", "user_id"})
_KINDS = frozenset({"customer", "customers", "user", "users"})
_NO_WORD = re.compile(r"[\W_]+")
_SPOKEN_ID = re.compile(r"\b(?=\w*[^\W\d_])(?=\w*\d)\w{5,}")  # letters and figures together


class Side(StrEnum):
    """Where a row stands. What is in `audit` is what a release is judged by, and nobody trains on it."""

    TRAIN = "train"
    HELD_OUT = "held_out"
    AUDIT = "audit"


@dataclass(frozen=True, slots=True)
class Marks:
    """By what a case is known to be about the same as another. Hashed: they are for comparing, and name nobody."""

    case_id: str
    customers: frozenset[str] = frozenset()
    tickets: frozenset[str] = frozenset()
    openings: frozenset[str] = frozenset()

    @property
    def all(self) -> frozenset[str]:
        """Every mark of it."""
        return self.customers | self.tickets | self.openings


@dataclass(frozen=True, slots=True)
class Problem:
    """What some cases have in common, and where they stand."""

    key: str
    side: Side


@dataclass(frozen=True, slots=True)
class Akin:
    """By what drawn cases are asked for that may be about the same as those of a dataset: in plain, never kept."""

    cases: set[str] = field(default_factory=set)
    customers: set[str] = field(default_factory=set)
    tickets: set[str] = field(default_factory=set)

    def add(self, case: Case, steps: Sequence[Step], overrides: Iterable[Override] = ()) -> None:
        """A case of the dataset."""
        self.cases.add(case.id)
        self.customers.update(_customers_of(case, steps, overrides))
        self.tickets.update({case.ticket} if case.ticket else ())


class Problems:
    """The problems of a dataset, as its cases come."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}
        self._cases: dict[str, Marks] = {}
        self._audited: list[Marks] = []

    def add(self, case: Marks) -> None:
        """A case of the dataset."""
        self._cases[case.case_id] = case
        self._join(case)

    def add_audited(self, case: Marks) -> None:
        """A case that was drawn for the audit, whether it is in the dataset or not."""
        self._audited.append(case)
        self._join(case)

    def parted(self) -> Mapping[str, Problem]:
        """The problem of each case of the dataset."""
        audited = {self._top(_of_case(case)) for case in self._audited}
        together: dict[str, list[Marks]] = defaultdict(list)
        for case in self._cases.values():
            together[self._top(_of_case(case))].append(case)
        parted: dict[str, Problem] = {}
        for top, cases in together.items():
            key = _key(cases)
            problem = Problem(key, Side.AUDIT if top in audited else side_of(key))
            parted |= dict.fromkeys((case.case_id for case in cases), problem)
        return parted

    def _join(self, case: Marks) -> None:
        own = self._top(_of_case(case))
        for mark in case.all:
            self._above[self._top(mark)] = own

    def _top(self, mark: str) -> str:
        path = [mark]
        while (above := self._above.setdefault(path[-1], path[-1])) != path[-1]:
            path.append(above)
        self._above |= dict.fromkeys(path, path[-1])
        return path[-1]


def side_of(key: str) -> Side:
    """The side of a problem, by its key alone: the same in every dataset in which it comes up."""
    drawn = int.from_bytes(hashlib.sha256(f"side/{key}".encode()).digest()[:8], "big")
    return Side.HELD_OUT if drawn < HELD_OUT * (1 << 64) else Side.TRAIN


def marks_of(case: Case, steps: Sequence[Step], overrides: Iterable[Override] = ()) -> Marks:
    """By what a case is known. Where it names no customer, its trace may, or what people put right, or the customer."""
    words = _words(opening_of(steps))
    told = marks_told(case.id, _customers_of(case, steps, overrides), case.ticket)
    return replace(told, openings=frozenset({_mark("opening", " ".join(words))} if _tells(words) else ()))


def marks_told(case_id: str, customers: Iterable[str], ticket: str | None) -> Marks:
    """The marks of a case of which no more is known than whose it is."""
    tickets = frozenset({_mark("ticket", ticket)} if ticket else ())
    return Marks(case_id, customers=frozenset(map(customer_mark, customers)), tickets=tickets)


def customer_mark(customer: str) -> str:
    """The mark of a customer, by which an erasure finds it again."""
    return _mark("customer", customer)


def opening_of(steps: Iterable[Step]) -> str:
    """What the customer said first; where that is a greeting, what was said after it too."""
    said: list[str] = []
    for step in steps:
        if step.heard.strip():
            said.append(step.heard.strip())
            if _tells(_words(" ".join(said))):
                break
    return "\n".join(said)


def _words(text: str) -> list[str]:
    return _NO_WORD.sub(" ", unicodedata.normalize("NFKC", text).casefold()).split()


def _tells(words: Sequence[str]) -> bool:
    """Whether words say something. In scripts without spaces they are one, and a character takes three bytes."""
    written = len(" ".join(words).encode())
    return written >= BYTES and (len(words) >= WORDS or written >= 2 * BYTES)


def _key(cases: Sequence[Marks]) -> str:
    """The key of a problem: its customer's, so that the same customer's next case finds the same side."""
    by = (
        {mark for case in cases for mark in case.customers},
        {mark for case in cases for mark in case.tickets},
        {mark for case in cases for mark in case.openings},
        {_mark("case", case.case_id) for case in cases},
    )
    return min(next(marks for marks in by if marks))


def _mark(kind: str, value: str) -> str:
    return hashlib.sha256(f"{kind}/{value}".encode()).hexdigest()[:16]


def _of_case(case: Marks) -> str:
    return f"case/{case.case_id}"


def _customers_of(case: Case, steps: Sequence[Step], overrides: Iterable[Override]) -> set[str]:
    return {case.customer} if case.customer else _customers(steps, overrides) or _spoken(steps)


def _customers(steps: Sequence[Step], overrides: Iterable[Override]) -> set[str]:
    """Whom a trace is about: the ids that were given to calls or put right, else the only one that was answered."""
    asked = {id for step in steps for id in _named(step.input)}
    for override in overrides:
        if override.final.kind == "actions":
            asked |= {id for action in override.final.actions for id in _named(action.arguments)}
        if isinstance(override.deciding, RecordFact):
            kind, _, id = override.deciding.record.partition("/")
            asked |= {id} if kind.casefold() in _KINDS and id else set()
    answered = {id for step in steps for id in _named(_parsed(step.output))}
    return asked or (answered if len(answered) == 1 else set())


def _spoken(steps: Sequence[Step]) -> set[str]:
    """Ids that a customer named whom nobody looked up: of the customer, an order, a flight."""
    return {id for step in steps for id in _SPOKEN_ID.findall(step.heard)}


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, part in value.items():
            if str(key).casefold() in _CUSTOMERS and isinstance(part, str | int) and str(part).strip():
                yield str(part).strip()
            else:
                yield from _named(part)
    elif isinstance(value, list):
        for part in value:
            yield from _named(part)


def _parsed(output: Any) -> Any:
    """Tools often answer with JSON as text."""
    try:
        return json.loads(output) if isinstance(output, str) and output.lstrip()[:1] in ("{", "[") else output
    except (ValueError, RecursionError):
        return output
