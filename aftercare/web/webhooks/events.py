"""What a webhook tells, whoever sent it: typed, and without anything that no case needs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from aftercare.messages.base import Id, Instant, Line, Message, Name, Text
from aftercare.messages.kinds import KINDS


class Event(Message):
    """Something that happened outside. `id` is made of the source and its own name for the event.

    `ticket` is the helpdesk's name for it, `case` our own id where the sender knows it. `at` is when it happened, null
    where nobody says so.
    """

    id: Id
    source: Line
    rule: Line
    at: Instant | None = None
    ticket: Name | None = None
    case: str | None = None


class TicketReopened(Event):
    """A ticket that was closed is open again."""

    reason: Text = ""


class CameBack(Event):
    """A customer wrote again, in a ticket or outside of any. Null where nobody says whether about the same issue."""

    customer: Line | None = None
    intent: Name | None = None
    same_issue: bool | None = None
    reason: Text = ""


class TicketOpened(CameBack):
    """A customer opened a ticket: a way of coming back, if anything was resolved for that customer before."""

    customer: Line
    reason: Text = "the customer opened another ticket"


class Rated(Event):
    """A customer said how it was: a kind of feedback, and its value in the kind's own unit, null where unknown."""

    kind: Annotated[str, Field(max_length=60)]
    value: Annotated[float, Field(allow_inf_nan=False)] | None = None
    comment: Text = ""

    @model_validator(mode="after")
    def _known(self) -> Rated:
        if self.kind not in KINDS:
            raise ValueError("there is no such kind of feedback; the kinds stand in aftercare.messages.kinds")
        if problem := KINDS[self.kind].problem(self.value):
            raise ValueError(problem)
        return self


EVENTS: dict[str, type[Event]] = {
    "ticket_opened": TicketOpened,
    "ticket_reopened": TicketReopened,
    "contact": CameBack,
    "rating": Rated,
}
