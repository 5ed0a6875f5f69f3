"""What a client writes: each message with its id, as the JSON that is kept and sent unchanged. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import uuid4

from aftercare.client.bounded import bounded, clean
from aftercare.client.problems import AftercareError
from aftercare.messages.base import Message
from aftercare.messages.case import Action

LONGEST_ID = 120
MOST_ACTIONS = 100
LARGEST_ARGUMENTS = 16 * 1024  # characters of one action's
LARGEST_BATCH = 512 * 1024
LARGEST_ENDING = 400 * 1024  # all arguments of a claim together
M = TypeVar("M", bound=Message)


@dataclass(frozen=True)
class Write:
    """One message about a case. `kind` as in the inbox; `body` is JSON."""

    case_id: str
    kind: str
    id: str
    body: str


@dataclass(frozen=True)
class Entry(Write):
    """A write that waits to be sent, with its place in the order."""

    seq: int


@dataclass(frozen=True)
class RefusedWrite:
    """What Aftercare would not take, and why. `body` is JSON, and null where the case was erased."""

    case_id: str
    kind: str
    id: str
    status: int
    reasons: tuple[str, ...]
    body: str | None


@dataclass(frozen=True)
class Known:
    """What the buffer remembers of a case: its last step, its endings so far, and the actions not yet claimed."""

    last: int = 0
    endings: int = 0
    acts: tuple[str, ...] = ()


def write(case_id: str, kind: str, message: Message) -> Write:
    """The message as it goes over the wire: what was told, and no defaults."""
    return Write(case_id, kind, getattr(message, "id", case_id), wire(message))


def wire(message: Message) -> str:
    """JSON of what was told. Raises AftercareError where something within is none."""
    try:
        return message.model_dump_json(exclude_unset=True)
    except ValueError as error:
        raise AftercareError(f"this is no JSON ({type(error).__name__})") from None


def numbered_id(case_id: str, kind: str, number: int) -> str:
    """The id of a case's so-manieth message of a kind: the same each time it is made."""
    told = f".{kind}.{number}"
    if len(case_id) + len(told) > LONGEST_ID:
        case_id = f"{case_id[:80]}.{hashlib.sha256(case_id.encode()).hexdigest()[:12]}"
    return case_id + told


def new_id(kind: str) -> str:
    """An id that no other message has."""
    return f"{kind}-{uuid4().hex}"


def batches(steps: Iterable[tuple[int, str]], most: int) -> Iterator[list[tuple[int, str]]]:
    """Steps in order, each a number and its JSON: so many in a batch, and within the size of a message."""
    batch: list[tuple[int, str]] = []
    size = 0
    for number, body in steps:
        length = len(body.encode())
        if batch and (len(batch) == most or size + length > LARGEST_BATCH):
            yield batch
            batch, size = [], 0
        batch.append((number, body))
        size += length
    if batch:
        yield batch


def exact(model: type[M], told: Mapping[str, Any]) -> M:
    """The message. Raises AftercareError with everything that is wrong with it; values are not quoted."""
    try:
        return model.model_validate(_texts(told))
    except ValueError as error:
        raise AftercareError(*(f"{_where(p)}: {p['msg']}" for p in _problems(error))) from None


def fitted(model: type[M], told: Mapping[str, Any]) -> tuple[M, tuple[str, ...]]:
    """The message as far as it can be made, with what had to be cut or left out: an agent must not fail over a value.

    Raises AftercareError where what is wrong cannot be left out.
    """
    told = _texts(told)
    try:
        return model.model_validate(told), ()
    except ValueError as error:
        problems = _problems(error)
    kept = {name: value for name, value in told.items() if name not in {p["loc"][0] for p in problems}}
    cut = {p["loc"][0]: _cut(p) for p in problems if p["type"] == "string_too_long" and len(p["loc"]) == 1}
    if not {name for name, field in model.model_fields.items() if field.is_required()} <= (kept | cut).keys():
        raise AftercareError(*(f"{_where(p)}: {p['msg']}" for p in problems))
    reasons = tuple(f"{_where(p)}: {'cut' if p['loc'][0] in cut else 'left out'}, {p['msg']}" for p in problems)
    return exact(model, kept | cut), reasons


def claimed(actions: Iterable[Action]) -> tuple[Action, ...]:
    """The actions of an ending, as many as a message takes, their arguments within its size."""
    taken = tuple(actions)[:MOST_ACTIONS]
    largest = min(LARGEST_ARGUMENTS, LARGEST_ENDING // max(len(taken), 1))
    return tuple(_within(action, largest) for action in taken)


def _within(action: Action, largest: int) -> Action:
    if not action.arguments:
        return action
    arguments = bounded(action.arguments, largest)
    return action.model_copy(update={"arguments": arguments if isinstance(arguments, dict) else {}})


def _texts(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: clean(value) if isinstance(value, str) else value for name, value in told.items()}


def _problems(error: ValueError) -> list[Any]:
    """What pydantic says, which is not imported here: the messages are all a client knows of it."""
    found: list[Any] = getattr(error, "errors", list)()
    return found or [{"loc": ("message",), "type": "value_error", "msg": str(error)}]


def _where(problem: Any) -> str:
    return ".".join(str(part) for part in problem["loc"]) or "message"


def _cut(problem: Any) -> str:
    text: str = problem["input"]
    return f"{text[: problem['ctx']['max_length'] - 1]}…"
