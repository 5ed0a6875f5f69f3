"""What a trace tells about its calls: which are the same, which record an act is about, what one could have changed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aftercare.evidence.values import canonical, distinctive
from aftercare.messages.case import Step, StepKind

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_NAMING = {"id", "number", "key"}

Record = frozenset[tuple[str, str]]  # what it is, and its id


def signature(step: Step) -> str | None:
    """By what the same call is known again: its name and arguments. Null for what is no call.

    A reply is none, and neither is a classification or a thought of which no input was told.
    """
    thinks = step.kind in (StepKind.CLASSIFY, StepKind.REASON)
    if step.kind is StepKind.REPLY or not (step.input or (step.name and not thinks)):
        return None
    return canonical([step.name, step.input])


def answer(step: Step) -> str:
    """What the call brought, refusals included."""
    return canonical([step.output, step.error])


def is_write(step: Step) -> bool:
    """An act that was accepted. One that was refused changed nothing."""
    return step.kind is StepKind.ACT and step.error is None


def touched(step: Step) -> set[str]:
    """The ids and other values that a call is about: those it asked with, and those it brought."""
    return distinctive(step.input) | distinctive(step.output)


def record_of(step: Step) -> Record:
    """The record that an act is about: the ids among its arguments that its own name speaks of, or a bare `id`.

    `cancel_order(order_id=...)` is about an order. `book(user_id=...)` makes something new for a user, and is about
    nothing that was there before: empty.
    """
    return frozenset((thing, canonical(step.input[key])) for key, thing in _spoken_of(step, str, int))


def parts_of(step: Step) -> Record:
    """The parts of its record that an act is about: the lists of ids that its own name speaks of."""
    return frozenset((thing, canonical(step.input[key])) for key, thing in _spoken_of(step, list, tuple))


def settings_of(step: Step) -> dict[str, str]:
    """What an act sets, in canonical form: its arguments, but for those that name its record and its parts."""
    named = {key for key, _ in _spoken_of(step, str, int, list, tuple)}
    return {key: canonical(value) for key, value in step.input.items() if key not in named}


def intent_of(step: Step) -> str | None:
    """The intent that a classification decided for: its output, or the field of it that holds it."""
    told = step.output
    if isinstance(told, dict):
        told = next((told[key] for key in ("intent", "label", "class") if key in told), None)
    return told.strip().casefold() if isinstance(told, str) and told.strip() else None


def words_in(name: str) -> list[str]:
    """The words of a tool's or an argument's name, however it is written: `cancelOrders`, `cancel_order`."""
    return [word.lower().removesuffix("s") for word in _WORD.findall(name)]


def _spoken_of(step: Step, *forms: type) -> Iterator[tuple[str, str]]:
    """The arguments that hold ids of what the act's own name speaks of, each with what that is."""
    spoken_of = set(words_in(step.name))
    for key, value in step.input.items():
        words = words_in(key)
        thing = [word for word in words if word not in _NAMING]
        if len(thing) < len(words) and set(thing) <= spoken_of and isinstance(value, forms):
            yield key, " ".join(thing)
