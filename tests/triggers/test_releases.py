"""Releases come and go, and what is known of each stays: it costs nothing until it is needed, and is not forgotten."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event, true

from aftercare.messages.improvement import EndFiring, FiringStatus, TriggerStanding
from aftercare.messages.triggers import Burst, TriggerRow
from aftercare.store.states import STATE, states
from aftercare.store.triggers import Triggers
from tests.triggers.evidence import AGENT, BOOK, BY_CLAUSE, NOW, ROW, TRIGGER, Desk, of_volume
from tests.triggers.test_plans import plan_of

INTENTS = ("returns", "billing", "delivery")
MANY = [f"old-{number}" for number in range(40)]


class Reading:
    """Which states are read meanwhile: what is asked for is asked once more, to be counted."""

    def __init__(self, desk: Desk) -> None:
        self._engine = desk.database.engine
        self._asked: list[tuple[str, Any]] = []

    def __enter__(self) -> Reading:
        event.listen(self._engine.sync_engine, "before_cursor_execute", self._note)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(self._engine.sync_engine, "before_cursor_execute", self._note)

    def _note(self, _connection: Any, _cursor: Any, statement: str, parameters: Any, *_: object) -> None:
        if statement.startswith("SELECT") and "FROM detector" in statement:
            self._asked.append((statement, parameters))

    async def states(self) -> int:
        """How many rows were read."""
        async with self._engine.connect() as connection:
            return sum([len((await connection.exec_driver_sql(*asked)).all()) for asked in self._asked])


async def _past(desk: Desk, releases: list[str], row: TriggerRow = ROW, **told: Any) -> None:
    """A little evidence under each of these, and then under the one in force."""
    for release in [*releases, "now"]:
        await desk.put(*(desk.piece(0, release=release, intent=intent, **told) for intent in INTENTS))
        await desk.check(row)


async def _read_by(desk: Desk, row: TriggerRow = ROW) -> list[int]:
    """By a check without evidence, one with a new case, and a look at the standing."""
    read = []
    for pieces in ([], [desk.piece(0, release="now")]):
        await desk.put(*pieces)
        with Reading(desk) as reading:
            await desk.check(row)
        read.append(await reading.states())
    with Reading(desk) as reading:
        await desk.triggers.standing(AGENT, TRIGGER, row, NOW)
    return [*read, await reading.states()]


async def test_a_check_reads_no_more_for_the_releases_of_the_past(desk: Desk) -> None:
    """What is read is what is known under the releases seen last, however many there were before."""
    await _past(desk, MANY[:3])
    few = await _read_by(desk)
    await _past(desk, MANY[3:])
    assert await _read_by(desk) == few
    assert max(few) <= 3 * len(INTENTS) + len(INTENTS) + 5


async def test_an_alarm_of_an_old_release_still_fires(desk: Desk) -> None:
    """However many came after it, and it alarms again where its improvement fails."""
    await desk.quiet(release="first")
    await desk.storm(release="first")
    await desk.check()
    await _past(desk, MANY[:8])
    standing = await desk.check()
    assert [(g.release, g.group) for g in standing.groups if g.alarmed] == [("first", "returns")]
    fired = (await desk.fire()).firing
    assert fired
    assert (fired.groups, fired.cases, fired.because) == (("returns",), 40, standing.due)
    assert not (await desk.check()).due
    await _past(desk, MANY[8:12])
    await desk.triggers.give_back(fired.id, ROW, NOW)
    again = await desk.check()
    assert [(g.release, g.group) for g in again.groups if g.alarmed] == [("first", "returns")]
    assert again.due


async def test_an_alarm_of_an_old_release_is_told_with_its_own_threshold(desk: Desk) -> None:
    """Which rests on how many clauses were under watch then."""
    await desk.quiet(60, 1, kind="policy_audit", release="first")
    await desk.put(desk.piece(0, kind="policy_audit", release="first", payload={"clauses": ["1", "2", "3"]}))
    await desk.storm(40, 0, kind="policy_audit", release="first", payload={"clauses": ["2"]})
    before = await desk.check(BY_CLAUSE)
    await _past(desk, MANY[:5], BY_CLAUSE, kind="policy_audit")
    after = await desk.check(BY_CLAUSE)
    assert isinstance(BY_CLAUSE.detectors[0], Burst)
    assert before.due
    assert [g for g in after.groups if g.release == "first"] == [g for g in before.groups if g.release == "first"]


@pytest.mark.parametrize("everything", [True, False], ids=["volume", "alarm"])
async def test_releases_that_nobody_looks_at_begin_anew_with_the_others(desk: Desk, everything: bool) -> None:
    """With a firing by volume all do, with an alarm its groups: seen when evidence of the old release comes again."""
    for intent in ("returns", "billing"):
        await desk.quiet(release="first", intent=intent)
        await desk.quiet(30, release="first", intent=intent)
    await _past(desk, MANY[:5])
    before = {g.group: g for g in await _of_first(desk)}
    if everything:
        await desk.put(desk.piece(release="now"))
        await desk.check()
    else:
        await desk.quiet(release="now")
        await desk.storm(release="now")
        assert (await desk.check()).due
    assert (await desk.fire(row=of_volume(1) if everything else ROW)).firing
    after = {g.group: g for g in await _of_first(desk)}
    assert before["returns"].evidence > after["returns"].evidence == 0
    assert (after["billing"].evidence == 0) == everything
    assert after["returns"].baseline == before["returns"].baseline
    assert after["returns"].cases == before["returns"].cases


async def test_what_began_anew_unread_begins_anew_once(desk: Desk) -> None:
    """What comes after the firing is kept with the next check, and counts."""
    await desk.quiet(release="first")
    await _past(desk, MANY[:5])
    await desk.put(desk.piece(release="now"))
    await desk.check(of_volume(1))
    assert (await desk.fire(row=of_volume(1))).firing
    await desk.triggers.end(EndFiring(firing=f"{AGENT}/{TRIGGER}/1", status=FiringStatus.PREPARED), NOW)
    for _ in range(40):
        await desk.storm(1, release="first")
        standing = await desk.check()
    assert "returns" in standing.due


async def test_alarms_are_found_by_their_own_index(desk: Desk) -> None:
    """Not by passing over what does not alarm."""
    await _past(desk, MANY)
    async with desk.database.engine.begin() as connection:
        await connection.exec_driver_sql("ANALYZE")
    assert "ix_detector_alarmed" in await plan_of(desk, states(AGENT, TRIGGER, STATE.alarmed == true()))


async def _of_first(desk: Desk) -> Any:
    """How the first release stands, once evidence of it has come again that tells nothing."""
    await desk.put(*(desk.piece(None, release="first", intent=intent) for intent in ("returns", "billing")))
    standing: TriggerStanding = await Triggers(desk.database).check(AGENT, TRIGGER, ROW, BOOK, NOW)
    return [g for g in standing.groups if g.release == "first"]
