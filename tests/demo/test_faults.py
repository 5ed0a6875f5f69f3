"""Which faults a run draws: as asked for, the same for the same seed, and never two that could be taken for one."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from aftercare.demo.faults import BadFaults, Faults, drawn
from aftercare.demo.shop.messages import FaultPlan, JournalEntry

WITHIN = timedelta(seconds=20)
ALL = "drop=0.15,wrong=0.15,slow=0.1,eventual=0.1,down=0.05"


def journal(*accepted: bool) -> list[JournalEntry]:
    told = {"tool": "t", "arguments": {}, "by": "agent", "at": datetime.now(UTC), "reason": None, "changed": []}
    return [JournalEntry(operation=f"op-{n}", accepted=a, **told) for n, a in enumerate(accepted, 1)]


def plans(faults: Faults, cases: int = 2_000) -> list[FaultPlan]:
    return [faults.plan(f"case-{n}", journal(True, False, True), WITHIN) for n in range(cases)]


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("lost=0.1", "no fault 'lost'; there are drop, wrong, eventual, slow, down"),
        ("drop=much", "'much' is no number"),
        ("drop", "'' is no number"),
        ("drop=1.5", "between 0 and 1"),
        ("drop=-0.1", "between 0 and 1"),
        ("drop=nan", "between 0 and 1"),
        ("drop=0.1,drop=0.2", "names drop twice"),
        ("drop=0.6,wrong=0.5", "come to 1.1"),
        ("slow=0.9,down=0.2", "come to 1.1"),
        ("", "names no fault"),
    ],
)
def test_faults_that_cannot_be_drawn_are_refused_with_the_reason(told: str, why: str) -> None:
    """Whoever mistyped a fault is told which one, and what there is."""
    with pytest.raises(BadFaults, match=why):
        drawn(told)


def test_the_same_seed_draws_the_same_faults() -> None:
    """In any order, as often as one likes; another seed draws others."""
    assert plans(drawn(ALL, 1)) == plans(drawn(" slow=0.1, down=0.05, drop=0.15,wrong=0.15 ,eventual=0.1", 1))
    assert plans(drawn(ALL, 1)) != plans(drawn(ALL, 2))


def test_about_as_many_faults_are_drawn_as_asked_for() -> None:
    """The shares of writes are of the accepted writes of cases that can be read in time."""
    drawn_for = plans(drawn(ALL))
    of_cases = Counter("slow" if p.slow else "down" if p.down_after else "none" for p in drawn_for)
    assert of_cases["slow"] == pytest.approx(200, abs=50)
    assert of_cases["down"] == pytest.approx(100, abs=40)
    kinds = Counter(fault.kind for p in drawn_for for fault in p.writes.values())
    assert kinds["drop"] == pytest.approx(0.15 * 2 * of_cases["none"], abs=90)
    assert kinds["wrong"] == pytest.approx(0.15 * 2 * of_cases["none"], abs=90)
    assert kinds["eventual"] == pytest.approx(0.1 * 2 * of_cases["none"], abs=80)


def test_a_case_that_is_slow_or_down_has_no_other_fault() -> None:
    """What verification makes of it has one cause."""
    assert not [p for p in plans(drawn(ALL)) if p.writes and (p.slow or p.down_after is not None)]


def test_only_accepted_writes_have_faults_and_down_comes_after_the_last_attempt() -> None:
    """A refused write has nothing to lose; but the agent is left in peace until its last one."""
    assert {number for p in plans(drawn("drop=1"), 50) for number in p.writes} == {1, 3}
    assert {p.down_after for p in plans(drawn("down=1"), 50)} == {3}


def test_a_case_without_an_accepted_write_has_no_fault() -> None:
    """There is nothing to verify, so nothing would show."""
    assert drawn("drop=1,down=1").plan("case-1", journal(False, False), WITHIN) == FaultPlan()


def test_what_comes_late_comes_well_before_the_deadline() -> None:
    """An effect that is only late has the time to be seen."""
    for within in (timedelta(seconds=4), timedelta(minutes=10)):
        plan = drawn("eventual=1").plan("case-1", journal(True), within)
        assert 0 < plan.writes[1].shows_after <= min(within / 4, timedelta(seconds=3)).total_seconds()
