"""Freezing: a row for each case, each content once, and an account of every piece that was claimed."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aftercare.learning.datasets.example import with_names
from aftercare.learning.datasets.material import Claimed, Clauses, Material, example_of, provenance_of
from aftercare.messages.base import Json
from aftercare.messages.evidence import Family

Redact = Callable[[Json], Json]
Account = dict[str, Any]
Body = dict[str, Any]

_MEASURED = frozenset({"latency", "tokens", "cost"})  # no two runs take as long


class Became(StrEnum):
    """What became of a claimed piece: its case is a row, or the content of one, or why it is neither."""

    KEPT = "kept"
    DUPLICATE = "duplicate"
    NO_TRACE = "without a trace"
    UNREADABLE = "unreadable"
    ERASED = "erased"
    UNKNOWN = "unknown case"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a dataset, before it is known on which side it stands."""

    number: int
    case_id: str
    digest: str
    body: Body
    provenance: dict[str, Any]


class Freezing:
    """The rows and accounts of a dataset, as its cases come. Numbers follow the order in which they come."""

    def __init__(self) -> None:
        self.rows = 0
        self.accounts: list[Account] = []
        self._rows_by_content: dict[str, int] = {}

    def take(self, known: Material, claimed: Sequence[Claimed], clauses: Clauses, redact: Redact) -> Row | None:
        """The row of a case; None where it has no trace to learn from, or where there is a row of the same content."""
        if not known.steps:
            self.account(claimed, Became.NO_TRACE)
            return None
        body = body_of(known, claimed, clauses, redact)
        content = digest_of(_content(body))
        if content in self._rows_by_content:
            self.account(claimed, Became.DUPLICATE, self._rows_by_content[content])
            return None
        self.rows += 1
        self._rows_by_content[content] = self.rows
        self.account(claimed, Became.KEPT, self.rows)
        return Row(self.rows, known.case.id, digest_of(body), body, provenance_of(known, claimed))

    def account(self, claimed: Iterable[Claimed], became: Became, row: int | None = None) -> None:
        """Say what became of pieces."""
        for piece in claimed:
            told = {"case": piece.case_id, "piece": piece.piece, "kind": piece.kind, "became": str(became)}
            self.accounts.append(told | ({"row": row} if row else {}))


def body_of(known: Material, claimed: Sequence[Claimed], clauses: Clauses, redact: Redact) -> Body:
    """The body of a row: all of it goes through the redactor, and only what is a name by contract comes back."""
    # A field that says nothing is left out, so that one that is added some day changes no digest.
    body = example_of(known, claimed, clauses).model_dump(mode="json", exclude_defaults=True)
    told: Body = with_names(redact(body), body)
    return told


def digest_of(body: Json) -> str:
    """The SHA-256 of a row's canonical JSON."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def digest_of_rows(rows: Iterable[tuple[str, str]]) -> str:
    """The digest of a dataset, by the digests and sides of its rows, in whatever order they come."""
    lines = sorted(f"{digest} {side}" for digest, side in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def counted(accounts: Iterable[Account]) -> dict[str, int]:
    """How many pieces became what."""
    return dict(Counter(str(account["became"]) for account in accounts))


def without(accounts: Iterable[Account], cases: frozenset[str], rows: frozenset[int]) -> list[Account]:
    """The accounts after these cases, and with them these rows, were erased.

    What repeated an erased row is gone with it: there is one text of both, and it was the erased person's.
    """
    return [
        {**account, "became": str(Became.ERASED)} if account["case"] in cases or account.get("row") in rows else account
        for account in accounts
    ]


def _content(body: Mapping[str, Any]) -> Body:
    """What a row says, without what was only measured, and without the facts of records, which hold times."""
    steps = [_less(step, _MEASURED) for step in body.get("steps", ())]
    flags = [_less(flag, frozenset({"facts"})) for flag in body.get("flags", ())]
    said = [(s["kind"], s.get("value")) for s in body.get("feedback", ()) if s["family"] == Family.EXPLICIT]
    return {**body, "steps": steps, "flags": flags, "feedback": sorted(map(repr, said))}


def _less(told: Mapping[str, Any], names: frozenset[str]) -> Body:
    return {name: value for name, value in told.items() if name not in names}
