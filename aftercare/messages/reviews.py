"""What people decide about the cases they are asked to look at."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints, model_validator

from aftercare.messages.base import Message
from aftercare.messages.improvement import By
from aftercare.messages.override import Given

UNCHANGED = "unchanged"
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000)]


class ReviewStanding(StrEnum):
    """Where a review item stands. `erased` is one whose customer was erased before anybody decided it."""

    OPEN = "open"
    DECIDED = "decided"
    ERASED = "erased"


class Decision(Message):
    """What a person says of a case: whether the agent was right, null where nobody can tell.

    `intent` is the right one, or `unchanged` where it is the agent's; null where it was not told.
    """

    by: By
    right: bool | None
    intent: Given | None = None
    note: Note = ""

    @model_validator(mode="after")
    def _consistent(self) -> Decision:
        if self.right and self.intent not in (None, UNCHANGED):
            raise ValueError("an agent that was right had the right intent: with another one it was wrong")
        return self

    @property
    def right_intent(self) -> str | None:
        """The right intent: whoever says that the agent was right says so of its intent too."""
        return UNCHANGED if self.right else self.intent
