"""A trigger fires once for its evidence: whoever else fires, however often it is asked, and wherever it breaks off."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from aftercare.messages.improvement import EndFiring, FireTrigger, FiringStatus, Pausing
from aftercare.messages.triggers import Budget, TriggerRow
from aftercare.store.database import Database
from aftercare.store.triggers import FiringEnded, NoSuchFiring
from tests.triggers.evidence import AGENT, BY_CLAUSE, NOW, ROW, TRIGGER, BreakingOff, Desk, of_volume

ID = f"{AGENT}/{TRIGGER}/1"
A_DAY = timedelta(days=1)


async def test_an_alarm_is_due_and_fires(desk: Desk) -> None:
    """The firing says why, what it starts and how much it claimed; the groups begin anew."""
    standing = await desk.alarmed()
    fired = (await desk.fire()).firing
    assert fired
    assert (fired.id, fired.groups, fired.cases, fired.pieces) == (ID, ("returns",), 40, 40)
    assert (fired.because, str(fired.work.kind), fired.by) == (standing.due, "intent_classifier", "")
    assert set((await desk.claims()).values()) == {ID}
    after = await desk.check()
    assert (after.due, after.waiting, after.open, after.next_cycle) == ("", 0, fired, 2)
    assert [(g.alarmed, g.evidence, g.cases) for g in after.groups] == [(False, 0, 100)]


async def test_what_is_not_due_does_not_fire(desk: Desk) -> None:
    """Nothing is claimed."""
    await desk.quiet()
    await desk.put(desk.piece())
    await desk.check()
    fired = await desk.fire()
    assert (fired.firing, fired.note) == (None, "nothing is due")
    assert set((await desk.claims()).values()) == {None}


async def test_the_same_cycle_again_brings_the_same_firing(desk: Desk) -> None:
    """Also after it has ended, and whatever has come since: an activity may be asked again at any time."""
    await desk.alarmed()
    first = (await desk.fire()).firing
    await desk.storm()
    await desk.check()
    assert (await desk.fire()).firing == first
    ended = await desk.triggers.end(EndFiring(firing=ID, status=FiringStatus.PREPARED), NOW)
    assert (await desk.fire()).firing == ended
    assert [firing.id for firing in await desk.triggers.firings()] == [ID]


async def test_a_row_fires_once_at_a_time(desk: Desk) -> None:
    """Not even by name, while an improvement has not ended; and the cycle is the next one."""
    await desk.alarmed()
    await desk.fire()
    await desk.storm()
    await desk.check()
    for by in ("", "ada"):
        refused = await desk.fire(2, by=by)
        assert (refused.firing, refused.note) == (None, f"firing {ID} is open: its improvement has not ended")
    await desk.triggers.end(EndFiring(firing=ID, status=FiringStatus.PREPARED), NOW)
    assert (await desk.fire(3)).note == "the next cycle is 2, and not 3"
    assert (await desk.fire(2)).firing


async def test_fired_by_two_at_once_it_fires_once(desk: Desk) -> None:
    """Both are told the same firing."""
    await desk.alarmed()
    second = Desk(Database(desk.database.url))
    one, other, *refused = await asyncio.gather(desk.fire(), second.fire(), desk.fire(2), second.fire(2, by="ada"))
    await second.database.close()
    assert one.firing == other.firing
    assert [fired.firing for fired in refused] == [None, None]
    assert await desk.triggers.firings() == [one.firing]
    assert set((await desk.claims()).values()) == {ID}


async def test_evidence_that_comes_beside_a_firing_is_claimed_or_waits(desk: Desk) -> None:
    """It is never lost between a check and a firing that run at once."""
    await desk.alarmed()
    second = Desk(Database(desk.database.url))
    await desk.storm(30)
    await asyncio.gather(desk.fire(), second.check())
    await second.database.close()
    claims, after = await desk.claims(), await desk.check()
    assert len(claims) == 70
    assert after.waiting == sum(firing is None for firing in claims.values())


async def test_a_claimed_piece_goes_to_no_other_firing(desk: Desk) -> None:
    """Also where it changes its value and back, or counts in another way by then."""
    await desk.alarmed()
    await desk.fire()
    case = next(iter(await desk.claims()))
    for value in (0, 1):
        await desk.put(desk.piece(value, case=case, intent="billing"))
        await desk.check()
    await desk.triggers.end(EndFiring(firing=ID, status=FiringStatus.PREPARED), NOW)
    await desk.put(desk.piece(case="new"))
    await desk.check()
    second = (await desk.fire(2, by="ada")).firing
    assert second
    assert (second.cases, (await desk.claims())[case]) == (1, ID)


async def test_an_alarm_claims_what_is_of_its_groups(desk: Desk) -> None:
    """What other intents have waiting stays, for their own."""
    await desk.put(*(desk.piece(intent="billing") for _ in range(3)))
    assert (await desk.alarmed()).waiting == 43
    fired = (await desk.fire()).firing
    assert fired
    assert (fired.groups, fired.cases) == (("returns",), 40)
    assert (await desk.check()).waiting == 3


async def test_a_volume_claims_everything(desk: Desk) -> None:
    """It is no alarm, and names no group."""
    row = of_volume(5)
    await desk.put(*(desk.piece(intent=intent) for intent in ("a", "a", "b", "b")))
    assert not (await desk.check(row)).due
    await desk.put(desk.piece(intent="c"))
    assert (await desk.check(row)).due
    fired = (await desk.fire(row=row)).firing
    assert fired
    assert (fired.groups, fired.cases) == ((), 5)
    assert (await desk.check(row)).waiting == 0


async def test_a_clause_claims_every_piece_that_names_it(desk: Desk) -> None:
    """Also those that were first flagged for another one, and none for one that begins alike."""
    await desk.quiet(60, 1, kind="policy_audit")
    flags = [["7.1"], ["7.1", "2"], ["2", "7.1"], ["17.1"], ["7.10"], ["7"], ["2"]]
    await desk.put(
        *(desk.piece(0, kind="policy_audit", case=f"flag-{n}", payload={"clauses": c}) for n, c in enumerate(flags))
    )
    await desk.storm(40, 0, kind="policy_audit", payload={"clauses": ["7.1"]})
    standing = await desk.check(BY_CLAUSE)
    alarmed = {group.group for group in standing.groups if group.alarmed}
    fired = (await desk.fire(row=BY_CLAUSE)).firing
    assert fired
    assert set(fired.groups) == alarmed == {"7.1"}
    claimed = {case for case, firing in (await desk.claims()).items() if firing and case.startswith("flag")}
    assert claimed == {"flag-0", "flag-1", "flag-2"}


async def test_an_alarm_whose_evidence_is_gone_is_not_due(desk: Desk) -> None:
    """It turned harmless, or its cases were erased: there is nothing to learn from."""
    await desk.alarmed()
    cases = list(await desk.claims())
    await desk.put(*(desk.piece(0, case=case) for case in cases[1:]))
    assert (await desk.check()).due
    await desk.erase(cases[0])
    standing = await desk.check()
    assert (standing.waiting, standing.due) == (0, "")
    assert (await desk.fire(by="ada")).note == "there is no evidence that no firing has claimed"


async def test_who_asks_by_name_is_named(desk: Desk) -> None:
    """With what evidence there is, whatever is due, paused or spent."""
    row = ROW.model_copy(update={"budget": Budget(children=1)})
    await desk.alarmed(row)
    await desk.fire(row=row)
    await desk.triggers.end(EndFiring(firing=ID, status=FiringStatus.PREPARED), NOW)
    await desk.triggers.pause(Pausing(agent=AGENT, trigger=TRIGGER, paused=True, by="bob"), NOW)
    await desk.put(desk.piece())
    await desk.check(row)
    asked = FireTrigger(agent=AGENT, trigger=TRIGGER, cycle=2, by="ada", reason="a complaint")
    fired = (await desk.triggers.fire(asked, row, NOW)).firing
    assert fired
    assert (fired.by, fired.because, fired.cases) == ("ada", "asked for by ada: a complaint", 1)


async def test_a_paused_row_does_not_fire(desk: Desk) -> None:
    """Its evidence is counted, and waits until it goes on."""
    await desk.triggers.pause(Pausing(agent=AGENT, trigger=TRIGGER, paused=True, by="bob", reason="holiday"), NOW)
    standing = await desk.alarmed()
    assert (standing.paused_by, standing.pause_reason, standing.waiting) == ("bob", "holiday", 40)
    assert (await desk.fire()).note == "paused by bob"
    await desk.triggers.pause(Pausing(agent=AGENT, trigger=TRIGGER, paused=False, by="bob"), NOW)
    assert (await desk.check()).paused_by == ""
    assert (await desk.fire()).firing


async def test_the_week_has_a_budget_of_children(desk: Desk) -> None:
    """Of the last seven days; the standing says from when on there is room."""
    row = of_volume(1).model_copy(update={"budget": Budget(children=2)})
    for cycle, days in ((1, 0), (2, 2)):
        await _fired(desk, row, cycle, days)
    await desk.put(desk.piece())
    standing = await desk.triggers.check(AGENT, TRIGGER, row, "b", NOW + 3 * A_DAY)
    assert standing.due
    assert standing.over_budget_until == NOW + 7 * A_DAY
    assert (await desk.fire(3, row, NOW + 6 * A_DAY)).note == "the week's budget is spent until 2026-11-30 12:00 UTC"
    assert (await desk.fire(3, row, NOW + 7 * A_DAY)).firing


async def test_the_week_has_a_budget_of_cost(desk: Desk) -> None:
    """What improvements cost is known when they end; what cost nothing spends nothing."""
    row = of_volume(1).model_copy(update={"budget": Budget(children=100, cost=10)})
    for cycle, days, cost in ((1, 0, 7.0), (2, 1, 0.0), (3, 2, 4.0)):
        await _fired(desk, row, cycle, days, cost)
    standing = await desk.triggers.standing(AGENT, TRIGGER, row, NOW + 3 * A_DAY)
    assert standing.over_budget_until == NOW + 7 * A_DAY
    free = ROW.model_copy(update={"budget": Budget(cost=0)})
    await _fired(desk, free.model_copy(update={"detectors": row.detectors}), 4, 20)


async def test_what_failed_gives_its_evidence_back(desk: Desk) -> None:
    """It is due again as it was, and the next cycle claims it; given back twice is given back once."""
    await desk.alarmed()
    await desk.fire()
    await desk.storm(1)
    await desk.triggers.give_back(ID, ROW, NOW, "no luck")
    failed = await desk.triggers.give_back(ID, ROW, NOW, "asked again")
    assert (failed.status, failed.note) == (FiringStatus.FAILED, "no luck")
    standing = await desk.check()
    assert (standing.waiting, standing.open, standing.last) == (41, None, failed)
    assert "returns" in standing.due
    second = (await desk.fire(2)).firing
    assert second
    assert (second.cases, second.groups) == (41, ("returns",))


async def test_an_ungrouped_alarm_stands_again_too(desk: Desk) -> None:
    """Though its firing names no group."""
    row = ROW.model_copy(update={"group_by": "none"})
    await desk.alarmed(row)
    fired = (await desk.fire(row=row)).firing
    assert fired
    assert (fired.groups, fired.cases) == ((), 40)
    await desk.triggers.give_back(ID, row, NOW)
    assert (await desk.check(row)).due


async def test_what_is_given_back_and_turned_harmless_meanwhile_does_not_wait(desk: Desk) -> None:
    """As if it had never been claimed."""
    await desk.alarmed()
    await desk.fire()
    good, unknown, *_ = await desk.claims()
    await desk.put(desk.piece(0, case=good), desk.piece(None, case=unknown))
    await desk.check()
    await desk.triggers.give_back(ID, ROW, NOW)
    assert (await desk.check()).waiting == 38
    assert not {good, unknown} & set(await desk.claims())


async def test_evidence_is_given_back_without_its_row_too(desk: Desk) -> None:
    """The book may have lost the row meanwhile."""
    await desk.alarmed()
    await desk.fire()
    assert (await desk.triggers.give_back(ID, None, NOW)).status is FiringStatus.FAILED
    assert (await desk.check()).waiting == 40


@pytest.mark.parametrize(
    ("status", "consumed"),
    [(FiringStatus.PREPARED, False), (FiringStatus.RELEASED, True), (FiringStatus.REFUSED, True)],
    ids=lambda value: str(value),
)
async def test_evidence_is_consumed_by_what_is_released_or_refused(
    desk: Desk, status: FiringStatus, consumed: bool
) -> None:
    """What was only prepared claims no improvement."""
    await desk.alarmed()
    await desk.fire()
    ended = await desk.triggers.end(EndFiring(firing=ID, status=status, note="done", cost=2), NOW)
    assert (ended.status, ended.note) == (status, "done")
    assert {row.consumed_at for row in await desk.against()} == {NOW if consumed else None}


async def test_ended_twice_is_ended_once(desk: Desk) -> None:
    """The same end again changes nothing; another one is refused, and so is what nobody fired."""
    await desk.alarmed()
    await desk.fire()
    first = await desk.triggers.end(EndFiring(firing=ID, status=FiringStatus.PREPARED, note="first"), NOW)
    again = EndFiring(firing=ID, status=FiringStatus.PREPARED, note="again", cost=9)
    assert await desk.triggers.end(again, NOW) == first
    with pytest.raises(FiringEnded, match="has ended as prepared, and cannot end as refused"):
        await desk.triggers.end(EndFiring(firing=ID, status=FiringStatus.REFUSED), NOW)
    with pytest.raises(NoSuchFiring):
        await desk.triggers.end(EndFiring(firing="a/b/1", status=FiringStatus.PREPARED), NOW)
    with pytest.raises(ValueError, match="failed is no end"):
        await desk.triggers.end(EndFiring(firing=ID, status=FiringStatus.FAILED), NOW)
    assert await desk.triggers.give_back(ID, ROW, NOW) == first


async def test_broken_off_at_any_statement_a_firing_fires_whole_or_not_at_all(desk: Desk) -> None:
    """Asked again it fires, and gives back, as an undisturbed one does."""
    await desk.alarmed()
    before = await desk.everything()
    assert await _broken_off(desk, before, lambda: desk.fire()) > 5
    fired = await desk.triggers.firing(ID)
    assert fired
    assert (fired.cases, set((await desk.claims()).values())) == (40, {ID})
    claimed = await desk.everything()
    assert await _broken_off(desk, claimed, lambda: desk.triggers.give_back(ID, ROW, NOW)) > 5
    assert (await desk.check()).waiting == 40


async def test_firings_are_listed(desk: Desk) -> None:
    """The newest first, of an agent, a row, or all; an end shows."""
    row = of_volume(1)
    for cycle in (1, 2, 3):
        await _fired(desk, row, cycle, cycle)
    listed = await desk.triggers.firings(AGENT, TRIGGER, limit=2)
    assert [(f.cycle, f.status) for f in listed] == [(3, FiringStatus.PREPARED), (2, FiringStatus.PREPARED)]
    assert len(await desk.triggers.firings()) == 3
    assert await desk.triggers.firings("nobody") == await desk.triggers.firings(trigger="none") == []
    assert await desk.triggers.firing("a/b/1") is None


async def _fired(desk: Desk, row: TriggerRow, cycle: int, days: float, cost: float = 0) -> None:
    """A firing of so many days later, whose improvement has ended."""
    at = NOW + days * A_DAY
    await desk.put(desk.piece())
    await desk.check(row)
    fired = (await desk.fire(cycle, row, at)).firing
    assert fired
    await desk.triggers.end(EndFiring(firing=fired.id, status=FiringStatus.PREPARED, cost=cost), at)


async def _broken_off(desk: Desk, before: object, work: Callable[[], Awaitable[object]]) -> int:
    """Break it off at each statement in turn until it gets through; gives how many it was broken off at."""
    for statement in itertools.count(1):
        try:
            with BreakingOff(desk, statement):
                await work()
        except ConnectionError:
            assert await desk.everything() == before
        else:
            return statement - 1
    raise AssertionError
