"""The form of a row: what a case teaches, without the ids of messages and the times, which teach nothing.

Free text may hold placeholders for what was personal, so nothing here is as strict as the messages it was made of.
"""

from __future__ import annotations

from aftercare.messages.base import NOT_REPORTED, Json, Message


class Did(Message):
    """Something done, or to be done, in a system of record; `step` is the one by which the agent did it."""

    name: str
    arguments: dict[str, Json] = {}
    step: int | None = None


class Decision(Message):
    """What the agent decided: `ended` is resolved, escalated or fell_silent; null where it has not ended.

    `reason` is what an escalation said. A confidence that was not reported is told as such.
    """

    ended: str | None = None
    intent: str = "unknown"
    confidence: float | str = NOT_REPORTED
    actions: tuple[Did, ...] = ()
    reply: str = ""
    reason: str = ""


class Deciding(Message):
    """What decided an override: a clause and what it says, a step of the trace, or a fact of a system of record."""

    kind: str
    clause: str = ""
    says: str = ""
    step: int | None = None
    system: str = ""
    record: str = ""
    field: str = ""
    expected: Json = None
    found: Json = None


class Correction(Message):
    """An override, whole. `final` is actions, undo or nothing_to_do; `original` is what it corrects."""

    reviewer: str
    final: str
    actions: tuple[Did, ...] = ()
    corrected_intent: str
    rationale: str
    deciding: Deciding
    original: Decision | None = None


class Turn(Message):
    """A decision point of the trace: what was heard before it, what was asked and answered, what was said."""

    number: int
    kind: str
    name: str = ""
    heard: str = ""
    input: dict[str, Json] = {}
    output: Json = None
    error: str | None = None
    said: str = ""
    state: dict[str, Json] = {}
    confidence: float | str = NOT_REPORTED
    latency: float | None = None
    tokens: int | None = None
    cost: float | None = None
    fallback: bool = False


class Differing(Message):
    """A fact of a system of record that is not as it should be."""

    system: str
    record: str
    field: str
    expected: Json = None
    found: Json = None
    note: str = ""


class Flag(Message):
    """A finding of the audit that is not compliant, with what its clause says in the book the case was opened under."""

    rule: str
    clause: str
    says: str = ""
    verdict: str
    severity: str = ""
    episode: int = 1
    step: int | None = None
    sentence: str = ""
    facts: dict[str, Json] = {}


class Later(Message):
    """An episode after the first: why it began, and how it ended."""

    began: str
    because: str = ""
    handled_by: str = "agent"
    ended: str | None = None
    actions: tuple[Did, ...] = ()
    verification: str | None = None


class CameBack(Message):
    """The customer came back: `reopened`, or `recontact`, which may have been about another issue."""

    kind: str
    same_issue: bool = True
    reason: str = ""


class Signal(Message):
    """A piece of feedback; `claimed` are those for which the case is in the dataset."""

    kind: str
    family: str
    value: float | None = None
    unit: str = ""
    step: int | None = None
    payload: dict[str, Json] = {}
    claimed: bool = False


class Example(Message):
    """What a case teaches. `settled` is false where it had not when the dataset was frozen: it is told as it stood.

    `intent` is what the case turned out to be about, `opening` what the customer said first. `right` says whether the
    agent was right, null where nobody can tell; it and `outcome` are known of settled cases alone. `verification` is
    that of what the agent did, with the facts that differ.
    """

    settled: bool
    channel: str = ""
    intent: str = "unknown"
    opening: str = ""
    steps: tuple[Turn, ...] = ()
    decision: Decision = Decision()
    overrides: tuple[Correction, ...] = ()
    came_back: tuple[CameBack, ...] = ()
    later: tuple[Later, ...] = ()
    outcome: str | None = None
    right: bool | None = None
    verification: str | None = None
    differing: tuple[Differing, ...] = ()
    verdict: str | None = None
    flags: tuple[Flag, ...] = ()
    feedback: tuple[Signal, ...] = ()


# What is a name of ours or of the policy book by contract, and no person's: redaction leaves it as it is. A reviewer is
# a person, but one whose judgements have to be held against each other. What a sender may fill as it likes (a channel,
# a tool's name, an intent, a unit, what a correction names) is not here.
_DECISION = {"ended": True}
NAMES = {
    "steps": {"kind": True},
    "decision": _DECISION,
    "overrides": {
        "reviewer": True,
        "final": True,
        "deciding": {"kind": True, "says": True},
        "original": _DECISION,
    },
    "came_back": {"kind": True},
    "later": {"handled_by": True, "ended": True, "verification": True},
    "outcome": True,
    "verification": True,
    "differing": {"system": True, "field": True},
    "verdict": True,
    "flags": {"rule": True, "clause": True, "says": True, "verdict": True, "severity": True},
    "feedback": {"family": True},
}


def with_names(told: Json, before: Json, names: Json = NAMES) -> Json:
    """A redacted body, in which what is a name by contract stands as it stood before."""
    if names is True:
        return before
    if isinstance(told, list) and isinstance(before, list):
        return [with_names(*pair, names) for pair in zip(told, before, strict=True)]
    if isinstance(told, dict) and isinstance(before, dict):
        return {k: with_names(v, before[k], names[k]) if k in names and k in before else v for k, v in told.items()}
    return told
