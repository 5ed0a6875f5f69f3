"""What figures need to know of a case, and what claimed, verified and durable mean: here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from aftercare.messages.outcome import Outcome
from aftercare.messages.policy import Verdict, Verification


class Ended(Protocol):
    """How a case ended. `resolved`: its first episode ended by whoever handled the case saying that it is resolved.

    `verification` and `policy_verdict` are those of the first episode.
    """

    @property
    def resolved(self) -> bool | None: ...
    @property
    def verification(self) -> Verification | None: ...
    @property
    def policy_verdict(self) -> Verdict | None: ...
    @property
    def outcome(self) -> Outcome | None: ...


def claimed(case: Ended) -> bool:
    """The agent said that it resolved the case."""
    return bool(case.resolved)


def verified(case: Ended) -> bool:
    """And the records show it, and no clause was broken."""
    shown = case.verification is Verification.VERIFIED
    return claimed(case) and shown and case.policy_verdict is not Verdict.VIOLATION


def durable(case: Ended) -> bool:
    """And nobody came back, reopened or overrode it."""
    return verified(case) and case.outcome is Outcome.CONFIRMED


@dataclass(frozen=True)
class Rate:
    """One of the three rates: which cases it counts, and that in words."""

    holds: Callable[[Ended], bool]
    says: str


RATES: Mapping[str, Rate] = {
    "claimed": Rate(claimed, "the agent said it resolved the case"),
    "verified": Rate(verified, "the records show it, and no clause was broken"),
    "durable": Rate(durable, "and nobody came back, reopened or overrode it"),
}


@dataclass(slots=True, kw_only=True)
class CaseFacts:
    """One case: settled here, or of an imported history. Whatever is null is unknown, and in no figure.

    Times in seconds, `energy` in Wh, `cost` in the deployment's currency, each over the whole case; `latencies` one for
    each piece of evidence. `errors` and `fallbacks` are counts. `csat`, `ces` and `said_resolved` are the customer's
    latest word. `reopened_24h` is told of resolved cases only.
    """

    case_id: str
    opened_at: datetime
    agent: str = ""
    release: str | None = None
    intent: str = "unknown"
    handled_by: str = "agent"
    outcome: Outcome | None = None
    resolved: bool | None = None
    verification: Verification | None = None
    policy_verdict: Verdict | None = None
    escalated: bool | None = None
    reopened: bool | None = None
    reopened_24h: bool | None = None
    recontacted: bool | None = None
    first_contact: bool | None = None
    resolution_time: float | None = None
    handling_time: float | None = None
    cost: float | None = None
    energy: float | None = None
    errors: float | None = None
    fallbacks: float | None = None
    csat: float | None = None
    ces: float | None = None
    said_resolved: bool | None = None
    sentiment_slope: float | None = None
    agreement: float | None = None
    thumbs_up: int = 0
    thumbs_down: int = 0
    latencies: tuple[float, ...] = ()
