"""Who claims which part of a text: the first has it, and parts of one kind that stand together become one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from aftercare.redaction.kinds import PLACEHOLDER, Kind, Span

_NOBODYS, _PLACEHOLDERS = 0, 255
_CODES = {kind: number for number, kind in enumerate(Kind, 1)}
_KINDS = {number: kind for kind, number in _CODES.items()}
_BETWEEN = {Kind.ADDRESS: re.compile(r"[,\s]{1,3}"), Kind.NAME: re.compile(r" ")}


class Claims:
    """The parts of one text that tell of a person."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._owners = bytearray(len(text))
        for found in PLACEHOLDER.finditer(text):
            self._fill(found.start(), found.end(), _PLACEHOLDERS)

    def add(self, spans: Iterable[Span]) -> None:
        """Claims parts; one that something of another kind has already claimed is left to that."""
        for start, end, kind in spans:
            code = _CODES[kind]
            if set(self._owners[start:end]) <= {_NOBODYS, code}:
                self._fill(start, end, code)

    def claimed(self) -> Iterator[Span]:
        """What is claimed so far, from left to right."""
        for run in re.finditer(rb"([\x01-\xfe])\1*", bytes(self._owners)):
            yield Span(run.start(), run.end(), _KINDS[run[1][0]])

    def joined(self) -> list[Span]:
        """What is claimed, with parts of a name or an address put together over what parts them."""
        spans: list[Span] = []
        for span in self.claimed():
            between = _BETWEEN.get(span.kind)
            last = spans[-1] if spans else None
            if last and between and last.kind is span.kind and between.fullmatch(self._text, last.end, span.start):
                spans[-1] = Span(last.start, span.end, span.kind)
            else:
                spans.append(span)
        return spans

    def _fill(self, start: int, end: int, code: int) -> None:
        self._owners[start:end] = bytes([code]) * (end - start)
