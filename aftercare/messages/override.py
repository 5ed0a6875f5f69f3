"""What a person knew that the agent did not: the override, whole."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from aftercare.messages.base import NOT_REPORTED, Confidence, Id, Instant, Json, Message
from aftercare.messages.case import Action

Said = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]
Place = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Given = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]


class Tagged(Message):
    """One of several forms, told apart by its kind, which is therefore always sent."""

    def model_post_init(self, _context: Any) -> None:
        """Unset fields are left out on the wire; the kind never is."""
        self.__pydantic_fields_set__.add("kind")


class Actions(Tagged):
    """The person did this instead; together these are everything that should have happened."""

    kind: Literal["actions"] = "actions"
    actions: Annotated[tuple[Action, ...], Field(min_length=1, max_length=100)]


class Undo(Tagged):
    """What the agent did was taken back; the records stand as they did before."""

    kind: Literal["undo"] = "undo"


class NothingToDo(Tagged):
    """Nothing had to be done, and nothing had to be taken back."""

    kind: Literal["nothing_to_do"] = "nothing_to_do"


class Clause(Tagged):
    """A clause of the pinned policy book decided it."""

    kind: Literal["clause"] = "clause"
    clause: Given


class TraceStep(Tagged):
    """A step of the agent's own trace decided it, by its number."""

    kind: Literal["step"] = "step"
    step: Annotated[int, Field(ge=1, le=1_000_000)]


class RecordFact(Tagged):
    """A fact of a system of record decided it: what was expected there, and what was found."""

    kind: Literal["fact"] = "fact"
    system: Given
    record: Place
    field: Place
    expected: Json = None
    found: Json = None


FinalAction = Annotated[Actions | Undo | NothingToDo, Field(discriminator="kind")]
Deciding = Annotated[Clause | TraceStep | RecordFact, Field(discriminator="kind")]


class OriginalDecision(Message):
    """What the agent had decided, filled in from the case's own trace and never by the person."""

    decision: Literal["resolved", "escalated", "fell_silent"]
    intent: str = "unknown"
    confidence: Confidence = NOT_REPORTED
    actions: tuple[Action, ...] = ()


class Override(Message):
    """A person's correction. Whole, or refused with the list of what is missing.

    `corrected_intent` is the right intent, or `unchanged`. `original` is filled in by the case itself.
    """

    id: Id
    reviewer: Given
    final: FinalAction
    corrected_intent: Given
    rationale: Said
    deciding: Deciding
    original: OriginalDecision | None = None
    at: Instant | None = None


__all__ = [
    "Actions",
    "Clause",
    "Deciding",
    "FinalAction",
    "NothingToDo",
    "OriginalDecision",
    "Override",
    "RecordFact",
    "TraceStep",
    "Undo",
]
