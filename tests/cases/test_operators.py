"""What an operator sees: search attributes, summaries, and a story without opening a payload."""

from __future__ import annotations

import json
import re

from temporalio.api.common.v1 import Payload

from aftercare.messages.outcome import Stage
from tests.cases.desk import Desk, Told
from tests.cases.test_coming_back import watched


async def attributes(case: Told) -> dict[str, object]:
    described = await case.handle.describe()
    return {p.key.name: p.value for p in described.typed_search_attributes if p.key.name != "BuildIds"}


async def details(case: Told) -> str:
    told: str = (await case.handle.query("__temporal_workflow_metadata")).current_details
    return told


def summary(payload: Payload) -> str:
    return str(json.loads(payload.data)) if payload.data else ""


async def test_a_quiet_case_is_found_by_what_it_is(desk: Desk) -> None:
    """Stage, outcome, verdict, intent and agent; nothing about the customer."""
    case = await watched(desk, "found")
    assert await attributes(case) == {
        "CaseStage": "watching",
        "CaseOutcome": "confirmed",
        "PolicyVerdict": "compliant",
        "Intent": "cancel_pending_order",
        "AgentName": "retail",
    }


async def test_an_overridden_case_is_found_as_one(desk: Desk) -> None:
    """The end that was not quiet is written over the quiet one."""
    case = await watched(desk, "found-overridden")
    await case.signalled("reopen", id="back-1")
    case.put_back()
    await case.overridden()
    await case.settled()
    known = await attributes(case)
    assert (known["CaseStage"], known["CaseOutcome"]) == ("settled", "overridden")
    assert (known["HumanOverride"], known["ReopenCount"]) == (True, 1)


async def test_every_activity_and_timer_says_what_it_is_for(desk: Desk) -> None:
    """The timeline reads as sentences."""
    case = await watched(desk, "summaries")
    await case.settled()
    events = (await case.handle.fetch_history()).events
    timed = [
        e
        for e in events
        if e.HasField("activity_task_scheduled_event_attributes") or (e.HasField("timer_started_event_attributes"))
    ]
    assert [summary(e.user_metadata.summary) for e in timed] == [
        "pin the policy book, write the case down",
        "look in the systems of record: cancel pending order",
        "audit 4 steps against the retail policy book",
        "wait 24 h for the customer to come back",
    ]
    assert summary(events[0].user_metadata.summary) == "Agent retail, by chat"


async def test_the_details_tell_what_was_claimed_and_what_is_awaited(desk: Desk) -> None:
    """While it is watched: the claim, what was found, the verdict, and until when."""
    case = await watched(desk, "told")
    told = await details(case)
    assert "Watching; confirmed unless somebody objects" in told
    assert f"Claimed: cancel pending order (order_id {case.order}" in told
    assert "**verified**: all 3 facts are there" in told
    assert "**Waiting for** the customer" in told
    assert "UTC" in told


async def test_the_details_of_an_override_tell_who_why_and_by_what(desk: Desk) -> None:
    """The person, the reason, the clause, and what the agent had decided."""
    case = await watched(desk, "told-override")
    case.put_back()
    await case.overridden()
    await case.until(Stage.WATCHING, episode=2)
    told = await details(case)
    assert "**r.meyer**: “The customer wanted to keep it.”" in told
    assert "What decided it: clause **general.4**" in told
    assert "The agent had resolved: intent cancel_pending_order, confidence not reported" in told


async def test_a_failed_verification_tells_the_differing_fact(desk: Desk) -> None:
    """Expected beside found, with the record's name."""
    case = await desk.case("told-failed").reported()
    await case.settled()
    told = await details(case)
    assert f"shop orders/{case.order}, status: expected `cancelled`, found `pending`" in told


async def test_no_personal_data_stands_in_ids_and_attributes(desk: Desk) -> None:
    """The customer is named in payloads alone."""
    case = await watched(desk, "private")
    await case.settled()
    events = (await case.handle.fetch_history()).events
    told = [case.handle.id, str(await attributes(case)), *(summary(e.user_metadata.summary) for e in events)]
    assert any(told[2:])
    assert not [text for text in told if re.search(r"\bann\b|a@x|Cancel my order", text)]
