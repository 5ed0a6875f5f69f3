"""What an answer of the server means for the message that was sent. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from aftercare.messages.work import Standing

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
LONGEST_TOLD = 3600.0
NOT_FINAL = (401, 403, 408, 425, 429)
OF_ONE_CASE = (403, 500)  # others may still be taken in


@dataclass(frozen=True)
class Answer:
    """What came back: `status` 0 where nothing did, and then `error` names why."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    error: str = ""

    @property
    def json(self) -> Any:
        """The body, or null where it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def is_problem(self) -> bool:
        """Whether it is a problem document, which only Aftercare itself sends."""
        return self.headers.get("content-type", "").startswith("application/problem+json")


@dataclass(frozen=True)
class Taken:
    """Aftercare holds the message."""

    standing: Standing


@dataclass(frozen=True)
class RefusedForGood:
    """Aftercare will never take this message."""

    status: int
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Later:
    """Not now. `at_least` in seconds; `all_cases` where no other message would fare better."""

    because: str
    at_least: float = 0.0
    all_cases: bool = True


def meaning(answer: Answer) -> Taken | RefusedForGood | Later:
    """What is to be done with the message that was so answered.

    A success without a JSON object, a redirection and a 404 without a problem document come from somebody between,
    or from another program at the address: the message is kept.
    """
    status = answer.status
    if 200 <= status < 300 and isinstance(answer.json, dict):
        return Taken(_standing(status, answer.json))
    if 400 <= status < 500 and status not in NOT_FINAL and (status != 404 or answer.is_problem):
        return RefusedForGood(status, reasons_of(answer))
    at_least = told_to_wait(answer.headers.get("retry-after", ""), datetime.now(UTC))
    return Later(_because(answer), at_least, status not in OF_ONE_CASE)


def reasons_of(answer: Answer) -> tuple[str, ...]:
    """Why a message was refused, in the server's words."""
    body = answer.json if isinstance(answer.json, dict) else {}
    reasons = body.get("reasons") or body.get("detail") or body.get("title") or f"it answers {answer.status}"
    return tuple(str(r) for r in reasons) if isinstance(reasons, list) else (str(reasons),)


def told_to_wait(retry_after: str, now: datetime) -> float:
    """Seconds, of a Retry-After header that has seconds or a date in it; an hour at the most."""
    try:
        seconds = float(retry_after) if retry_after.isdecimal() else _until(retry_after, now)
    except (TypeError, ValueError):
        return 0.0
    return min(max(seconds, 0.0), LONGEST_TOLD)


def pause(tries: int, at_least: float, chance: float) -> float:
    """Seconds until the next try: doubling up to a minute, spread by a chance between 0 and 1."""
    grown: float = min(FIRST_PAUSE * 2.0 ** min(tries, 10), LONGEST_PAUSE)
    return max(grown * (0.5 + chance / 2), at_least)


def _until(date: str, now: datetime) -> float:
    then = parsedate_to_datetime(date)
    return ((then if then.tzinfo else then.replace(tzinfo=UTC)) - now).total_seconds()


def _standing(status: int, body: dict[str, Any]) -> Standing:
    told = body.get("standing")
    if told in list(Standing):
        return Standing(told)
    return Standing.DELIVERED if status == 200 else Standing.WAITING


def _because(answer: Answer) -> str:
    if answer.status == 0:
        return f"Aftercare does not answer ({answer.error})"
    if answer.status == 401:
        return "the key is not accepted (401); see AFTERCARE_KEY"
    if answer.status == 403:
        return "the key may not send this (403)"
    if 200 <= answer.status < 300 or answer.status == 404:
        return f"what answers {answer.status} there is not Aftercare; see AFTERCARE_URL"
    return f"Aftercare answers {answer.status}"
