"""An event becomes evidence on the case it is about, once; and about no case, nothing."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest

from aftercare.lifecycle.intake import EVIDENCE, parse
from aftercare.web.webhooks.events import CameBack, Event, Rated, TicketOpened, TicketReopened
from aftercare.web.webhooks.routing import route
from tests.webhooks.desk import OPENED, Desk, case
from tests.webhooks.sending import NOW

WHO: dict[str, Any] = {"source": "zendesk", "rule": "r", "at": NOW - timedelta(minutes=1)}
AGAIN = "the customer opened another ticket"


def opened(ticket: str = "zendesk:5000", **told: Any) -> TicketOpened:
    return TicketOpened(id="z:o:1", ticket=ticket, **({"customer": "c01", "intent": "refund"} | WHO | told))


def reopened(**told: Any) -> TicketReopened:
    return TicketReopened(id="z:r:1", **({"ticket": "zendesk:4711"} | WHO | told))


def rated(**told: Any) -> Rated:
    return Rated(id="z:f:1", **({"ticket": "zendesk:4711", "kind": "csat", "value": 4} | WHO | told))


def came_back(**told: Any) -> CameBack:
    return CameBack(id="z:c:1", **({"ticket": "zendesk:4711"} | WHO | told))


async def routed(event: Event, *cases: Any) -> Desk:
    desk = Desk(*cases)
    assert await route(event, desk, desk.take, NOW) == bool(desk.taken)
    return desk


def recontact(same_issue: bool, reason: str = AGAIN) -> dict[str, Any]:
    return {"same_issue": same_issue, "channel": "zendesk", "reason": reason}


async def test_a_reopened_ticket_is_a_reopening_of_its_case() -> None:
    """And of no other."""
    desk = await routed(reopened(reason="again"), case(), case("case-2", ticket="zendesk:1"))
    assert desk.told == [("case-1", "reopen", {"reason": "again", "source": "zendesk"})]


async def test_of_several_cases_of_a_ticket_the_latest_is_meant() -> None:
    """That was open by then: a case opened since is another matter, and a retry must not reach it."""
    later = (case("case-2", opened_at=OPENED + timedelta(hours=1)), case("case-3", opened_at=NOW))
    assert [told[0] for told in (await routed(reopened(), case(), *later)).told] == ["case-2"]
    assert [told[0] for told in (await routed(reopened(), case("case-3", opened_at=NOW))).told] == ["case-3"]


async def test_our_own_id_goes_before_the_ticket() -> None:
    """Where it is one of ours; else the ticket tells."""
    cases = (case(), case("case-2", ticket=None))
    assert [told[0] for told in (await routed(reopened(case="case-2"), *cases)).told] == ["case-2"]
    assert [told[0] for told in (await routed(reopened(case="ERP/991"), *cases)).told] == ["case-1"]


async def test_a_rating_is_feedback_in_its_own_unit() -> None:
    """Of the family its kind belongs to; an unknown value is left out."""
    told = {"family": "explicit", "kind": "csat", "unit": "1-5", "source": "zendesk", "payload": {}}
    assert (await routed(rated(), case())).told == [("case-1", "feedback", told | {"value": 4, "comment": ""})]
    desk = await routed(rated(value=None, comment="Quick!"), case())
    assert desk.told == [("case-1", "feedback", told | {"comment": "Quick!"})]


async def test_another_ticket_about_the_same_intent_is_a_second_contact() -> None:
    """On the latest earlier case of that customer with this intent."""
    cases = (case(), case("case-2", opened_at=OPENED + timedelta(hours=1), ticket=None), case("case-0", intent="other"))
    assert (await routed(opened(), *cases)).told == [("case-2", "recontact", recontact(True))]


async def test_another_ticket_about_who_knows_what_is_noted() -> None:
    """It counts against nothing, whichever of the two intents is unknown."""
    noted = [("case-1", "recontact", recontact(False))]
    assert (await routed(opened(intent=None), case())).told == noted
    assert (await routed(opened(intent="unknown"), case(intent="unknown"))).told == noted
    assert (await routed(opened(), case(intent="unknown"))).told == noted


NOBODY_CAME_BACK: dict[str, tuple[TicketOpened, dict[str, Any]]] = {
    "about something else": (opened(intent="address"), {}),
    "another customer": (opened(customer="c02"), {}),
    "after the watch": (opened(), {"stage": "settled", "watched_until": NOW - timedelta(hours=1)}),
    "the ticket of the case itself": (opened("zendesk:4711"), {}),
    "a ticket that names the case": (opened(case="case-1"), {}),
    "while the agent is still at it": (opened(), {"stage": "resolving"}),
    "the agent had handed over": (opened(), {"ending": "escalated"}),
    "before the case": (opened(at=OPENED - timedelta(minutes=1)), {}),
}


@pytest.mark.parametrize("why", NOBODY_CAME_BACK)
async def test_a_ticket_is_no_second_contact(why: str) -> None:
    """Where nothing was resolved before it, or it is about something else."""
    event, particulars = NOBODY_CAME_BACK[why]
    assert (await routed(event, case(**particulars))).told == []
    assert (await routed(opened(), case())).told


async def test_a_message_in_the_cases_own_ticket_is_noted() -> None:
    """It may be thanks; it counts only where its sender says that it is about the same issue."""
    assert (await routed(came_back(), case())).told == [("case-1", "recontact", recontact(False, ""))]
    desk = await routed(came_back(same_issue=True, reason="again"), case())
    assert desk.told == [("case-1", "recontact", recontact(True, "again"))]
    assert (await routed(came_back(intent="refund"), case())).told == [("case-1", "recontact", recontact(True, ""))]


@pytest.mark.parametrize("particulars", [{"stage": "resolving"}, {"stage": "settled", "watched_until": OPENED}])
async def test_a_message_while_the_case_is_with_its_agent_is_nothing(particulars: dict[str, Any]) -> None:
    """Nor long after."""
    assert (await routed(came_back(), case(**particulars))).told == []


async def test_a_message_without_a_ticket_is_known_by_its_customer() -> None:
    """As another ticket would be; and its sender may know better what it is about."""
    assert (await routed(came_back(ticket=None, customer="c01", intent="refund"), case())).told == [
        ("case-1", "recontact", recontact(True, ""))
    ]
    desk = await routed(came_back(ticket=None, customer="c01", same_issue=True), case())
    assert desk.told == [("case-1", "recontact", recontact(True, ""))]


async def test_a_retry_counts_once() -> None:
    """And so does the same event told in other words later."""
    desk = Desk(case())
    for event in (rated(), rated(), rated(comment="Quick!")):
        assert await route(event, desk, desk.take, NOW)
    assert len(desk.taken) == 1


@pytest.mark.parametrize("event", [opened(), reopened(), rated(), came_back(), came_back(ticket=None)])
async def test_an_event_about_no_case_leaves_nothing_behind(event: Event, caplog: pytest.LogCaptureFixture) -> None:
    """But a line in the log, without anything of a customer."""
    with caplog.at_level(logging.INFO):
        assert (await routed(event)).told == []
    (line,) = caplog.records
    assert (line.message, line.__dict__["source"], line.__dict__["rule"]) == ("webhook_unmatched", "zendesk", "r")
    assert not {"c01", "zendesk:4711", "zendesk:5000"} & {str(value) for value in line.__dict__.values()}


@pytest.mark.parametrize("event", [opened(), reopened(), rated(), came_back(), rated(at=None)])
async def test_what_is_taken_is_what_a_case_takes_in(event: Event) -> None:
    """The message of its kind, with the time of the event where it has one."""
    ((_, id), (kind, raw)) = next(iter((await routed(event, case())).taken.items()))
    message = parse(EVIDENCE[kind], raw)
    assert (message.model_dump()["id"], message.model_dump()["at"]) == (id, event.at)
