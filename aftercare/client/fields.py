"""What may be told by name: of a step, of a case, of a correction. A name there is not is the author's mistake."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Required, TypedDict

from aftercare.messages.base import Confidence
from aftercare.messages.override import Deciding, FinalAction


class StepFields(TypedDict, total=False):
    """What may be told of a step; see `aftercare.messages.case.Step`."""

    input: dict[str, Any]
    output: Any
    heard: str
    said: str
    error: str | None
    receipt: str | None
    confidence: Confidence
    latency: float | None
    tokens: int | None
    cost: float | None
    state: dict[str, Any]
    at: datetime
    model: str
    input_tokens: int | None
    output_tokens: int | None
    fallback: bool
    source: str


class About(TypedDict, total=False):
    """Who and what a case is about; see `aftercare.messages.case.Case`."""

    agent: str
    domain: str
    release: str | None
    channel: str
    customer: str | None
    intent: str
    handled_by: str
    environment: str
    opened_at: datetime | None
    ticket: str | None
    contact: str | None


class Correction(TypedDict, total=False):
    """The parts of an override; see `aftercare.messages.override.Override`. Only the id may be left out."""

    reviewer: Required[str]
    final: Required[FinalAction]
    corrected_intent: Required[str]
    rationale: Required[str]
    deciding: Required[Deciding]
    id: str | None


def check(what: str, told: Iterable[str], fields: type) -> None:
    """Raises TypeError for a name that is not among the fields."""
    if unknown := set(told) - fields.__annotations__.keys():
        raise TypeError(f"{what} has no {', '.join(sorted(unknown))}; it has {', '.join(fields.__annotations__)}")
