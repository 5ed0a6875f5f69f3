"""Every piece of evidence counts once, in the order in which it came, whoever else counts, wherever it breaks off."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aftercare.store import feedback
from aftercare.store.database import Database
from aftercare.store.tables import CaseRow, FeedbackRow
from tests.triggers.evidence import AGENT, BY_CLAUSE, NOW, ROW, TRIGGER, BreakingOff, Desk


async def test_a_piece_counts_once(desk: Desk) -> None:
    """The next check takes up what is new, and nothing else."""
    await desk.quiet(30)
    assert (await desk.check()).counted == 30
    await desk.storm(3)
    second, third = await desk.check(), await desk.check()
    assert (second.counted, second.waiting, third.counted, third.waiting) == (3, 3, 0, 3)
    assert await desk.counted() == 33


async def test_only_what_the_agent_itself_did_counts(desk: Desk) -> None:
    """Not what people did, nor what was imported, nor what other agents did, nor kinds that the row does not have."""
    others: list[dict[str, Any]] = [{"handled_by": "human"}, {"baseline": True}, {"agent": "other"}, {"kind": "csat"}]
    await desk.put(desk.piece(), *(desk.piece(**other) for other in others))
    standing = await desk.check()
    assert (standing.counted, standing.waiting) == (1, 1)
    assert [g.cases for g in standing.groups] == [1]


async def test_the_evidence_of_one_agent_is_nothing_to_another(desk: Desk) -> None:
    """Each has detectors of its own."""
    await desk.quiet(30)
    await desk.storm(40, agent="other")
    mine, theirs = await desk.check(), await desk.check(agent="other")
    assert (mine.counted, mine.waiting, theirs.counted, theirs.waiting) == (30, 0, 40, 40)
    assert [g.cases for g in mine.groups] == [30]


async def test_what_could_not_be_told_is_counted_and_observed_by_nobody(desk: Desk) -> None:
    """Unknown is a value: no case for the agent, and none against it."""
    await desk.put(desk.piece(None), desk.piece(0))
    standing = await desk.check()
    assert (standing.counted, standing.waiting, await desk.counted()) == (2, 0, 2)
    assert [g.cases for g in standing.groups] == [1]


@pytest.mark.parametrize("before", [0.0, None], ids=["nothing came", "not known"])
async def test_late_evidence_is_counted_anew(desk: Desk, before: float | None) -> None:
    """A late override turns the value of a piece that was counted; the same value again does not."""
    await desk.put(desk.piece(before, case="late"))
    assert (await desk.check()).waiting == 0
    await desk.put(desk.piece(before, case="late"))
    assert (await desk.check()).counted == 0
    await desk.put(desk.piece(1, case="late"))
    standing = await desk.check()
    assert (standing.counted, standing.waiting) == (1, 1)


async def test_late_evidence_stands_where_it_came(desk: Desk) -> None:
    """Not where the piece was when it said something else: nothing is known before it came."""
    first, same, late = (desk.piece(value, case="late") for value in (0, 0, 1))
    await desk.put(first)
    await desk.put(same)
    assert (await _stored(desk, "late")).received_at == first.received_at
    await desk.put(late)
    assert (await _stored(desk, "late")).received_at == late.received_at


@pytest.mark.parametrize("after", [0.0, None], ids=["taken back", "not known"])
async def test_what_turned_harmless_waits_no_more(desk: Desk, after: float | None) -> None:
    """Nothing is learned from an override that was taken back."""
    await desk.put(desk.piece(1, case="good"), desk.piece(1))
    assert (await desk.check()).waiting == 2
    await desk.put(desk.piece(after, case="good"))
    assert (await desk.check()).waiting == 1
    assert "good" not in await desk.claims()


async def test_pieces_of_a_case_are_one_observation(desk: Desk) -> None:
    """Against the agent if any of them is; it waits as one case."""
    await desk.put(desk.piece(0, case="c"), desk.piece(1, case="c", kind="escalation"), desk.piece(0))
    standing = await desk.check()
    assert (standing.counted, standing.waiting) == (3, 1)
    assert [(g.cases, g.statistic) for g in standing.groups] in ([(2, 0.5)], [(2, None)])


async def test_no_case_is_cut_apart(desk: Desk) -> None:
    """A check takes up about so many pieces, and all of each case it begins with, however late they came."""
    small = Desk(desk.database, batch=10)
    await desk.quiet(9)
    await desk.put(desk.piece(0, case="long"))
    await desk.quiet(20)
    await desk.put(desk.piece(1, case="long", kind="escalation"))
    first, second, third = [await small.check() for _ in range(3)]
    assert [(s.counted, s.more) for s in (first, second, third)] == [(11, True), (10, True), (10, False)]
    assert first.waiting == 1


async def test_what_the_clauses_were_is_kept_with_the_piece(desk: Desk) -> None:
    """A piece may break several, and is written down once."""
    broken = {"clauses": ["7.2", "7"], "undetermined": 0}
    await desk.put(desk.piece(0, kind="policy_audit", payload=broken), desk.piece(1, kind="policy_audit", payload={}))
    standing = await desk.check(BY_CLAUSE)
    assert (standing.counted, standing.waiting) == (2, 1)
    (row,) = await desk.against()
    assert sorted(row.grouping.strip(",").split(",")) == ["7", "7.2"]
    assert row.grouping.startswith(",")
    assert row.grouping.endswith(",")


async def test_what_an_erased_case_left_does_not_wait(desk: Desk) -> None:
    """Whether it was erased before it was counted or after."""
    await desk.erase("before")
    await desk.put(*(desk.piece(case=case) for case in ("before", "after", "stays")))
    assert (await desk.check()).waiting == 2
    await desk.erase("after")
    assert (await desk.check()).waiting == 1
    assert (await desk.fire(by="ada")).firing.cases == 1  # type: ignore[union-attr]
    assert {case for case, firing in (await desk.claims()).items() if firing} == {"stays"}


async def test_checks_at_once_count_each_piece_once(desk: Desk) -> None:
    """And leave what one after the other would have left: the detectors know every case."""
    one, other = Desk(desk.database, batch=10), Desk(Database(desk.database.url), batch=10)
    await desk.quiet()
    await desk.storm(10)
    told = await asyncio.gather(*(at.check() for at in (one, other) * 4))
    await other.database.close()
    standing = await desk.check()
    assert sum(standing.counted for standing in told) == 70
    assert ([g.cases for g in standing.groups], standing.waiting) == ([70], 10)


async def test_what_is_rewritten_meanwhile_counts_as_it_was_written(desk: Desk) -> None:
    """A check beside it sees the value before or the value after, and never marks the one for the other."""
    await desk.put(desk.piece(0, case="late"), desk.piece(0))
    async with desk.database.session() as session:
        await feedback.keep(desk.database, session, [desk.piece(1, case="late")])
        beside = asyncio.create_task(Desk(desk.database).check())
        await asyncio.sleep(0.1)  # SQLite has one writer at a time: the check waits for this one
    counted = (await beside).counted + (await desk.check()).counted
    assert (counted, list(await desk.claims())) == (2, ["late"])


async def test_broken_off_at_any_statement_it_leaves_what_an_undisturbed_one_does(desk: Desk) -> None:
    """What detectors know, the marks and what counts against the agent are written together or not at all."""
    await desk.quiet(30)
    await desk.check()
    await desk.storm(5)
    await desk.put(desk.piece(1, case="case-00001"))
    before, broken = await desk.everything(), 0
    for statement in range(1, 100):
        with BreakingOff(desk, statement):
            try:
                standing = await desk.check()
            except ConnectionError:
                broken = statement
            else:
                break
        assert await desk.everything() == before
    assert broken > 5
    assert (standing.counted, standing.waiting) == (6, 6)


async def test_a_standing_is_what_the_last_check_left(desk: Desk) -> None:
    """It counts and changes nothing, and has the figures all the same."""
    checked = await desk.alarmed()
    await desk.storm(2)
    before = await desk.everything()
    standing = await desk.triggers.standing(AGENT, TRIGGER, ROW, NOW)
    assert standing == checked.model_copy(update={"counted": 0})
    assert standing.groups[0].cases == 100
    assert await desk.everything() == before


async def test_a_row_that_was_never_checked_has_a_standing(desk: Desk) -> None:
    """Nothing is known of it but what the book says."""
    standing = await desk.triggers.standing(AGENT, TRIGGER, ROW, NOW)
    assert (standing.says, standing.volume, standing.waiting, standing.groups) == (ROW.says, 1_000, 0, ())
    assert await desk.everything() == {name: [] for name in await desk.everything()}


async def test_a_row_that_the_book_lost_says_so(desk: Desk) -> None:
    """What had fired is still known, so that its improvement can end."""
    await desk.alarmed()
    firing = (await desk.fire()).firing
    standing = await desk.triggers.standing(AGENT, TRIGGER, None, NOW)
    assert standing.problem == "the book has no row 'override': its evidence is not counted"
    assert (standing.open, standing.next_cycle, standing.due) == (firing, 2, "")


async def test_a_standing_shows_the_groups_nearest_to_their_threshold(desk: Desk) -> None:
    """Twenty of them, the nearest first."""
    for number in range(25):
        await desk.quiet(30, intent=f"intent-{number}")
    await desk.storm(40, intent="intent-7")
    standing = await desk.check()
    assert len(standing.groups) == 20
    assert standing.groups[0].group == "intent-7"


async def test_agents_are_those_that_have_cases(desk: Desk) -> None:
    """Each once."""
    assert await desk.triggers.agents() == []
    told: dict[str, Any] = {"domain": "retail", "book": "b", "opened_at": NOW, "body": {}}
    cases = [CaseRow(case_id=f"c{n}", agent=agent, **told) for n, agent in enumerate(["b", "a", "b", "c"])]
    await desk.database.write(*cases)
    assert await desk.triggers.agents() == ["a", "b", "c"]


async def _stored(desk: Desk, case: str) -> FeedbackRow:
    async with desk.database.session() as session:
        found = await session.get(FeedbackRow, (case, "computed/override/1"))
    assert found
    return found
