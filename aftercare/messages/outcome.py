"""How a case ended, and the whole case as a person sees it."""

from __future__ import annotations

from enum import StrEnum

from aftercare.messages.base import Confidence, Instant, Message
from aftercare.messages.case import Action, Case, Proposal, StepsHeld
from aftercare.messages.evidence import Feedback, Recontact, Refusal, Reopen
from aftercare.messages.override import Override
from aftercare.messages.policy import AuditResult, BookPin, Verdict, Verification, VerificationResult


class Stage(StrEnum):
    RESOLVING = "resolving"
    VERIFYING = "verifying"
    AUDITING = "auditing"
    WATCHING = "watching"
    SETTLED = "settled"


class Outcome(StrEnum):
    """How the case really ended. Declared from the strongest claim on the outcome to the weakest."""

    OVERRIDDEN = "overridden"
    REOPENED = "reopened"
    FAILED = "failed"
    ESCALATED = "escalated"
    ABANDONED = "abandoned"
    UNCONFIRMED = "unconfirmed"
    CONFIRMED = "confirmed"


QUIET = (Outcome.CONFIRMED, Outcome.UNCONFIRMED)  # the ends to which nobody has to look


class Label(Message):
    """What the case teaches: the right intent and whether the agent was right, null where nobody can say."""

    intent: str
    agent_was_right: bool | None
    because: str


class Episode(Message):
    """One attempt to bring the case to its end: by the agent, or by the person who overrode it."""

    number: int
    began: str
    because: str = ""
    handed_over_because: str = ""
    handled_by: str = "agent"
    ending: str | None = None
    intent: str = "unknown"
    confidence: Confidence = "not_reported"
    actions: tuple[Action, ...] = ()
    override: str | None = None
    steps_from: int = 1
    steps_to: int = 0
    verification: VerificationResult | None = None
    audit: AuditResult | None = None
    watch_until: Instant | None = None


class Snapshot(Message):
    """The whole case, as the console shows it."""

    case_id: str
    stage: Stage
    outcome: Outcome | None = None
    case: Case | None = None
    book: BookPin | None = None
    steps: StepsHeld = StepsHeld()
    episodes: tuple[Episode, ...] = ()
    overrides: tuple[Override, ...] = ()
    reopens: tuple[Reopen, ...] = ()
    recontacts: tuple[Recontact, ...] = ()
    feedback: tuple[Feedback, ...] = ()
    refused: tuple[Refusal, ...] = ()
    proposals: tuple[Proposal, ...] = ()


class Settlement(Message):
    """What a run of the workflow came to. `outcome` is null only where nobody ever registered the case."""

    case_id: str
    outcome: Outcome | None
    verification: Verification | None = None
    policy_verdict: Verdict | None = None
    label: Label | None = None
    overrides: int = 0
    reopens: int = 0
