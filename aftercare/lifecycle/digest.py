"""By what a message is known again: the digest of what it tells. A field that says nothing changes no digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Literal, get_origin

from pydantic import BaseModel

from aftercare.messages.case import Step, StepsHeld


def digest_of(body: Any) -> str:
    """The SHA-256 of a message's canonical JSON, without the fields that hold their defaults.

    So a field that is added to a message one day leaves the digests of those that came before as they were.
    """
    return hashlib.sha256(json.dumps(told(body), sort_keys=True, default=str).encode()).hexdigest()


def told(body: Any) -> Any:
    """A message as plain JSON, without what it leaves at its default. A form's tag is always told."""
    match body:
        case BaseModel():
            dumped = body.model_dump(mode="json")
            return {name: _part(value, dumped[name]) for name, value in body if _is_told(body, name, value)}
        case list() | tuple():
            return [told(part) for part in body]
        case _:
            return body


def _part(value: Any, dumped: Any) -> Any:
    """Messages within are pruned like the one around them; everything else is as it goes over the wire."""
    if isinstance(value, BaseModel):
        return told(value)
    if isinstance(value, tuple | list):
        return [_part(v, d) for v, d in zip(value, dumped, strict=True)]
    return dumped


def _is_told(message: BaseModel, name: str, value: Any) -> bool:
    field = type(message).model_fields[name]
    is_tag = get_origin(field.annotation) is Literal and name == "kind"
    return is_tag or field.is_required() or value != field.get_default(call_default_factory=True)


def held_of(steps: Sequence[Step]) -> StepsHeld:
    """What the workflow keeps of a batch of steps that lies in the store."""
    if not steps:
        return StepsHeld()
    digest = digest_of(list(steps))[:32]  # half of it tells as much, in every history
    return StepsHeld(count=len(steps), last=max(s.number for s in steps), digest=digest)
