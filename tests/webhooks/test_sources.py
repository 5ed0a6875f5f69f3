"""Every rule of every shipped source, on a payload in the shape of its vendor's documentation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aftercare.web.webhooks.events import CameBack, Event, Rated, TicketOpened, TicketReopened
from aftercare.web.webhooks.mapping import SHIPPED
from aftercare.web.webhooks.reading import read
from tests.webhooks.sending import NOW, PAYLOADS, SOURCES, changed, headers, payload, source

AT = datetime(2026, 11, 23, 11, 59, 30, tzinfo=UTC)
MINUTE = AT.replace(second=0)
ZENDESK, INTERCOM, CHATWOOT = "zendesk:4711", "intercom:1911149811", "chatwoot:10"

# By payload: the rule is the name after the source's.
EXPECTED: dict[str, tuple[type[Event], dict[str, Any]]] = {
    "zendesk-opened": (TicketOpened, {"ticket": ZENDESK, "customer": "zendesk:20978392", "intent": "refund"}),
    "zendesk-reopened": (TicketReopened, {"ticket": ZENDESK, "case": "case-1"}),
    "zendesk-contact": (CameBack, {"ticket": ZENDESK, "same_issue": None}),
    "zendesk-opened-by-trigger": (TicketOpened, {"ticket": ZENDESK, "customer": "c01", "intent": "refund"}),
    "zendesk-reopened-by-trigger": (TicketReopened, {"ticket": ZENDESK}),
    "zendesk-rated-good": (Rated, {"ticket": ZENDESK, "kind": "thumbs", "value": 1, "comment": "Quick!"}),
    "zendesk-rated-bad": (Rated, {"ticket": ZENDESK, "kind": "thumbs", "value": -1, "comment": ""}),
    "intercom-opened": (TicketOpened, {"ticket": INTERCOM, "customer": "c01", "intent": "refund", "case": None}),
    "intercom-reopened": (TicketReopened, {"ticket": INTERCOM, "case": "case-1"}),
    "intercom-reopened-by-customer": (TicketReopened, {"ticket": INTERCOM, "case": None}),
    "intercom-contact": (CameBack, {"ticket": INTERCOM, "same_issue": None}),
    "intercom-rated": (Rated, {"ticket": INTERCOM, "kind": "csat", "value": 4, "comment": "Quick!"}),
    "chatwoot-opened": (TicketOpened, {"ticket": CHATWOOT, "customer": "c01", "intent": "refund", "case": None}),
    "chatwoot-reopened": (TicketReopened, {"ticket": CHATWOOT, "case": "case-1"}),
    "chatwoot-contact": (CameBack, {"ticket": CHATWOOT, "same_issue": None}),
    "chatwoot-rated": (Rated, {"ticket": CHATWOOT, "kind": "csat", "value": 4, "comment": "", "at": None}),
    "chatwoot-rating-comment": (
        Rated,
        {"ticket": CHATWOOT, "kind": "csat", "value": None, "comment": "Quick!", "at": None},
    ),
    "generic-opened": (TicketOpened, {"ticket": "desk:4711", "customer": "c01", "intent": "refund"}),
    "generic-reopened": (TicketReopened, {"ticket": None, "case": "case-1", "reason": "not solved"}),
    "generic-contact": (CameBack, {"ticket": None, "customer": "c01", "same_issue": True}),
    "generic-rated": (Rated, {"ticket": "desk:4711", "kind": "ces", "value": 6, "comment": "Quick!"}),
}
NOTHING = sorted(path.stem for path in PAYLOADS.glob("*.none.*.json"))


def events(name: str, body: bytes | None = None) -> dict[str, Event]:
    """What a payload is read as, by rule."""
    body = payload(name) if body is None else body
    vendor = name.split("-")[0].split(".")[0]
    return {event.rule: event for event in read(source(vendor), headers(vendor, body), body, NOW)}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_payload_is_read_as_what_it_tells(name: str) -> None:
    """By the rule it was made for, with the ticket, the customer and the time as its vendor has them."""
    vendor, _, rule = name.partition("-")
    kind, told = EXPECTED[name]
    event = events(name)[rule]
    assert type(event) is kind
    usual = {"at": MINUTE if vendor == "zendesk" and ("trigger" in name or "rated" in name) else event.at}
    assert event.model_dump() == event.model_dump() | usual | told
    assert event.at is None or abs(event.at - AT) < timedelta(minutes=1)


@pytest.mark.parametrize("name", NOTHING)
def test_a_payload_that_is_about_nothing_of_ours_is_read_as_nothing(name: str) -> None:
    """A ping, an agent's reply, a ticket that is closed: no error either."""
    assert events(name) == {}


def test_every_rule_of_every_shipped_source_is_tried() -> None:
    """And every payload has its expectation."""
    rules = {f"{s.name}-{rule.name}" for s in SOURCES.values() for rule in s.rules}
    assert rules == set(EXPECTED) == {p.stem for p in PAYLOADS.glob("*.json")} - set(NOTHING)
    assert {path.stem for path in SHIPPED.glob("*.yaml")} == {"zendesk", "intercom", "chatwoot", "generic"}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_second_delivery_is_the_same_event(name: str) -> None:
    """Signed anew, later: the same id, and the same words."""
    vendor, body = name.split("-")[0], payload(name)
    again = read(source(vendor), headers(vendor, body, at=NOW), body, NOW + timedelta(minutes=1))
    assert {event.rule: event for event in again} == events(name)


def test_two_events_have_two_ids() -> None:
    """Those that the vendor names by its own id, and those that are known by their body alone."""
    ids = {name: [event.id for event in events(name).values()] for name in EXPECTED}
    ids.pop("chatwoot-rated")  # the same rating comes again with its comment
    assert len({id for made in ids.values() for id in made}) == sum(len(made) for made in ids.values())
    for name, change in (("zendesk-reopened", {"id": "another"}), ("chatwoot-reopened", {"updated_at": 1795435171.5})):
        assert events(name, changed(name, **change))["reopened"].id != events(name)["reopened"].id


def test_a_rating_with_a_later_comment_is_one_rating() -> None:
    """Chatwoot tells of the value in every update of the survey's message."""
    first, second = events("chatwoot-rated"), events("chatwoot-rating-comment")
    assert first["rated"] == second["rated"]
    assert list(second) == ["rated", "rating-comment"]


def test_ids_hold_nothing_of_a_customer() -> None:
    """Whatever a vendor, or a mapping, puts into the name of an event."""
    event = events("generic-rated", changed("generic-rated", id="ann@example.com"))["rated"]
    assert event.id.startswith("generic:rated:")
    assert "ann" not in event.id


def test_a_customer_who_has_no_id_of_ours_has_the_vendors() -> None:
    """Marked as such, so that it is nobody else's."""
    nameless = {
        "chatwoot-opened": (b'"identifier": "c01"', b'"identifier": null', "chatwoot:12"),
        "intercom-opened": (b', "external_id": "c01"', b"", "intercom:5ba682d23d7cf92bef87bfd4"),
    }
    for name, (known, unknown, customer) in nameless.items():
        opened = events(name, payload(name).replace(known, unknown))["opened"]
        assert isinstance(opened, TicketOpened)
        assert opened.customer == customer


def test_a_ticket_without_an_intent_has_none() -> None:
    """Which is not the same as any."""
    body = payload("zendesk-opened").replace(b', "intent_refund"', b"")
    opened = events("zendesk-opened", body)["opened"]
    assert isinstance(opened, TicketOpened)
    assert opened.intent is None
