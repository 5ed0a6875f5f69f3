"""What the doctor's checks have in common: each is well, a problem, or cannot be told, and says what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """What a check came to."""

    OK = "ok"
    PROBLEM = "problem"
    UNTOLD = "cannot tell"


@dataclass(frozen=True)
class Check:
    """One check: what was looked at, what was found, and what to do where it is not well."""

    area: str
    name: str
    state: State
    found: str
    advice: str = ""


def well(area: str, name: str, found: str, advice: str = "") -> Check:
    return Check(area, name, State.OK, found, advice)


def problem(area: str, name: str, found: str, advice: str) -> Check:
    return Check(area, name, State.PROBLEM, found, advice)


def untold(area: str, name: str, found: str, advice: str = "") -> Check:
    return Check(area, name, State.UNTOLD, found, advice)
