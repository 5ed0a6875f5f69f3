"""Exports come twice, overlapping, in any order and at once: a case is told each thing once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aftercare.lifecycle.state import Refused
from aftercare.messages.case import Resolution, Step, StepKind
from aftercare.web.otlp.cases import Export, cases_of
from aftercare.web.otlp.reading import Span, spans_of
from aftercare.web.otlp.spans import steps_of
from aftercare.web.otlp.taking import LARGEST_BATCH, Crowded, KnownCase, Taken, Taking, batches
from tests.otlp.desk import WRITES, Desk, chat, span, tool, wire

CASE = {"aftercare.case.id": "case-1", "aftercare.agent": "shop-assistant"}
ENDS = CASE | {"aftercare.ending": "resolved"}
ACT = tool(2, "cancel_pending_order", {"order_id": "#W1"}, at=1, attributes=CASE)
REPLY = chat(3, "Cancel it.", "Done.", at=2, attributes=CASE)
ROOT = span(1, took=9, attributes=ENDS)


def export(*spans: Span) -> Export:
    """What an export of these spans tells, read as it comes over the wire."""
    return cases_of(spans_of(wire(*spans))[0], WRITES.__contains__, "retail")


async def taken(desk: Desk, *exports: Export) -> Taken:
    """What the last of these exports came to."""
    taking, last = Taking(desk.take, desk.known), Taken()
    for one in exports:
        last = await taking.take_in(one, "key-1")
    return last


def numbered(desk: Desk) -> list[tuple[int, str]]:
    return [(step.number, step.source[-1]) for step in desk.told("case-1")]


async def test_a_whole_case_is_told_by_spans_alone() -> None:
    """Registration, steps and ending, each once and in this order, by whoever sent them."""
    desk = Desk()
    result = await taken(desk, export(ROOT, ACT, REPLY))
    assert (result.count, result.message) == (0, "")
    assert (desk.kinds, desk.by) == (["registration", "steps", "resolution"], "key-1")
    assert desk.cases["case-1"].agent == "shop-assistant"
    ending = desk.endings["case-1"]
    assert isinstance(ending, Resolution)
    assert ([a.name for a in ending.actions], ending.reply) == (["cancel_pending_order"], "Done.")


async def test_the_same_export_again_changes_nothing() -> None:
    """An exporter that had no answer sends again; nothing is rejected and nothing is doubled."""
    desk = Desk()
    whole = export(ROOT, ACT, REPLY)
    result = await taken(desk, whole, whole)
    assert result.count == 0
    assert desk.kinds == ["registration", "steps", "resolution"]


async def test_exports_overlap_and_come_out_of_order() -> None:
    """A span is known again by its trace and id; a late one gets the next number, whenever it happened."""
    desk = Desk()
    early, late = tool(4, "get_order", at=0.5, attributes=CASE), tool(5, "get_user", at=3, attributes=CASE)
    await taken(desk, export(ACT, REPLY), export(REPLY, late), export(ACT, early, late))
    assert numbered(desk) == [(1, "2"), (2, "3"), (3, "5"), (4, "4")]
    assert desk.kinds.count("registration") == 1


async def test_an_ending_claims_what_earlier_exports_told() -> None:
    """The span that ends a case comes last; what was done and said before it is part of the claim."""
    desk = Desk()
    await taken(desk, export(ACT, REPLY), export(ROOT))
    ending = desk.endings["case-1"]
    assert isinstance(ending, Resolution)
    assert [(a.name, a.step) for a in ending.actions] == [("cancel_pending_order", 1)]
    assert ending.reply == "Done."


async def test_a_second_episode_claims_only_its_own_acts() -> None:
    """What was done before the case was reopened was claimed then."""
    desk = Desk()
    await taken(desk, export(ACT))

    async def reopened(case_id: str) -> KnownCase:
        return KnownCase(True, (await desk.known(case_id)).steps, episode_from=2)

    again = tool(6, "return_delivered_order_items", {"order_id": "#W1"}, at=5, attributes=CASE)
    await Taking(desk.take, reopened).take_in(export(again, ROOT), None)
    assert [a.name for a in desk.endings["case-1"].actions] == ["return_delivered_order_items"]


async def test_what_comes_after_the_ending_is_rejected_with_the_cases_own_words() -> None:
    """Late spans are counted and explained; those that were taken before are not."""
    desk = Desk()
    late = tool(7, "get_user", at=20, attributes=CASE)
    result = await taken(desk, export(ROOT, ACT, REPLY), export(REPLY, late))
    assert result.count == 1
    assert "1 spans: it is not the agent's turn in case 'case-1'" in result.message
    assert numbered(desk) == [(1, "2"), (2, "3")]


async def test_late_spans_are_not_even_sent_where_the_ending_is_known() -> None:
    """They are rejected, and the ending that came with them, if it is the same, is not."""
    desk = Desk()
    await taken(desk, export(ROOT, ACT))

    async def over(case_id: str) -> KnownCase:
        return replace(await desk.known(case_id), ended=True)

    result = await Taking(desk.take, over).take_in(export(ROOT, ACT, REPLY), None)
    assert result.message == "1 spans: the ending of the case was reported before they came"
    assert desk.kinds == ["registration", "steps", "resolution"]


async def test_a_case_that_cannot_be_registered_is_rejected_with_what_is_missing() -> None:
    """Every span of it, each once; a case that somebody else registered is taken all the same."""
    desk = Desk()
    nobodys = cases_of([tool(2, "a", attributes={"aftercare.case.id": "case-1"}), ROOT], WRITES.__contains__)
    unknown = Export(tuple(t for t in nobodys.cases), {})
    result = await taken(desk, unknown)
    assert (result.count, desk.kinds) == (2, [])
    assert "set aftercare.domain" in result.message
    desk.cases["case-1"] = export(ROOT).cases[0].case  # type: ignore[assignment]
    assert (await taken(desk, unknown)).count == 0


async def test_a_registration_that_is_refused_is_told_with_the_steps() -> None:
    """The reason is the registration's, and every span of the case counts."""
    desk = Desk()
    desk.fails["registration"] = Refused(["this key may not write for the agent"])
    result = await taken(desk, export(ROOT, ACT, REPLY))
    assert result.count == 3
    assert "this key may not write for the agent; no case 'case-1' is open" in result.message


async def test_two_processes_that_take_the_same_numbers_both_get_through() -> None:
    """Each knows nothing of the other: who comes second takes the numbers that follow."""
    desk = Desk()
    other = tool(8, "get_user", at=4, attributes=CASE)
    here, there = Taking(desk.take, desk.known), Taking(desk.take, desk.known)
    at_once = (here.take_in(export(ACT), None), there.take_in(export(other), None), here.take_in(export(REPLY), None))
    for result in await asyncio.gather(*at_once):
        assert result.count == 0
    assert sorted(number for number, _ in numbered(desk)) == [1, 2, 3]
    assert {source for _, source in numbered(desk)} == {"2", "8", "3"}


async def test_numbers_taken_between_the_look_and_the_write_are_given_up() -> None:
    """The look-up is old by the time the steps are sent; they are sent again with fresh numbers."""
    desk = Desk()
    looks = 0

    async def behind(case_id: str) -> KnownCase:
        nonlocal looks
        looks, seen = looks + 1, await desk.known(case_id)
        if looks == 1:
            await taken(desk, export(REPLY))  # another process, just after the look
        return seen

    result = await Taking(desk.take, behind).take_in(export(ACT), None)
    assert (result.count, looks) == (0, 2)
    assert numbered(desk) == [(1, "3"), (2, "2")]


async def test_an_export_that_finds_no_numbers_is_sent_again_by_its_sender() -> None:
    """Nothing is dropped: the exporter is told to repeat it."""
    desk, numbers = Desk(), iter(range(1, 100))
    desk.fails["steps"] = Refused(["taken"])

    async def growing(case_id: str) -> KnownCase:
        return KnownCase(True, (Step(number=next(numbers), kind=StepKind.ACT),))

    with pytest.raises(Crowded, match="send this one again"):
        await Taking(desk.take, growing).take_in(export(ACT), None)


async def test_what_fails_otherwise_fails_the_export() -> None:
    """Only a refusal is an answer; anything else is for the application to say, and the exporter repeats."""
    desk = Desk()
    desk.fails["steps"] = TimeoutError("no answer yet")
    with pytest.raises(TimeoutError):
        await taken(desk, export(ACT))
    desk.fails.clear()
    assert (await taken(desk, export(ACT))).count == 0


def test_many_and_large_steps_go_in_several_messages() -> None:
    """At most 500 a message, and no message larger than the gateway takes; numbers go on."""
    many = steps_of([tool(n, "get_order") for n in range(1, 1_101)], WRITES.__contains__)
    assert [len(batch) for batch in batches(many, after=7)] == [500, 500, 100]
    assert [s.number for batch in batches(many, after=7) for s in batch] == list(range(8, 1_108))
    heavy = steps_of(
        [tool(n, "t", {"a": "x" * 19_000}, ["y" * 19_000] * 3) for n in range(1, 101)], WRITES.__contains__
    )
    sizes = [sum(len(s.model_dump_json()) for s in batch) for batch in batches(heavy, after=0)]
    assert len(sizes) > 1
    assert max(sizes) <= LARGEST_BATCH
    assert list(batches([], after=3)) == []


@settings(max_examples=40)
@given(st.lists(st.lists(st.integers(2, 9), min_size=1, max_size=5), min_size=1, max_size=6))
async def test_however_spans_are_cut_into_exports_each_is_taken_once(shape: list[list[int]]) -> None:
    """Repeats and overlaps included, numbers go from 1 without a gap."""
    desk = Desk()
    spans = {n: tool(n, "get_order", {"n": n}, at=n, attributes=CASE) for n in range(2, 10)}
    result = await taken(desk, *(export(*(spans[n] for n in numbers)) for numbers in shape))
    told = desk.told("case-1")
    assert [s.number for s in told] == list(range(1, len(told) + 1))
    assert sorted(s.input["n"] for s in told) == sorted({n for numbers in shape for n in numbers})
    assert result.count == 0
