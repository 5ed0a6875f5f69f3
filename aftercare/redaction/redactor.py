"""Redacts JSON: known values, then values under telling keys, then patterns, then what a model takes for a name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from aftercare.messages.base import Json
from aftercare.redaction import model
from aftercare.redaction.addresses import addresses, cities, widened
from aftercare.redaction.claims import Claims
from aftercare.redaction.keys import fits, walked
from aftercare.redaction.kinds import Kind, Span
from aftercare.redaction.known import Known
from aftercare.redaction.labelled import labelled
from aftercare.redaction.matching import Matcher, matcher_of
from aftercare.redaction.names import names
from aftercare.redaction.national import tax_ids
from aftercare.redaction.numbers import cards, emails, ibans, ips
from aftercare.redaction.phones import phones

PATTERNS_ONLY: Final = "patterns only"
PATTERNS_AND_NAMES: Final = "patterns and names"
NOBODY: Final = Known()

Detector = Callable[[str], Iterable[Span]]
Model = Callable[[str, frozenset[str]], Iterable[Span]]  # a text, and words that stand for things
# The first to claim a part of a text has it. Ids and figures by themselves are spared all that looks at digits alone.
_SURE: tuple[Detector, ...] = (ibans,)
_OF_DIGITS: tuple[Detector, ...] = (cards, tax_ids, ips, labelled, phones)
_OF_WORDS: tuple[Detector, ...] = (addresses, names)
_ROUNDS = 8  # a text is looked through until nothing more is found; two rounds do for almost every one


class Redactor:
    """Takes personal data out of JSON. `mode` says how thoroughly it looks."""

    def __init__(self, further: Model | None = None) -> None:
        """`further` finds names that no pattern tells: the model."""
        self.mode = PATTERNS_ONLY if further is None else PATTERNS_AND_NAMES
        self._further = further

    def redacted(self, value: Json, known: Known = NOBODY) -> Json:
        """The same JSON with placeholders for what tells of a person; keys of objects stay."""
        look = _Look(matcher_of(known.values, known.things), known.things, self._further)

        def leaf(part: Json, kind: Kind | None, is_figure: bool) -> Json:
            if kind is not None and fits(part, kind):
                return kind.placeholder
            return look.settled(part, is_figure) if isinstance(part, str) else part

        return walked(value, leaf)


class _Look:
    """One look through the texts of a case."""

    def __init__(self, matcher: Matcher, things: frozenset[str], further: Model | None) -> None:
        self._matcher, self._things, self._further = matcher, things, further

    def settled(self, text: str, is_figure: bool) -> str:
        """A text from which another look takes nothing: what was taken may have stood between two things that tell."""
        is_figure = is_figure and len(text.split()) < 3
        whole = None if is_figure else self._matcher.whole(text)
        if whole:
            return whole.placeholder
        for _ in range(_ROUNDS):
            found = self._found(text, is_figure)
            if not found:
                break
            text = _replaced(text, found)
        return text

    def _found(self, text: str, is_figure: bool) -> list[Span]:
        claims = Claims(text)
        known = list(self._matcher.spans(text))
        claims.add(span for span in known if span.kind in (Kind.CUSTOMER, Kind.EMAIL))
        claims.add(emails(text))
        claims.add(span for span in known if not (is_figure and span.kind is Kind.ADDRESS))
        for detect in (*_SURE, *(() if is_figure else _OF_DIGITS), *_OF_WORDS):
            claims.add(detect(text))
        self._widen(claims, text)
        if self._further is not None and not is_figure:
            claims.add(self._further(text, self._things))
        return claims.joined()

    def _widen(self, claims: Claims, text: str) -> None:
        """Parts of an address take along what belongs to them, and towns on lines of their own."""
        parts = [span for span in claims.claimed() if span.kind is Kind.ADDRESS]
        claims.add(widened(text, span, self._matcher.places) for span in parts)
        if parts or Kind.ADDRESS.placeholder in text:
            claims.add(cities(text))


def redactor_of(wants_names: bool | None = None) -> Redactor:
    """A redactor with the model where it is installed; False goes without, True raises ImportError where it is not."""
    if wants_names and not model.is_installed():
        raise ImportError("names are found by a model that is not installed here: pip install 'aftercare[pii]'")
    return Redactor(model.named if wants_names is not False and model.is_installed() else None)


def _replaced(text: str, spans: Iterable[Span]) -> str:
    parts, end = [], 0
    for span in spans:
        parts += [text[end : span.start], span.kind.placeholder]
        end = span.end
    return "".join(parts) + text[end:]
