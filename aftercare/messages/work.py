"""What the workflow asks of its activities, and what they answer."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Any

from pydantic import ConfigDict

from aftercare.messages.base import Instant, Json, Message
from aftercare.messages.case import Action, Case, Step
from aftercare.messages.outcome import Settlement
from aftercare.messages.policy import BookPin

LONGEST_LOOK = timedelta(minutes=10)  # unless the policy says otherwise


class OpenCase(Message):
    """Pin the policy book, write the case down once, and bring what an earlier run left."""

    case_id: str
    case: Case | None = None


class Opened(Message):
    """The pinned book; the case, where the store knows another than was sent; what an earlier run left."""

    case: Case | None = None
    book: BookPin | None = None
    earlier: dict[str, Any] | None = None


class StoreSteps(Message):
    case_id: str
    steps: tuple[Step, ...]


class Standing(StrEnum):
    """Where a message in the inbox stands: held for its case, or what the case made of it."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    REFUSED = "refused"
    ORPHAN = "orphan"


class RecordEvidence(Message):
    """Write down one message: what was sent, whether it was taken in, and if not, why.

    `orphan` says that nobody registered the case: it is kept until somebody does, or it is attached to another.
    `held` that it came by Update: that it was taken in is not certain before Temporal has the answer, and until
    then the message waits.
    """

    # What was refused for being no JSON is written down all the same, as far as a store can hold it.
    model_config = ConfigDict(ser_json_inf_nan="null")

    case_id: str
    id: str
    kind: str
    accepted: bool = True
    orphan: bool = False
    held: bool = False
    reasons: tuple[str, ...] = ()
    body: Json = None
    at: Instant

    @property
    def standing(self) -> Standing:
        """What the case made of it."""
        if self.held:
            return Standing.WAITING
        return Standing.ORPHAN if self.orphan else Standing.DELIVERED if self.accepted else Standing.REFUSED


class ExamineEpisode(Message):
    """One episode to verify or to audit; case and book are in the store.

    `steps_held` is how many steps of the case the workflow was told of. `final` is set where a person ended the
    episode; `agents` is then what was replaced. `within` is how long to go on looking. `watched` says that the episode
    is watched afterwards: one that fell silent is not.
    """

    case_id: str
    number: int
    steps_from: int = 1
    steps_to: int = 0
    steps_held: int = 0
    actions: tuple[Action, ...] = ()
    final: str | None = None
    agents: tuple[Action, ...] = ()
    within: timedelta = LONGEST_LOOK
    watched: bool = True


class SettleCase(Message):
    """Write down how this run ended, and the state from which a later run may go on."""

    settlement: Settlement
    run_id: str
    state: dict[str, Any]
    at: Instant
