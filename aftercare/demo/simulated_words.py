"""Who turns up in simulated cases, and what they say. Nobody exists: domains and numbers are those for examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FIRST = ("Nora", "Tobias", "Ines", "Rafi", "Mila", "Jonas", "Aiko", "Samir", "Edda", "Pavel", "Lucia")
LAST = ("Quill", "Fenn", "Marlow", "Adeyo", "Brandt", "Castell", "Dorrow", "Ellery", "Harker")
REVIEWERS = ("r.meyer", "k.okafor", "s.lind")


@dataclass(frozen=True)
class Person:
    """A customer who does not exist."""

    id: str
    first: str
    last: str
    email: str
    phone: str

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"

    @property
    def details(self) -> dict[str, str]:
        """What the shop tells of them."""
        told = {"first_name": self.first, "last_name": self.last}
        return {**told, "email": self.email, "phone": self.phone}


def person(number: int) -> Person:
    """The customer of that number; the same number brings the same person."""
    first, last = FIRST[number % len(FIRST)], LAST[number // len(FIRST) % len(LAST)]
    again = number // (len(FIRST) * len(LAST))
    return Person(
        id=f"c{number:05d}",
        first=first,
        last=last,
        email=f"{first.lower()}.{last.lower()}{again or ''}@example.com",
        phone=f"+1 202-555-{100 + number % 100:04d}",
    )


@dataclass(frozen=True)
class Topic:
    """What customers come with: how they ask, what is done about it, and what a person says who corrects it."""

    intent: str
    status: str
    asks: str
    offers: str
    done: str
    complains: str
    rationale: str
    clause: str
    arguments: Mapping[str, str]


TOPICS: Mapping[str, Topic] = {
    topic.intent: topic
    for topic in (
        Topic(
            intent="cancel_pending_order",
            status="pending",
            asks="I am {name}, {email}. I do not need {order} any more.",
            offers="I can cancel {order}; the money goes back to your card. Shall I go ahead?",
            done="{order} is cancelled.",
            complains="I wanted {order} cancelled, and it is still on its way.",
            rationale="{name} wanted {order} cancelled, nothing else; I called {phone} and put it right.",
            clause="cancel.1",
            arguments={"reason": "no longer needed"},
        ),
        Topic(
            intent="modify_pending_order_address",
            status="pending",
            asks="Hello, {name} here ({email}). Can {order} go to 12 Orchard Lane, Denver, CO 80202 instead?",
            offers="{order} would go to 12 Orchard Lane, Denver, CO 80202. Shall I change it?",
            done="{order} goes to the new address.",
            complains="{order} went to the old address all the same.",
            rationale="{order} was to go elsewhere, no more; I called {name} on {phone} and put it right.",
            clause="general.4",
            arguments={"address1": "12 Orchard Lane", "city": "Denver", "state": "CO", "zip": "80202"},
        ),
    )
}
