"""The form of a webhook source's YAML file, as a person writes it."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Word = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
Header = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,100}$")]


def _as_cel(value: Any) -> Any:
    """YAML's own numbers and yes or no are CEL as they stand."""
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, int | float) else value


Cel = Annotated[str, BeforeValidator(_as_cel)]


class Entry(BaseModel):
    """Something a person wrote: a field nobody knows is a mistake, and is said to be one."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Encoding(StrEnum):
    """How the bytes of a signature are written."""

    HEX = "hex"
    BASE64 = "base64"


class Timestamp(Entry):
    """The header with the time that is signed together with the body: seconds since 1970, or ISO 8601."""

    header: Header
    form: Literal["unix", "iso"] = "unix"


class Signature(Entry):
    """How a source signs: the HMAC of `signs`, written in `header` after `prefix`.

    `signs` is a text with `{body}` and, where the source signs a time, `{timestamp}`. `tolerance` is how old a request
    may be. `secret` names the environment variable that holds the secret, or several with spaces between them.
    """

    header: Header
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    encoding: Encoding = Encoding.HEX
    prefix: str = ""
    signs: str = "{body}"
    timestamp: Timestamp | None = None
    tolerance: timedelta = timedelta(minutes=5)
    secret: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]

    @model_validator(mode="after")
    def _whole(self) -> Signature:
        if self.signs.count("{body}") != 1:
            raise ValueError("signs must name {body}, once")
        if ("{timestamp}" in self.signs) != (self.timestamp is not None):
            raise ValueError("a timestamp needs its header, and proves nothing unless signs names {timestamp}")
        return self


class RuleEntry(Entry):
    """A rule: which bodies it is about (`when`), which event that is, and the event's fields; all but names are CEL.

    `id` and `at` replace those of the source.
    """

    name: Word
    when: Cel
    event: Literal["ticket_opened", "ticket_reopened", "contact", "rating"]
    id: Cel | None = None
    at: Cel | None = None
    ticket: Cel | None = None
    case: Cel | None = None
    customer: Cel | None = None
    intent: Cel | None = None
    same_issue: Cel | None = None
    reason: Cel | None = None
    kind: Cel | None = None
    value: Cel | None = None
    comment: Cel | None = None


class SourceEntry(Entry):
    """A webhook source. `id` is the event's own name in the body; without one the body's digest stands for it.

    `at` is when it happened: seconds since 1970, or ISO 8601 with a zone. A source that signs no time needs one.
    """

    name: Word
    signature: Signature
    id: Cel | None = None
    at: Cel | None = None
    rules: Annotated[tuple[RuleEntry, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _dated(self) -> SourceEntry:
        if self.signature.timestamp is None and self.at is None:
            raise ValueError("needs at: without a signed timestamp, only the body can say that it is no replay")
        return self


TEXT = ("string",)

# The fields that are CEL, each with the types it may have.
FIELDS: dict[str, tuple[str, ...]] = {
    "id": TEXT,
    "at": ("any",),
    "ticket": TEXT,
    "case": TEXT,
    "customer": TEXT,
    "intent": TEXT,
    "same_issue": ("bool",),
    "reason": TEXT,
    "kind": TEXT,
    "value": ("double", "int", "bool"),
    "comment": TEXT,
}

OF_CASE = ("ticket", "case")

# What each event tells, beside its id and its time.
TAKES: dict[str, tuple[str, ...]] = {
    "ticket_opened": (*OF_CASE, "customer", "intent"),
    "ticket_reopened": (*OF_CASE, "reason"),
    "contact": (*OF_CASE, "customer", "intent", "same_issue", "reason"),
    "rating": (*OF_CASE, "kind", "value", "comment"),
}

# Of each of these an event needs at least one.
NEEDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "ticket_opened": (("customer",),),
    "ticket_reopened": (OF_CASE,),
    "contact": ((*OF_CASE, "customer"),),
    "rating": (OF_CASE, ("kind",), ("value", "comment")),
}
