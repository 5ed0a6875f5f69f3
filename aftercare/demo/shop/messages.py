"""The shop's wire bodies."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Kind = Literal["drop", "wrong", "eventual"]


class Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Answer(Message):
    """What a tool or a correction answered; only what may change records is an operation."""

    operation: str | None
    result: Any = None


class Correction(Message):
    """Changes by hand to one record: JSON Pointers (RFC 6901) into it, in this order; null removes.

    The empty pointer is the whole record, which may so be made or removed.
    """

    record: str
    fields: dict[str, JsonValue]
    by: str
    reason: str


class JournalEntry(Message):
    """One operation on a copy, in the order they happened; a refused one changed nothing."""

    operation: str
    tool: str
    arguments: dict[str, Any]
    by: Literal["agent", "staff"]
    at: datetime
    accepted: bool
    reason: str | None
    changed: list[str]


class Change(Message):
    """One fact of a record that was set, or is gone; the empty field is the whole record."""

    field: tuple[str, ...]
    value: JsonValue = None
    gone: bool = False

    @property
    def name(self) -> str:
        """The field as people write it."""
        return ".".join(self.field)


class WriteFault(Message):
    """What goes wrong with one write, although it is acknowledged.

    `choice` picks the fact that is applied wrongly and its value; `shows_after` is how long an effect takes to show.
    """

    kind: Kind
    choice: int = Field(default=0, ge=0)
    shows_after: float = Field(default=0, ge=0)


class FaultPlan(Message):
    """What is to go wrong on one copy: by the number of the operation, and with the reading of its records.

    `slow` is how many seconds each answer takes; `down_after` the number of the operation after which there is none.
    """

    writes: dict[int, WriteFault] = {}
    slow: float = Field(default=0, ge=0)
    down_after: int | None = None


class Injected(Message):
    """A fact that a fault really touched: what the operation acknowledged, and what stands there instead, or first."""

    operation: str
    kind: Kind
    record: str
    field: str
    right: JsonValue = None
    stored: JsonValue = None


class Ledger(Message):
    """The truth about one copy, for whoever scores others by it.

    `records` are all that the agent's operations were about, as those operations left them once everything shows; null
    is a record that is not there. `made` names those that were not there before, with the operation that made them.
    """

    plan: FaultPlan | None
    injected: list[Injected]
    records: dict[str, dict[str, JsonValue] | None]
    made: dict[str, str]


class Problem(Message):
    """An RFC 9457 problem; `operation` names the journal entry of a refused write."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    operation: str | None = None
