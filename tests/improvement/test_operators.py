"""What an operator sees of a supervisor and of an improvement, without opening a payload."""

from __future__ import annotations

import re

from temporalio.api.enums.v1 import EventType

from tests.improvement.bench import Bench
from tests.improvement.history import attributes, events, summary


async def test_both_are_found_by_agent_and_target(bench: Bench) -> None:
    """One search shows a supervisor and everything it started."""
    row = await (await bench.row("daily").goes_wrong(3)).supervised()
    await row.ended("prepared")
    found_by = {"AgentName": row.agent, "ImprovementTarget": "retraining/intent_classifier"}
    assert await attributes(row.handle) == found_by
    assert await attributes(row.child(1)) == found_by


async def test_every_activity_and_timer_says_what_it_is_for(bench: Bench) -> None:
    """The timeline reads as sentences."""
    row = await (await bench.row("daily").goes_wrong(3)).supervised()
    await row.ended("prepared")
    await row.later(hours=24)
    kinds = (EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, EventType.EVENT_TYPE_TIMER_STARTED)
    told = [summary(e.user_metadata.summary) for kind in kinds for e in await events(row, kind)]
    assert told[:2] == ["count what is new, see how the row stands", told[1]]
    assert re.match(r"fire, cycle 1: .*3", told[1])
    assert any(re.match(r"cooldown until \d{4}-\d\d-\d\d \d\d:\d\d UTC: 24 h between two firings", one) for one in told)
    assert all(told)


async def test_the_improvement_tells_what_called_for_it(bench: Bench) -> None:
    """In the list by its summary; beside its history by what was claimed, frozen and found."""
    row = await (await bench.row("daily").goes_wrong(3)).supervised()
    (firing,) = await row.ended("prepared")
    metadata = await row.child(1).query("__temporal_workflow_metadata")
    described = await row.child(1).describe()
    assert await described.static_summary() == f"retraining: intent classifier; {firing.because}"
    for line in (
        "# Ended: prepared",
        "- It claimed 3 pieces of evidence, of 3 cases",
        f"- {firing.note}",
        "The evidence is frozen and diagnosed. Nothing was improved by that, and nothing is claimed to be.",
    ):
        assert line in metadata.current_details.splitlines()


async def test_the_page_of_a_supervisor_says_where_its_row_stands(bench: Bench) -> None:
    """What it watches, what waits, what fired last, what it does now, by which book."""
    row = await (await bench.row("daily").goes_wrong(3)).supervised()
    (firing,) = await row.ended("prepared")
    await row.goes_wrong(2)
    book = (await row.checked()).book
    told = (await row.details()).splitlines()
    starts = "It starts **retraining: intent classifier**."
    for line in (
        f"Agent **{row.agent}**, trigger **daily**: People correct what the agent decides. {starts}",
        "- Volume: **2 of 3** cases against the agent, claimed by no firing",
        f"- The last: cycle 1 on {firing.at:%Y-%m-%d %H:%M} UTC, **prepared**: {firing.because}. {firing.note}",
    ):
        assert line in told
    assert told[0].startswith("# Cooling down until ")
    assert any(line.startswith(f"- `{book[:12]}`, ") for line in told)


async def test_while_an_improvement_is_under_way_the_page_says_so(bench: Bench) -> None:
    """With the cycle, and why."""
    row = bench.row("quick")
    bench.preparing.holds.add(row.agent)
    await (await row.goes_wrong(3)).supervised()
    await row.under_way(1)
    told = await row.details()
    assert told.startswith("# Improving, cycle 1\n")
    assert "- Under way: cycle 1 on " in told
    bench.preparing.holds.clear()
    await row.ended("prepared")
