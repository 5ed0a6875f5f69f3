"""The labelled set: sentences as customers, agents, reviewers and tools write them, every personal detail marked.

A line of labelled.jsonl is one of them: `said` is a text or JSON in which `⟦kind:value⟧` marks what tells of a person,
`record` what a tool tells of the customer, where one does. The rows with `graded` were written before the redactor was,
and it was never changed for their sake: figures come from them alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from aftercare.messages.case import Case, Step, StepKind
from aftercare.redaction import Kind, Known
from aftercare.redaction.kinds import PLACEHOLDER, Span

FILE = Path(__file__).with_name("labelled.jsonl")
MARK = re.compile(r"⟦([a-z ]+):([^⟦⟧]+)⟧")


@dataclass(frozen=True)
class Sentence:
    """A sentence with its marks taken out, and what is known of the customer beside it."""

    id: str
    graded: bool
    marked: Any
    record: dict[str, Any]

    @property
    def said(self) -> Any:
        return _each(self.marked, lambda text: MARK.sub(r"\2", text))

    @property
    def known(self) -> Known:
        customer = self.record.get("user_id") or self.record.get("customer_id")
        case = Case(id="labelled", agent="labelled", domain="labelled", customer=customer)
        return Known.of(case, [Step(number=1, kind=StepKind.RETRIEVE, name="look_up", output=self.record)])


@cache
def sentences(graded: bool) -> tuple[Sentence, ...]:
    """One half of the set: the graded one, or the one to develop on."""
    rows = [json.loads(line) for line in FILE.read_text("utf-8").splitlines()]
    read = (Sentence(r["id"], r.get("graded", False), r["said"], r.get("record", {})) for r in rows)
    return tuple(sentence for sentence in read if sentence.graded is graded)


@dataclass(frozen=True)
class Leaf:
    """A text within a sentence: what is marked in it, and what was taken out of it."""

    text: str
    marked: tuple[Span, ...]
    taken: tuple[Span, ...]


def leaves(sentence: Sentence, redacted: Any) -> Iterator[Leaf]:
    """The texts of a sentence beside what became of them."""
    for marked, left in zip(_texts(sentence.marked), _texts(redacted), strict=True):
        text = MARK.sub(r"\2", marked)
        yield Leaf(text, tuple(_marks(marked)), tuple(_taken(text, left)))


def _marks(marked: str) -> Iterator[Span]:
    shift = 0
    for mark in MARK.finditer(marked):
        start = mark.start() - shift
        yield Span(start, start + len(mark[2]), Kind(mark[1]))
        shift += len(mark[0]) - len(mark[2])


def _taken(text: str, left: str) -> Iterator[Span]:
    """What placeholders stand for: the text between what was left."""
    kept = map(re.escape, PLACEHOLDER.split(left))
    aligned = re.fullmatch("(.+?)".join(kept), text, re.DOTALL)
    assert aligned, f"{left!r} is not {text!r} with parts taken out"
    for number, placeholder in enumerate(PLACEHOLDER.finditer(left), 1):
        yield Span(*aligned.span(number), Kind(placeholder[0][1:-1]))


def _texts(value: Any) -> Iterator[str]:
    match value:
        case dict():
            for part in value.values():
                yield from _texts(part)
        case list():
            for part in value:
                yield from _texts(part)
        case _:
            yield str(value)


def _each(value: Any, change: Any) -> Any:
    match value:
        case dict():
            return {key: _each(part, change) for key, part in value.items()}
        case list():
            return [_each(part, change) for part in value]
        case str():
            return change(value)
        case _:
            return value
