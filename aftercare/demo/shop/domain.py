"""What the service needs to know of a line of business: its record kinds, its tools, and what each tool does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

Record = dict[str, Any]


class Records(Protocol):
    """One copy of the shop's records, as an operation may see it. Every answer is the caller's own to change."""

    def find(self, kind: str, id: str) -> Record | None: ...

    def all(self, kind: str) -> dict[str, Record]: ...


class Refused(Exception):
    """The shop's own rules forbid this; the message is a sentence for the caller."""


class Arguments(BaseModel):
    """The arguments of one tool: exactly these, of exactly these types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


@dataclass(frozen=True)
class Changed:
    """What a write did: the answer to its caller, and the new state of each record it touched, by kind and id.

    A record that is there no more has no state: None.
    """

    result: Any
    records: Mapping[tuple[str, str], Record | None]


@dataclass(frozen=True)
class Read:
    arguments: type[Arguments]
    run: Callable[[Records, Any], Any]


@dataclass(frozen=True)
class Write:
    arguments: type[Arguments]
    run: Callable[[Records, Any], Changed]


@dataclass(frozen=True)
class Domain:
    kinds: frozenset[str]
    tools: Mapping[str, Read | Write]
