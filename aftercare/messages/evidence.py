"""What comes in after the agent has spoken: feedback, a second contact, a reopening."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from aftercare.messages.base import Id, Instant, Json, Line, Message, Text


class Family(StrEnum):
    """The six families of feedback."""

    EXPLICIT = "explicit"
    IMPLICIT = "implicit"
    OUTCOME = "outcome"
    TRACE = "trace"
    OPERATIONAL = "operational"
    COMPARATIVE = "comparative"


class Feedback(Message):
    """One piece of feedback: what kind, which value, from where. `value` is in `unit`; unknown is null, never zero.

    `step` is the reply it is about, where it is about one. The kinds there are, and the values they take, stand in
    `aftercare.messages.kinds`.
    """

    id: Id
    family: Family = Family.EXPLICIT
    kind: Annotated[str, Field(min_length=1, max_length=60)]
    value: float | None = None
    unit: Line = ""
    comment: Text = ""
    payload: dict[str, Json] = {}
    source: Line = ""
    at: Instant | None = None
    step: Annotated[int, Field(ge=1, le=1_000_000)] | None = None


class Recontact(Message):
    """The customer wrote again. It counts against the resolution when it is about the same issue."""

    id: Id
    same_issue: bool = True
    channel: Line = ""
    reason: Text = ""
    at: Instant | None = None


class Reopen(Message):
    """The case was opened again: the watch ends early and a new episode begins."""

    id: Id
    reason: Text = ""
    source: Line = ""
    at: Instant | None = None


class Refusal(Message):
    """A message that was not taken in, kept with the reason so that nobody has to guess."""

    model_config = ConfigDict(ser_json_inf_nan="null")

    id: str
    kind: str
    reasons: tuple[str, ...]
    body: Json = None
    at: Instant | None = None
