"""A rehearsal: what a row would have made of evidence that is there, and how two books differ over it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from aftercare.learning.rehearsal import Beside, Rehearsal, Rehearsed, compare, looks, rehearse
from aftercare.learning.watching import Piece
from aftercare.messages.improvement import EndFiring, Firing, FiringStatus
from aftercare.messages.triggers import Budget, TriggerRow
from aftercare.store.database import Database
from tests.triggers.evidence import BY_CLAUSE, NOW, ROW, Desk, of_volume

AN_HOUR, A_DAY = timedelta(hours=1), timedelta(days=1)


def going(*values: float | None, first: int = 0, intent: str = "returns", **told: Any) -> list[Piece]:
    """Cases an hour apart, each with one piece of evidence."""
    return [
        Piece(
            **{
                "case_id": f"case-{first + n:05}",
                "id": "computed/override/1",
                "kind": "override",
                "value": value,
                "intent": intent,
                "release": "r1",
                "at": NOW + (first + n) * AN_HOUR,
                **told,
            }
        )
        for n, value in enumerate(values)
    ]


def shifted(quiet: int = 60, bad: int = 40) -> list[Piece]:
    """Cases that go well, and then cases that do not."""
    return going(*[0.0] * quiet, *[1.0] * bad)


def row(**edited: Any) -> TriggerRow:
    """The row of the tests, edited."""
    return ROW.model_copy(update=edited)


def fired(number: int, *groups: str) -> Rehearsed:
    """A firing at a case."""
    return Rehearsed(NOW + number * AN_HOUR, f"case-{number}", number, groups, "because", 1)


def told(firings: Iterable[Firing | Rehearsed]) -> list[tuple[tuple[str, ...], str, int]]:
    """What firings say: where, why and of how many cases."""
    return [(one.groups, one.because, one.cases) for one in firings]


def test_a_shift_would_have_fired() -> None:
    """At the case that was enough, for the group that shifted, claiming what counts against the agent until then."""
    first, *_ = rehearse(ROW, shifted())
    assert (first.groups, first.at, first.case) == (
        ("returns",),
        NOW + (first.number_of_case - 1) * AN_HOUR,
        first.case,
    )
    assert 61 < first.number_of_case < 75
    assert first.cases == first.number_of_case - 60
    assert first.because.startswith("override or escalation in returns: ")


def test_what_goes_as_usual_fires_nothing() -> None:
    """However long it goes on, where the cases against the agent are as many as before."""
    assert rehearse(row(tolerated=3_000), going(*[1.0 if n % 20 == 0 else 0.0 for n in range(2_000)])) == []


def test_a_cooldown_holds_back_until_it_is_over() -> None:
    """It fires at the moment when it may, and not only with the next case; what waits by then is claimed."""
    quick, slow = rehearse(ROW, shifted()), rehearse(row(cooldown=A_DAY), shifted())
    assert quick[0] == slow[0]
    assert slow[1].at == slow[0].at + A_DAY > quick[1].at
    assert slow[1].cases > quick[1].cases


def test_what_is_held_back_at_the_end_is_said() -> None:
    """As due, with its reason; time alone lets it fire."""
    rehearsal = Rehearsal(row(cooldown=30 * A_DAY))
    for pieces in looks(shifted()):
        rehearsal.take(pieces)
    assert len(rehearsal.fired) == 1
    assert rehearsal.held_back.startswith("override or escalation in returns: 100%")
    rehearsal.until(NOW + 60 * A_DAY)
    assert (len(rehearsal.fired), rehearsal.held_back) == (2, "")


def test_a_budget_counts_the_children_of_seven_days() -> None:
    """The third of a week waits until the first is seven days old."""
    first, second, third, *_ = rehearse(row(budget=Budget(children=2)), shifted(bad=400))
    assert second.at - first.at < A_DAY
    assert third.at == first.at + 7 * A_DAY


def test_a_volume_claims_everything() -> None:
    """Of all groups; the next so many make the next firing."""
    mixed = [piece for n in range(12) for piece in going(1.0, first=n, intent=("returns", "refunds")[n % 2])]
    firings = rehearse(of_volume(5), mixed)
    assert [(one.groups, one.cases, one.number_of_case) for one in firings] == [((), 5, 5), ((), 5, 10)]


def test_what_turned_harmless_waits_no_more() -> None:
    """A piece that comes again with another value is told by its last one."""
    again = [*going(1.0, 1.0), *going(0.0, at=NOW + 2 * AN_HOUR), *going(1.0, 1.0, first=3)]
    assert [one.number_of_case for one in rehearse(of_volume(4), again)] == []
    assert [one.number_of_case for one in rehearse(of_volume(4), [*again, *going(1.0, first=9)])] == [6]


def test_what_nobody_knows_is_no_evidence() -> None:
    """A null is no case against the agent and none for it."""
    assert rehearse(of_volume(3), going(None, 1.0, None, 1.0, None)) == []


def test_clauses_fire_by_themselves() -> None:
    """A burst of one clause claims the cases that name it, those that name others beside it too."""
    quiet = going(*[1.0] * 60, kind="policy_audit")
    broken = [
        piece
        for n in range(40)
        for piece in going(0.0, first=60 + n, kind="policy_audit", clauses=("c.1", "c.2") if n == 3 else ("c.1",))
    ]
    first, *_ = rehearse(BY_CLAUSE, [*quiet, *broken])
    assert (first.groups, first.cases) == (("c.1",), first.number_of_case - 60)


def test_a_look_finds_what_a_case_told_within_a_minute() -> None:
    """Other cases, and what it told later, are other looks."""
    together = [*going(1.0), *going(0.0, kind="escalation", at=NOW + timedelta(seconds=59))]
    later = going(1.0, kind="escalation", at=NOW + timedelta(minutes=2))
    assert [len(look) for look in looks([*together, *later, *going(1.0, first=1)])] == [2, 1, 1]


@pytest_asyncio.fixture(loop_scope="session")
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A store on one database: which one makes no difference to a rehearsal."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}")
    await database.migrate()
    yield Desk(database)
    await database.close()


async def checked(desk: Desk, row: TriggerRow, pieces: Iterable[Piece]) -> list[Firing]:
    """What supervisors would fire who check after each case."""
    firings: list[Firing] = []
    for look in looks(pieces):
        await desk.put(
            *(
                desk.piece(p.value, case=p.case_id, kind=p.kind, intent=p.intent, received_at=p.at, id=p.id)
                for p in look
            )
        )
        standing = await desk.check(row)
        if standing.due and (firing := (await desk.fire(len(firings) + 1, row, look[-1].at)).firing):
            firings.append(firing)
            await desk.triggers.end(EndFiring(firing=firing.id, status=FiringStatus.PREPARED), look[-1].at)
    return firings


def mixed() -> Iterator[Piece]:
    """Two intents, of which one shifts, and handovers beside the corrections."""
    for n in range(110):
        shifts = n % 2 == 0 and n >= 70
        yield from going(float(shifts or n % 20 == 0), first=n, intent=("returns", "refunds")[n % 2])
        yield from going(float(n % 15 == 0), first=n, intent=("returns", "refunds")[n % 2], kind="escalation", id="e")


@pytest.mark.parametrize("volume", [1_000, 9], ids=["by alarm", "by volume too"])
async def test_a_rehearsal_says_what_supervisors_do(desk: Desk, volume: int) -> None:
    """Check for check: the same firings, with the same reasons, claiming as many cases."""
    watched = of_volume(volume)
    firings = await checked(desk, watched, mixed())
    assert firings
    assert told(firings) == told(rehearse(watched, mixed()))


def test_firings_are_told_apart_by_cases() -> None:
    """Earlier, later, as before; new, and gone."""
    edited = [fired(100, "a"), fired(300, "b"), fired(500, "a"), fired(700)]
    in_force = [fired(120, "a"), fired(290, "b"), fired(500, "a", "c"), fired(900, "c")]
    compared = compare(edited, in_force)
    assert [one.earlier for one in compared] == [20, -10, 0, None, None]
    assert (compared[3].in_force, compared[4].edited) == (None, None)


def test_the_nearest_stand_for_each_other() -> None:
    """An early firing that is new does not take the place of the one that was there."""
    new, there = compare([fired(100, "a"), fired(900, "a")], [fired(910, "a")])
    assert (new.in_force, there.earlier) == (None, 10)


def test_what_was_held_back_stands_for_nothing_long_before() -> None:
    """It fires with the last case's number, however much later: the times tell which two belong together."""
    later = replace(fired(510, "a"), at=NOW + 30 * A_DAY)
    (first, second) = compare([fired(500, "a")], [fired(440, "a"), later])
    assert (first.earlier, second.edited) == (-60, None)


def test_both_books_see_the_same_cases() -> None:
    """Also where they count different evidence: else numbers of cases could not be compared."""
    fewer = row(evidence={"override": ROW.evidence["override"]})
    beside = Beside(fewer, ROW)
    for look in looks(mixed()):
        beside.take(look)
    assert beside.edited
    assert beside.in_force
    assert beside.cases == beside.edited.cases == beside.in_force.cases == 110


def test_a_row_that_did_not_change_is_rehearsed_once() -> None:
    """It fires as it does now; one that is gone fires no more."""
    same, gone = Beside(ROW, ROW.model_copy()), Beside(None, ROW)
    for beside in (same, gone):
        for look in looks(shifted()):
            beside.take(look)
    assert same.edited is same.in_force
    assert {one.earlier for one in same.compared()} == {0}
    assert gone.edited is None
    assert [one.edited for one in gone.compared()] == [None] * len(same.compared())
