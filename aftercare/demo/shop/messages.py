"""The shop's wire bodies."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, JsonValue


class Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Answer(Message):
    """What a tool or a correction answered; only what may change records is an operation."""

    operation: str | None
    result: Any = None


class Correction(Message):
    """Changes by hand to one record: JSON Pointers (RFC 6901) into it, in this order; null removes."""

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


class Problem(Message):
    """An RFC 9457 problem; `operation` names the journal entry of a refused write."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    operation: str | None = None
