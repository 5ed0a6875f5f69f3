"""What figures need is read from the store as it stands there: nothing is guessed, nothing counted twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from aftercare.learning.facts import CaseFacts
from aftercare.messages.outcome import Outcome
from aftercare.messages.policy import Verdict, Verification
from aftercare.store.reporting import Selection, facts_of, unsettled
from aftercare.store.tables import EpisodeRow
from tests.reports.shelf import HOUR, MINUTE, NOW, Shelf


async def only(shelf: Shelf, **which: Any) -> CaseFacts:
    """The one case that is selected."""
    (facts,) = await facts_of(shelf.cases, Selection(**which))
    return facts


async def test_a_settled_case_tells_how_it_ended(shelf: Shelf) -> None:
    """By its latest settlement and its first episode."""
    await shelf.settled("c", first={"verification": "failed", "policy_verdict": "violation"}, intent="cancel")
    await shelf.put(EpisodeRow(case_id="c", number=2, handled_by="human", verification="verified", body={}))
    await shelf.settlement("c", 2, "overridden", reopens=1)
    facts = await only(shelf)
    assert (facts.outcome, facts.resolved, facts.intent) == (Outcome.OVERRIDDEN, True, "cancel")
    assert (facts.verification, facts.policy_verdict) == (Verification.FAILED, Verdict.VIOLATION)
    assert (facts.reopened, facts.escalated) == (True, False)


async def test_a_case_that_has_not_settled_is_in_no_figure(shelf: Shelf) -> None:
    """It is counted apart, unless its customer was erased: then it never will settle."""
    await shelf.settled("settled")
    await shelf.opened("running")
    await shelf.opened("erased", erased_at=NOW)
    await shelf.feedback("running", "csat", 5)
    assert (await only(shelf)).case_id == "settled"
    assert await unsettled(shelf.cases, Selection()) == 1


async def test_a_case_that_settled_before_its_customer_was_erased_stays(shelf: Shelf) -> None:
    """Figures do not change when somebody is forgotten."""
    await shelf.settled("c", erased_at=NOW, customer=None)
    await shelf.feedback("c", "csat", 4)
    assert (await only(shelf)).csat == 4


async def test_an_escalation_in_any_episode_counts(shelf: Shelf) -> None:
    """Also where the agent resolved it first."""
    await shelf.settled("c", "escalated")
    await shelf.put(EpisodeRow(case_id="c", number=2, handled_by="agent", ending="escalated", body={}))
    facts = await only(shelf)
    assert (facts.resolved, facts.escalated) == (True, True)


@pytest.mark.parametrize(("after", "in_a_day"), [(24 * HOUR, True), (24 * HOUR + MINUTE, False)])
async def test_reopened_within_a_day_is_told_by_the_clock(shelf: Shelf, after: timedelta, in_a_day: bool) -> None:
    """From the resolution to the reopening."""
    await shelf.settled("c", "reopened")
    await shelf.settlement("c", 2, "reopened", reopens=1)
    await shelf.evidence("c", "reopen", NOW + 5 * MINUTE + after)
    facts = await only(shelf)
    assert (facts.reopened, facts.reopened_24h, facts.resolution_time) == (True, in_a_day, 300)


async def test_a_later_resolution_starts_the_day_anew(shelf: Shelf) -> None:
    """Reopened two days after the first resolution, and an hour after the second."""
    await shelf.settled("c", "reopened")
    for kind, hours in (("reopen", 48), ("resolution", 50), ("reopen", 51)):
        await shelf.evidence("c", kind, NOW + hours * HOUR)
    facts = await only(shelf)
    assert (facts.reopened_24h, facts.resolution_time) == (True, 300)


async def test_only_what_was_taken_in_counts(shelf: Shelf) -> None:
    """A reopening that the case refused is none."""
    await shelf.settled("c")
    await shelf.evidence("c", "reopen", NOW + HOUR, standing="refused")
    await shelf.evidence("c", "recontact", NOW + HOUR, standing="waiting")
    facts = await only(shelf)
    assert (facts.reopened_24h, facts.recontacted) == (False, False)


@pytest.mark.parametrize(("body", "counts"), [({}, True), ({"same_issue": True}, True), ({"same_issue": False}, False)])
async def test_a_second_contact_about_something_else_does_not_count(
    shelf: Shelf, body: dict[str, Any], counts: bool
) -> None:
    """Without a word it is about the same."""
    await shelf.settled("c")
    await shelf.evidence("c", "recontact", NOW + HOUR, **body)
    assert (await only(shelf)).recontacted is counts


async def test_a_case_reported_whole_without_its_opening_has_no_resolution_time(shelf: Shelf) -> None:
    """It was written down after the report came in; zero seconds would be a lie."""
    await shelf.settled("c", opened_at=NOW + 6 * MINUTE)
    facts = await only(shelf)
    assert (facts.resolution_time, facts.reopened_24h) == (None, False)


async def test_what_was_never_resolved_cannot_be_reopened_in_a_day(shelf: Shelf) -> None:
    """Of a case that was handed over this is unknown."""
    await shelf.settled("c", "escalated", first={"ending": "escalated"})
    facts = await only(shelf)
    assert (facts.resolved, facts.reopened_24h, facts.resolution_time) == (False, None, None)


async def test_feedback_is_summed_latest_or_least(shelf: Shelf) -> None:
    """Money and time over all episodes, scores by the last answer, first contact only if every episode says so."""
    await shelf.settled("c")
    for kind, first, second in (("cost", 0.2, 0.3), ("handling_time", 60, 30), ("first_contact_resolution", 1, 0)):
        await shelf.feedback("c", kind, first)
        await shelf.feedback("c", kind, second, id=f"computed/{kind}/2")
    await shelf.feedback("c", "csat", 1, id="late", occurred_at=NOW + HOUR)
    await shelf.feedback("c", "csat", 5, id="early")
    await shelf.feedback("c", "resolved", 0)
    facts = await only(shelf)
    assert (facts.cost, facts.handling_time) == (0.5, 90)
    assert (facts.csat, facts.said_resolved, facts.first_contact) == (1, False, False)


async def test_a_sum_with_an_unknown_piece_is_unknown(shelf: Shelf) -> None:
    """Half of a cost is no cost."""
    await shelf.settled("c")
    await shelf.feedback("c", "cost", 0.2)
    await shelf.feedback("c", "cost", None, id="computed/cost/2")
    await shelf.feedback("c", "error", 0)
    facts = await only(shelf)
    assert (facts.cost, facts.errors, facts.fallbacks) == (None, 0, None)


async def test_what_nobody_can_have_measured_is_unknown(shelf: Shelf) -> None:
    """A sum of numbers without end would end every report."""
    await shelf.settled("c")
    for id in ("1", "2"):
        await shelf.feedback("c", "cost", 1.7e308, id=f"cost-{id}")
        await shelf.feedback("c", "latency", 1.7e308, id=f"latency-{id}")
    facts = await only(shelf)
    assert (facts.cost, facts.latencies) == (None, ())


async def test_thumbs_and_latencies_are_kept_apart(shelf: Shelf) -> None:
    """A zero is no thumb."""
    await shelf.settled("c")
    for number, value in enumerate((1, 1, -1, 0, None)):
        await shelf.feedback("c", "thumbs", value, id=f"thumb-{number}", step=number + 1)
        await shelf.feedback("c", "latency", value and abs(value), id=f"latency-{number}")
    facts = await only(shelf)
    assert (facts.thumbs_up, facts.thumbs_down, sorted(facts.latencies)) == (2, 1, [0, 1, 1, 1])


@pytest.mark.parametrize(
    ("which", "chosen"),
    [
        ({"agent": "other"}, "odd"),
        ({"release": "r1"}, "odd"),
        ({"intent": "refund"}, "odd"),
        ({"handled_by": "human"}, "odd"),
        ({"since": NOW + HOUR}, "odd"),
        ({"until": NOW + HOUR}, "usual"),
        ({"agent": "bot", "intent": "refund"}, None),
    ],
)
async def test_cases_are_selected_with_everything_about_them(
    shelf: Shelf, which: dict[str, Any], chosen: str | None
) -> None:
    """Those that are all of this, and no feedback of others."""
    await shelf.settled("usual")
    await shelf.settled("odd", agent="other", release="r1", intent="refund", handled_by="human", opened_at=NOW + HOUR)
    for score, case_id in enumerate(("usual", "odd"), 1):
        await shelf.feedback(case_id, "csat", score)
    found = await facts_of(shelf.cases, Selection(**which))
    assert [(facts.case_id, facts.csat) for facts in found] == ([(chosen, 1 + (chosen == "odd"))] if chosen else [])


async def test_the_number_of_queries_does_not_grow_with_the_cases(shelf: Shelf) -> None:
    """One case or twenty: the same handful."""
    counts = []
    for number in range(20):
        await shelf.settled(f"c{number}")
        if number in (0, 19):
            counts.append(await _queries(shelf))
    assert counts[0] == counts[1] <= 6


async def _queries(shelf: Shelf) -> int:
    asked: list[str] = []
    engine = shelf.cases.database.engine.sync_engine

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    await facts_of(shelf.cases, Selection())
    event.remove(engine, "before_cursor_execute", note)
    return len(asked)
