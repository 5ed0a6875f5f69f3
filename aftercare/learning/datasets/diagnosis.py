"""The form of a diagnosis: what the rows of a dataset say together. It is kept with the dataset as JSON."""

from __future__ import annotations

from aftercare.messages.base import Message


class IntentLine(Message):
    """An intent, and how many of its cases people corrected, the agent handed over, or a check contradicted."""

    intent: str
    cases: int
    overridden: int = 0
    escalated: int = 0
    broken: int = 0
    failed: int = 0
    came_back: int = 0


class Confusion(Message):
    """What the agent took cases for, and what people say they were."""

    took_for: str
    is_really: str
    cases: int


class ClauseLine(Message):
    """A clause, in how many cases the audit found it broken, and in how many a reviewer named it as what decided."""

    clause: str
    says: str = ""
    broken: int = 0
    undetermined: int = 0
    named: int = 0


class StepLine(Message):
    """A kind of step, and in how many cases it went wrong there, by who says so.

    `errors`: the step failed; `named`: a reviewer named it; `flagged`: the audit found a clause broken there; `noted`:
    feedback is about it.
    """

    kind: str
    name: str = ""
    cases: int
    errors: int = 0
    named: int = 0
    flagged: int = 0
    noted: int = 0


class FactLine(Message):
    """A field of a system of record that was not as it should be, in how many cases."""

    system: str
    field: str
    cases: int


class ReviewerLine(Message):
    """A reviewer, and what became of the cases they corrected."""

    reviewer: str
    overrides: int
    intents_corrected: int = 0
    actions: int = 0
    undone: int = 0
    nothing_to_do: int = 0


class RankedCase(Message):
    """A case, how much it tells, and why."""

    row: int
    case_id: str
    problem: str
    side: str
    intent: str
    points: int
    because: tuple[str, ...] = ()


class Quote(Message):
    """What somebody who overrode said."""

    row: int
    case_id: str
    reviewer: str
    says: str
    decided: str = ""


class KindLine(Message):
    """A kind of evidence: in how many cases it was claimed, and how its values lie."""

    kind: str
    family: str
    cases: int
    values: int = 0
    lowest: float | None = None
    mean: float | None = None
    highest: float | None = None


class Diagnosis(Message):
    """What the rows say together, each list with what tells most first.

    `ranked_by` says how the cases are ranked. Lists are cut at what a person reads; `rows` and the counts are of all.
    `unreadable` counts the rows whose form is no longer understood: they are in nothing else.
    """

    headline: str = ""
    rows: int = 0
    unreadable: int = 0
    problems: int = 0
    unsettled: int = 0
    sides: dict[str, int] = {}
    outcomes: dict[str, int] = {}
    intents: tuple[IntentLine, ...] = ()
    confusions: tuple[Confusion, ...] = ()
    clauses: tuple[ClauseLine, ...] = ()
    steps: tuple[StepLine, ...] = ()
    facts: tuple[FactLine, ...] = ()
    reviewers: tuple[ReviewerLine, ...] = ()
    ranked_by: str = ""
    cases: tuple[RankedCase, ...] = ()
    overrides: int = 0
    said: tuple[Quote, ...] = ()
    kinds: tuple[KindLine, ...] = ()
