"""What an agent reports: the case, its decision points, and how it ended for the agent."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from aftercare.messages.base import NOT_REPORTED, Confidence, Id, Instant, Json, Line, Message, Name, Text


class StepKind(StrEnum):
    """What an agent does at a decision point."""

    CLASSIFY = "classify"
    RETRIEVE = "retrieve"
    CHECK_POLICY = "check_policy"
    REASON = "reason"
    ACT = "act"
    REPLY = "reply"


class Step(Message):
    """One decision point of the trace.

    `number` counts from 1 within the case and is the step's name: an override may point at it.
    `heard` is what the customer said since the step before, `said` what the agent said while taking this step.
    `error` is the refusal or fault the agent met, `receipt` the system of record's own name for the operation.
    `latency` in seconds, `tokens` in all, `cost` in the deployment's currency; where only `model` and its tokens are
    given, the cost is told from the price table. `fallback` says that the agent fell back on an answer for when it
    knows none. `source` is where the step was read from, such as a span.
    """

    number: Annotated[int, Field(ge=1, le=1_000_000)]
    kind: StepKind
    name: Name = ""
    input: dict[str, Json] = {}
    output: Json = None
    heard: Text = ""
    said: Text = ""
    error: Line | None = None
    receipt: Id | None = None
    confidence: Confidence = NOT_REPORTED
    latency: float | None = None
    tokens: int | None = None
    cost: float | None = None
    state: dict[str, Json] = {}
    at: Instant | None = None
    model: Name = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    fallback: bool = False
    source: Line = ""


class StepsHeld(Message):
    """Steps that lie in the store: how many, the highest number among them, and the beginning of their SHA-256."""

    count: Annotated[int, Field(ge=0)] = 0
    last: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    digest: str = ""


class Steps(Message):
    """A batch of decision points. The gateway stores them and sends `held`; a plain client may send `steps`."""

    id: Id
    steps: Annotated[tuple[Step, ...], Field(max_length=500)] = ()
    held: StepsHeld | None = None


class Case(Message):
    """One customer issue, as the agent that took it up describes it.

    `environment` names the isolated copy of the systems of record this case acts on; empty means the live ones.
    `ticket` is the helpdesk's own name for it (`zendesk:4711`), by which its webhooks find the case. `contact` is where
    the customer may be asked how it went (`mailto:...`); nobody is asked where there is none.
    """

    id: Id
    agent: Id
    domain: Id
    release: Name | None = None
    channel: Name = "chat"
    customer: Line | None = None
    intent: Name = "unknown"
    handled_by: Literal["agent", "human"] = "agent"
    environment: Line = ""
    opened_at: Instant | None = None
    ticket: Name | None = None
    contact: Line | None = None


class Action(Message):
    """Something done, or to be done, in a system of record: a tool's name and its arguments."""

    name: Name
    arguments: dict[str, Json] = {}
    step: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    receipt: Id | None = None


class Resolution(Message):
    """The agent's claim that the issue is solved, and what it says it did."""

    id: Id
    intent: Name = "unknown"
    confidence: Confidence = NOT_REPORTED
    actions: Annotated[tuple[Action, ...], Field(max_length=100)] = ()
    reply: Annotated[str, Field(max_length=4_000)] = ""
    at: Instant | None = None


class Escalation(Message):
    """The agent hands over to a person. What it had already done is verified and audited all the same."""

    id: Id
    reason: Text
    intent: Name = "unknown"
    confidence: Confidence = NOT_REPORTED
    actions: Annotated[tuple[Action, ...], Field(max_length=100)] = ()
    at: Instant | None = None


class Proposal(Message):
    """What the agent would have done in a case that a person handles: shadow mode."""

    id: Id
    intent: Name = "unknown"
    confidence: Confidence = NOT_REPORTED
    actions: Annotated[tuple[Action, ...], Field(max_length=100)] = ()
    reply: Annotated[str, Field(max_length=4_000)] = ""
    at: Instant | None = None


class CaseReport(Message):
    """A whole case in one call, from an agent that has already finished: one of resolution and escalation."""

    id: Id
    case: Case
    steps: Annotated[tuple[Step, ...], Field(max_length=500)] = ()
    held: StepsHeld | None = None
    resolution: Resolution | None = None
    escalation: Escalation | None = None

    @model_validator(mode="after")
    def _one_ending(self) -> CaseReport:
        if (self.resolution is None) == (self.escalation is None):
            raise ValueError("a whole report carries either a resolution or an escalation, not both and not neither")
        return self


class CaseInput(Message):
    """What starts the workflow. Without `case` the run serves evidence and loads what the store knows."""

    case_id: Id
    case: Case | None = None


class Receipt(Message):
    """Says that a message was taken in. `release` is the release assigned to the case, when there is one.

    `case_id` is filled in by the gateway: a caller of the workflow knows it, and histories stay small.
    """

    id: str
    case_id: str = ""
    accepted: bool = True
    release: str | None = None
    note: str = ""
