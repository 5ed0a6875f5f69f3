"""What the policy book says, what the audit found, and what was looked for in the systems of record."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from aftercare.messages.base import Json, Message


class Verdict(StrEnum):
    """Unknown is a value: `undetermined` is never `compliant`."""

    COMPLIANT = "compliant"
    VIOLATION = "violation"
    UNDETERMINED = "undetermined"


class Verification(StrEnum):
    """Whether the systems of record show what was promised."""

    VERIFIED = "verified"
    FAILED = "failed"
    UNVERIFIABLE = "unverifiable"


class Severity(StrEnum):
    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"


class Timing(Message):
    """How long to wait, by policy: for the agent to resolve, for effects to show, and for the customer to come back.

    `handle_within` is how long a person may be silent about a case of theirs.
    """

    resolve_within: timedelta = timedelta(minutes=30)
    verify_within: timedelta = timedelta(minutes=10)
    watch: timedelta = timedelta(hours=24)
    watch_by_intent: dict[str, timedelta] = {}
    handle_within: timedelta = timedelta(days=7)

    def silence(self, by_person: bool) -> timedelta:
        """How long whoever handles a case may be silent about it."""
        return self.handle_within if by_person else self.resolve_within

    def watch_for(self, intent: str) -> timedelta:
        """The watch of this intent, or the usual one."""
        return self.watch_by_intent.get(intent, self.watch)


class BookPin(Message):
    """The policy book a case was opened under: its digest, its clauses, and its waiting times."""

    domain: str
    digest: str
    clauses: tuple[str, ...] = ()
    timing: Timing = Timing()


class Finding(Message):
    """One rule applied to one step: the verdict, the facts it rests on, and a sentence for people."""

    rule: str
    clause: str
    verdict: Verdict
    severity: Severity = Severity.MAJOR
    step: int | None = None
    sentence: str = ""
    facts: dict[str, Json] = {}


class AuditResult(Message):
    """The audit of one episode. Whole findings lie in the store; the history keeps what is not compliant."""

    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    compliant: int = 0
    undetermined: int = 0
    note: str = ""


class FactCheck(Message):
    """A fact that was looked for. `expected` and `found` are given where they differ; `held` is null if unreadable."""

    system: str
    record: str
    field: str
    held: bool | None
    expected: Json = None
    found: Json = None
    note: str = ""


class VerificationResult(Message):
    """What verification came to, with the facts that did not hold. `checked` counts all facts looked at."""

    status: Verification
    checked: int = 0
    differing: tuple[FactCheck, ...] = ()
    note: str = ""
