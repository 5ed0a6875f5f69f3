"""Which words of a trace were brought by which step, and where they were used afterwards."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence

from aftercare.evidence.values import distinctive, tokens, words_of
from aftercare.messages.base import Json
from aftercare.messages.case import Step, StepKind

_CALLS = (StepKind.CLASSIFY, StepKind.RETRIEVE, StepKind.CHECK_POLICY, StepKind.ACT)

Words = set[str]


class Uses:
    """Reads a trace once, in order. `told` is what the ending told, after the last step.

    A step brought the words of its output that stood in nobody's words and in no input before. Merely having been read
    before is no use of them.
    """

    def __init__(self, ordered: Sequence[Step], told: Json = None) -> None:
        self._used: dict[str, int] = {}  # by word, the last step that said it or had it in its input
        self._asked: dict[str, int] = {}  # by word, the last call that asked with it
        self._acted: dict[str, int] = {}  # by word, the last act on it
        self._said: dict[str, list[int]] = {}  # by word, every step that said or thought it
        self._read: dict[str, int] = {}  # by word, the first step whose output had it
        self._found: dict[int, Words] = {}
        self._brought: dict[int, Words] = {}
        self._told = words_of(told)
        self._turn_ends = _turn_ends(ordered)
        spoken: Words = set()
        for step in ordered:
            spoken |= self._note(step) | tokens(step.heard)
            self._found[step.number] = distinctive(step.output)
            self._brought[step.number] = (self._found[step.number] | distinctive(step.error)) - spoken
            for word in self._found[step.number]:
                self._read.setdefault(word, step.number)

    def brought(self, step: Step) -> Words:
        """What a step brought."""
        return self._brought[step.number]

    def alone(self, search: Sequence[Step]) -> Words:
        """What only one of these steps found: by it one can tell of which of them the agent made use."""
        times = Counter(word for step in search for word in self._found[step.number])
        return {word for word, count in times.items() if count == 1}

    def used(self, step: Step, alone: Words) -> bool:
        """Whether anything that a retrieval alone brought was used later, by the agent or by the ending.

        Also where the agent acted on what it had looked up, or spoke or thought of it before the customer spoke again.
        """
        number, asked = step.number, distinctive(step.input)
        return (
            any(self._used.get(word, 0) > number or word in self._told for word in self._brought[number] & alone)
            or any(self._acted.get(word, 0) > number for word in asked)
            or any(self._said_next(word, number) for word in (self._found[number] & alone) | asked)
        )

    def listed(self, step: Step) -> bool:
        """Whether a call asked with something that an earlier step had brought: an entry of a list, looked up."""
        return any(self._read.get(word, step.number) < step.number for word in distinctive(step.input))

    def asked_with(self, step: Step) -> bool:
        """Whether a later call asked with anything this step brought."""
        return any(self._asked.get(word, 0) > step.number for word in self._brought[step.number])

    def _note(self, step: Step) -> Words:
        """Note where the words of a step were used; gives them."""
        asked, said = words_of(step.input), tokens(step.said)
        _mark(self._used, asked | said, step.number)
        if step.kind in _CALLS:
            _mark(self._asked, asked, step.number)
        if step.kind is StepKind.ACT:
            _mark(self._acted, asked, step.number)
        for word in said | asked if step.kind is StepKind.REASON else said:
            self._said.setdefault(word, []).append(step.number)
        return asked | said

    def _said_next(self, word: str, number: int) -> bool:
        """Whether the agent said or thought it after this step and before the customer spoke again."""
        said = self._said.get(word, [])
        following = bisect_right(said, number)
        return following < len(said) and said[following] <= self._turn_ends[number]


def _mark(where: dict[str, int], words: Iterable[str], number: int) -> None:
    where.update(dict.fromkeys(words, number))


def _turn_ends(ordered: Sequence[Step]) -> dict[int, int]:
    """By step, the last step after it before the customer spoke again."""
    ends: dict[int, int] = {}
    end = ordered[-1].number if ordered else 0
    for step, following in zip(reversed(ordered), [None, *reversed(ordered)], strict=False):
        if following is not None and following.heard:
            end = step.number
        ends[step.number] = end
    return ends
