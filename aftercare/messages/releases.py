"""Releases: what an agent works with, how far it may act by itself, and why one was let through."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from aftercare.messages.base import Instant, Message
from aftercare.messages.improvement import By, Reason

Share = Annotated[float, Field(ge=0, le=1)]


class Stage(StrEnum):
    """Where a release stands.

    `proposed` until its gates were weighed, `shadow` while it answers unseen, `canary` while it gets a share of the
    cases, `promoted` when it gets them all, `retired` when a later one does. `refused` never had a case; `halted` was
    stopped by a person while it was tried, `rolled_back` by its gates, or by a person after it had been promoted.
    """

    PROPOSED = "proposed"
    SHADOW = "shadow"
    CANARY = "canary"
    PROMOTED = "promoted"
    RETIRED = "retired"
    REFUSED = "refused"
    HALTED = "halted"
    ROLLED_BACK = "rolled_back"


class Parts(Message):
    """What an agent works with under a release; an empty one is the agent's own affair.

    `classifier` and `playbook` are digests of artifacts, `reasoning_model` the name a provider knows it by, and
    `knowledge` that of a snapshot of the knowledge base.
    """

    classifier: str = ""
    reasoning_model: str = ""
    playbook: str = ""
    knowledge: str = ""


class Autonomy(Message):
    """How far the agent may act by itself: from `threshold` on, of what is not out of scope; null: never.

    `promise` is the precision that holds from there on, with probability `sure`: `accepted` of `judged` audited cases
    lay at or above it, `right` of them were right, and `at_least` is the Clopper-Pearson bound of that. `raised` is a
    threshold put on top while traffic is unlike what was audited, and `note` says what people should know.
    """

    threshold: float | None = None
    out_of_scope: float | None = None
    promise: Share = 0.95
    sure: Share = 0.9
    judged: int = 0
    accepted: int = 0
    right: int = 0
    at_least: float | None = None
    raised: float | None = None
    note: str = ""

    @property
    def holds_from(self) -> float | None:
        """The threshold as it is applied now; null where nothing may be done without a person."""
        if self.threshold is None:
            return None
        return self.threshold if self.raised is None else max(self.threshold, self.raised)


class Release(Message):
    """A version of what an agent works with. `id` is `{agent}/{number}`, and its workflow `release/{id}`.

    `share` is what it gets of the cases while it is a canary. `champion` is the release that it is held against, and
    that takes over where it is rolled back; empty: the agent as it was before there were releases. `firing` is the
    improvement it came of, `why` says in a sentence what is new.
    """

    id: str
    agent: str
    number: int
    parts: Parts = Parts()
    autonomy: Autonomy = Autonomy()
    stage: Stage = Stage.PROPOSED
    share: Share = 0
    champion: str = ""
    firing: str = ""
    why: str = ""
    made_at: Instant
    changed_at: Instant


class Propose(Message):
    """Enter a release into the registry. The same `key` again brings the same release.

    `target` names the part that is new (classifier, reasoning_model, playbook, knowledge); the other parts are taken
    from the champion when it is entered.
    """

    key: str
    agent: str
    target: str
    version: str
    autonomy: Autonomy | None = None
    firing: str = ""
    why: str = ""
    at: Instant | None = None


class Move(Message):
    """Take a release to another stage, or to another share of the cases. `by` and `note` say who and why."""

    release: str
    to: Stage
    share: Share = 0
    by: str
    note: str = ""
    at: Instant | None = None


class Happened(Message):
    """Something that happened to a release."""

    release: str
    number: int
    what: str
    by: str = ""
    note: str = ""
    at: Instant


class Assignment(Message):
    """Which release handles a case: the first answer stands for as long as the case does.

    `release` is empty where the agent has none: it works as it always did. `shadow` is a release that answers beside
    it, unseen. `experiment` and `arm` say what is tried on the case.
    """

    case_id: str
    agent: str
    release: str = ""
    stage: Stage | None = None
    parts: Parts = Parts()
    autonomy: Autonomy = Autonomy()
    shadow: str = ""
    experiment: str = ""
    arm: str = ""


class Verdict(StrEnum):
    """What a gate says. `undetermined` lacks data, and does not pass."""

    PASSED = "passed"
    FAILED = "failed"
    UNDETERMINED = "undetermined"


class GateFigure(Message):
    """What one gate saw: `figure` with its interval from `low` to `high`, of `cases`, held against `bar`.

    `about` is the intent or clause it is about; empty: everything. `says` is the verdict in a sentence for people.
    """

    gate: str
    verdict: Verdict
    about: str = ""
    figure: float | None = None
    low: float | None = None
    high: float | None = None
    bar: float | None = None
    cases: int = 0
    says: str = ""


class Weighing(Message):
    """What all gates of a step said: `step` is offline, shadow, canary or follow_up. It passes where every gate did.

    `strict` says that the batch was suspect, and so the strict gates were taken; `book` is the digest of gates.yaml.
    """

    release: str
    step: str
    verdict: Verdict
    strict: bool = False
    figures: tuple[GateFigure, ...] = ()
    book: str = ""
    says: str = ""
    at: Instant


class ReleaseInput(Message):
    """What starts a ReleaseWorkflow: the release that is to be tried."""

    release: str


class Released(Message):
    """How a trial ended."""

    release: str
    stage: Stage
    note: str = ""


class Promote(Message):
    """A person promotes a release that is being tried, whatever its gates still lack."""

    by: By
    reason: Reason = ""


class Halt(Message):
    """A person stops the trial of a release; its champion takes over with the next assignment."""

    by: By
    reason: Reason = ""


class RollBack(Message):
    """A person takes a promoted release back; its champion takes over with the next assignment."""

    by: By
    reason: Reason = ""


class Decide(Message):
    """A person approves or refuses what an improvement proposes."""

    by: By
    approve: bool
    reason: Reason = ""
