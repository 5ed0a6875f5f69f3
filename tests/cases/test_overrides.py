"""An override is taken whole, or refused with the list of what is missing; nothing is lost, nothing doubled."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aftercare.lifecycle.state import Refused
from aftercare.messages.outcome import Outcome, Stage
from tests.cases.desk import Desk, Told
from tests.cases.test_coming_back import watched


async def refused(case: Told, **other: Any) -> list[str]:
    """What a person hears whose override is not taken."""
    before = len((await case.handle.fetch_history()).events)
    with pytest.raises(Refused) as error:
        await case.overridden(**other)
    assert len((await case.handle.fetch_history()).events) == before
    return error.value.reasons


@pytest.mark.parametrize("part", ["id", "reviewer", "final", "corrected_intent", "rationale", "deciding"])
async def test_a_missing_part_is_named(desk: Desk, part: str) -> None:
    """Each part of the override is asked for by its name, and nothing enters the history."""
    case = await watched(desk, "part")
    whole = case.override()
    del whole[part]
    before = len((await case.handle.fetch_history()).events)
    with pytest.raises(Refused) as error:
        await desk.gateway.override(case.id, whole)
    assert [r for r in error.value.reasons if r.startswith(f"missing: {part}")]
    assert len((await case.handle.fetch_history()).events) == before


async def test_everything_that_is_missing_is_said_at_once(desk: Desk) -> None:
    """An empty override hears of all six parts."""
    case = await watched(desk, "empty")
    with pytest.raises(Refused) as error:
        await desk.gateway.override(case.id, {})
    assert len(error.value.reasons) == 6


async def test_blank_words_are_no_words(desk: Desk) -> None:
    """A rationale of spaces is missing."""
    case = await watched(desk, "blank")
    assert await refused(case, rationale="   ") == ["missing: rationale: why, in a sentence"]


async def test_an_unknown_clause_is_refused_with_those_there_are(desk: Desk) -> None:
    """The clause must stand in the book the case was opened under."""
    case = await watched(desk, "clause")
    (reason,) = await refused(case, deciding={"kind": "clause", "clause": "general.99"})
    assert "general.99" in reason
    assert "general.4" in reason


async def test_an_unknown_step_is_refused_with_how_many_there_are(desk: Desk) -> None:
    """The step must be one of the trace's."""
    case = await watched(desk, "step")
    assert await refused(case, deciding={"kind": "step", "step": 5}) == [
        "deciding: there is no step 5; the trace ends with step 4"
    ]


async def test_the_original_decision_is_filled_in_from_the_trace(desk: Desk) -> None:
    """Whatever the person sends, what the agent had decided is what it had reported."""
    case = await watched(desk, "original")
    await case.overridden(original={"decision": "escalated", "confidence": 1.0})
    (override,) = (await case.snapshot()).overrides
    assert override.original
    assert (override.original.decision, override.original.confidence) == ("resolved", "not_reported")
    assert override.original.actions == (case.action,)


async def test_the_same_override_twice_is_one(desk: Desk) -> None:
    """The second gets the first one's receipt."""
    case = await watched(desk, "double")
    first = await desk.gateway.override(case.id, case.override())
    again = await desk.gateway.override(case.id, case.override())
    assert first == again
    assert len((await case.snapshot()).overrides) == 1


async def test_the_same_id_with_another_body_is_refused(desk: Desk) -> None:
    """An id stands for one override, and for no other."""
    case = await watched(desk, "reused")
    case.put_back()
    await case.overridden()
    await case.until(Stage.WATCHING, episode=2)
    (reason,) = await refused(case, rationale="Another reason.")
    assert "used before" in reason


async def test_an_override_before_any_decision_is_refused(desk: Desk) -> None:
    """There is nothing to override while the agent is at work."""
    case = await desk.case("early").registered()
    (reason,) = await refused(case)
    assert "has not decided anything yet" in reason


async def test_an_override_of_a_settled_case_is_taken(desk: Desk) -> None:
    """The case is taken up again, and its outcome revised; the same again is still one."""
    case = await watched(desk, "settled")
    await case.settled()
    case.put_back()
    await case.overridden()
    await case.until(Stage.WATCHING, episode=2)
    await case.overridden()
    assert (await case.settled()).outcome is Outcome.OVERRIDDEN
    await case.overridden()
    assert (await case.handle.result()).overrides == 1


async def test_a_broken_override_of_a_settled_case_leaves_it_as_it_was(desk: Desk) -> None:
    """The run that the message started ends by itself, with nothing changed."""
    case = await watched(desk, "settled-broken")
    await case.settled()
    with pytest.raises(Refused):
        await case.overridden(deciding={"kind": "clause", "clause": "nowhere.1"})
    assert (await case.handle.result()).outcome is Outcome.CONFIRMED


async def test_an_override_for_a_case_nobody_knows_is_refused(desk: Desk) -> None:
    """The run it started waits a while for a registration, and then says so."""
    case = desk.case("nobody")
    task = asyncio.create_task(case.overridden())
    await asyncio.sleep(0.5)
    await desk.env.fast_forward(case.handle)
    with pytest.raises(Refused, match="not registered"):
        await task
    assert (await case.handle.result()).outcome is None


async def test_two_people_at_once_are_both_heard(desk: Desk) -> None:
    """Neither correction covers the other; each is an episode, with what the agent had decided."""
    case = await watched(desk, "two-people")
    both = [case.override(id=f"by-{who}", reviewer=who, final={"kind": "nothing_to_do"}) for who in ("ada", "bo")]
    await asyncio.gather(*(desk.gateway.override(case.id, one) for one in both))
    assert (await case.settled()).overrides == 2
    seen = await case.snapshot()
    assert {o.reviewer for o in seen.overrides} == {"ada", "bo"}
    assert all(o.original and o.original.decision == "resolved" for o in seen.overrides)
    assert len(seen.episodes) == 3
