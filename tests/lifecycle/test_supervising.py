"""What a supervisor decides between two looks: whether it fires, how long it rests, what counts as a failure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aftercare.lifecycle import supervising
from aftercare.messages.improvement import Firing, FiringStatus, GroupStanding, Supervise, TriggerStanding, Work

NOW = datetime(2026, 1, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
KNOWN = Supervise(agent="retail", trigger="override")


def firing(status: str = "started", cycle: int = 1) -> Firing:
    return Firing(
        id=f"retail/override/{cycle}",
        agent="retail",
        trigger="override",
        cycle=cycle,
        work=Work(workflow="retraining", kind="intent_classifier"),
        because="3 cases wait",
        at=NOW - HOUR,
        status=FiringStatus(status),
        cases=3,
    )


def standing(**told: Any) -> TriggerStanding:
    return TriggerStanding(agent="retail", trigger="override", at=NOW, **{"due": "3 cases wait", **told})


@pytest.mark.parametrize(
    ("told", "fires"),
    [
        ({}, True),
        ({"due": ""}, False),
        ({"paused_by": "r.meyer"}, False),
        ({"open": firing()}, False),
        ({"over_budget_until": NOW + HOUR}, False),
        ({"over_budget_until": NOW}, True),
        ({"last": firing("prepared"), "cooldown": 2 * HOUR}, False),
        ({"last": firing("prepared"), "cooldown": HOUR}, True),
    ],
)
def test_it_fires_where_it_is_due_and_nothing_speaks_against_it(told: dict[str, Any], fires: bool) -> None:
    """Neither a pause, an improvement under way, the budget, nor the cooldown."""
    seen = standing(**told)
    assert supervising.may_fire(supervising.taken_up(KNOWN, seen), seen, NOW) is fires


def test_it_rests_twice_as_long_each_time_that_nothing_comes() -> None:
    """Up to the longest; and not at all while more is there to be counted."""
    rest, rests = None, []
    for _ in range(6):
        rest = supervising.rest_after(standing(), rest, NOW)
        rests.append(rest / timedelta(minutes=1))
    assert rests == [1, 2, 4, 8, 15, 15]
    assert supervising.rest_after(standing(counted=1), rest, NOW) == timedelta(minutes=1)
    assert supervising.rest_after(standing(counted=1, more=True), rest, NOW) == timedelta(0)


def test_it_rests_no_longer_than_until_the_budget_has_room() -> None:
    """What is due fires in that moment."""
    spent = standing(over_budget_until=NOW + timedelta(seconds=7))
    assert supervising.rest_after(spent, HOUR, NOW) == timedelta(seconds=7)


def test_failures_in_a_row_are_counted_until_one_succeeds() -> None:
    """Whether a run of its own saw that or the next."""
    known = KNOWN
    for _ in range(2):
        failed = standing(last=firing("failed"))
        known = supervising.failed(supervising.taken_up(known, failed), failed, firing())
    assert known.failures == 2
    assert supervising.taken_up(known, standing(last=firing(cycle=2))).failures == 2
    assert supervising.taken_up(known, standing(last=firing("prepared", cycle=2))).failures == 0


def test_what_ended_otherwise_is_no_failure() -> None:
    """Nor is what another firing came after."""
    prepared, later = standing(last=firing("prepared")), standing(last=firing("failed", cycle=2))
    assert supervising.failed(KNOWN, prepared, firing()).failures == 0
    assert supervising.failed(KNOWN, later, firing()).failures == 0


def test_an_edited_book_is_known_by_its_time() -> None:
    """The first one is no edited one."""
    first = supervising.taken_up(KNOWN, standing(book="a"))
    assert (first.book, first.edited_at) == ("a", None)
    assert supervising.taken_up(first, standing(book="a")).edited_at is None
    assert supervising.taken_up(first, standing(book="b")).edited_at == NOW


def test_the_end_of_one_improvement_is_not_that_of_the_next() -> None:
    """A check may have found the next firing before this end was heard."""
    busy = standing(open=firing(cycle=2), last=firing(cycle=2))
    assert supervising.ended(busy, firing(), FiringStatus.PREPARED, "") == busy
    done = supervising.ended(busy, firing(cycle=2), FiringStatus.PREPARED, "all is well")
    assert done.open is None
    assert done.last
    assert (done.last.status, done.last.note) == (FiringStatus.PREPARED, "all is well")


def test_what_it_fired_for_begins_anew_in_what_is_shown() -> None:
    """Nobody reads of an alarm that was answered; another group's evidence stands."""
    groups = tuple(GroupStanding(detector="rate", group=g, evidence=9, alarmed=True) for g in ("refund", "order"))
    alarm = firing().model_copy(update={"groups": ("refund",)})
    shown = supervising.fired(standing(groups=groups, waiting=5), alarm)
    assert [(group.group, group.alarmed) for group in shown.groups] == [("refund", False), ("order", True)]
    by_volume = supervising.fired(standing(groups=groups, waiting=5, volume=5), alarm)
    assert not any(group.alarmed for group in by_volume.groups)
