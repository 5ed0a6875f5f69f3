"""What supervisors, their activities and the improvements they start say to each other, and to people."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

from aftercare.messages.base import Instant, Message

By = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1_000)]


class FiringStatus(StrEnum):
    """Where a firing stands. `failed` gave its evidence back; the last two say what became of a challenger."""

    STARTED = "started"
    PREPARED = "prepared"
    FAILED = "failed"
    RELEASED = "released"
    REFUSED = "refused"


class Work(Message):
    """The work that a firing starts: `workflow` is retraining, knowledge_update or playbook_revision."""

    workflow: str
    kind: str


class Firing(Message):
    """A trigger that fired: why, in a sentence for people, and how many cases and pieces of evidence it claimed.

    `id` is `{agent}/{trigger}/{cycle}`; the child's workflow id is that of the supervisor and the cycle. `groups` are
    the intents or clauses that alarmed, none where the volume did or a person asked. `by` is a person who asked for it.
    """

    id: str
    agent: str
    trigger: str
    cycle: int
    work: Work
    because: str
    groups: tuple[str, ...] = ()
    cases: int = 0
    pieces: int = 0
    at: Instant
    by: str = ""
    status: FiringStatus = FiringStatus.STARTED
    note: str = ""


class Supervise(Message):
    """What starts a supervisor, and from `cool_until` on what a continued run goes on with.

    `book` is the digest of the trigger book it last checked by, and `edited_at` when it took one that was another
    than before.
    """

    agent: str
    trigger: str
    cool_until: Instant | None = None
    checks: int = 0
    failures: int = 0
    book: str = ""
    edited_at: Instant | None = None


class CheckTrigger(Message):
    """Count what is new, and say how the row stands. `at` is the supervisor's own time."""

    agent: str
    trigger: str
    at: Instant | None = None


class GroupStanding(Message):
    """How one group stands with one detector.

    `statistic` is the share or mean since the detector began anew, `baseline` what is usual, both in the unit of the
    row; null where it is not known yet. `lately` is the same since it seems to have become worse, if it has, over
    `lately_cases`: chosen by hindsight, so that it exaggerates. `evidence` is the detector's own figure; it alarms at
    `threshold`. `cases` is how many of the group were seen under this release.
    """

    detector: str
    group: str = ""
    release: str = ""
    cases: int = 0
    statistic: float | None = None
    baseline: float | None = None
    lately: float | None = None
    lately_cases: int = 0
    evidence: float = 0
    threshold: float = 0
    alarmed: bool = False


class TriggerStanding(Message):
    """How a row stands for an agent.

    `counted` pieces were new in this check; `more` says that still others wait to be counted. `waiting` cases against
    the agent are claimed by no firing, of the `volume` that makes one. `due` says why it would fire, and is empty where
    it would not. `book` is the digest of the book it was checked by, `problem` what is wrong with an edited one that
    could not be taken. `open` is a firing whose improvement has not ended. `over_budget_until` is when the week's
    budget has room again.
    """

    agent: str
    trigger: str
    says: str = ""
    at: Instant
    book: str = ""
    problem: str = ""
    counted: int = 0
    more: bool = False
    groups: tuple[GroupStanding, ...] = ()
    waiting: int = 0
    volume: int | None = None
    due: str = ""
    open: Firing | None = None
    last: Firing | None = None
    next_cycle: int = 1
    paused_by: str = ""
    pause_reason: str = ""
    over_budget_until: Instant | None = None
    cooldown: timedelta = timedelta(days=1)
    check_every: timedelta = timedelta(minutes=1)
    check_at_most: timedelta = timedelta(minutes=15)
    work: Work | None = None


class FireTrigger(Message):
    """Claim the evidence and write the firing of this cycle down; the same cycle again brings the same firing.

    `by` and `reason` are those of a person who asked for it; without, it fires only where it is due. `at` is the
    supervisor's own time, and so that of the firing.
    """

    agent: str
    trigger: str
    cycle: int
    by: str = ""
    reason: str = ""
    at: Instant | None = None


class Fired(Message):
    """The firing; null where there was nothing to fire for, and `note` says why."""

    firing: Firing | None = None
    note: str = ""


class GiveBack(Message):
    """An improvement failed: its evidence is free again, and its alarm stands."""

    firing: str
    note: str = ""
    at: Instant | None = None


class Pausing(Message):
    """Write down that a row is paused by somebody, or goes on (`by` is then who said so)."""

    agent: str
    trigger: str
    paused: bool
    by: str
    reason: str = ""
    at: Instant | None = None


class Improve(Message):
    """What starts an improvement: the firing that called for it."""

    firing: Firing


class FollowImprovement(Message):
    """Wait for an improvement that an earlier run of the supervisor started."""

    workflow_id: str


class Frozen(Message):
    """A dataset that was frozen: its digest, its rows by side of the split, and what became of every claimed piece.

    `accounts` counts the claimed pieces by what became of them: kept, duplicate, without a trace, unreadable,
    erased, unknown case.
    `redaction` is how thoroughly personal data was looked for: `patterns only`, or `patterns and names`.
    """

    dataset: str
    digest: str
    rows: int = 0
    sides: dict[str, int] = {}
    accounts: dict[str, int] = {}
    redaction: str = ""


class Diagnosed(Message):
    """What the evidence says, in short: the sentence for people, and where the whole of it lies (the dataset)."""

    dataset: str
    headline: str


class EndFiring(Message):
    """Write down how an improvement ended. `cost` in the deployment's currency."""

    firing: str
    status: FiringStatus
    note: str = ""
    cost: float = 0
    at: Instant | None = None


class Improved(Message):
    """How an improvement ended. `prepared` claims no improvement: evidence is frozen and diagnosed, no more."""

    firing: str
    status: FiringStatus
    dataset: str = ""
    note: str = ""


class CheckNow(Message):
    """A person asks for a check."""

    by: By


class Pause(Message):
    """A person pauses a supervisor, and says why."""

    by: By
    reason: Reason = ""


class Resume(Message):
    """A person lets a supervisor go on."""

    by: By


class FireNow(Message):
    """A person fires a trigger that is not due: with what evidence there is, whatever cooldown and budget say."""

    by: By
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1_000)]
