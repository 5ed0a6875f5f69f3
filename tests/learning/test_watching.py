"""A row at work: what it counts against the agent, what it observes, and what its states promise."""

from __future__ import annotations

from itertools import chain
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aftercare.learning.watching import Against, Kept, Key, Piece, Watch, because
from aftercare.messages.triggers import Baseline, Burst, Counts, Mean, Rate, Volume
from tests.learning.cases import CLAUSES, MEAN, RATE, ROWS, SLOW, batches, first_alarm, piece, row, stored, told

PATIENT = row("override", group_by="intent", tolerated=1_000)
each_row = pytest.mark.parametrize("name", list(ROWS))


@each_row
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_it_does_not_matter_how_evidence_is_cut_into_takes(name: str, data: st.DataObject) -> None:
    """All at once, or bit by bit through a store: the same states and the same pieces against the agent."""
    cut = data.draw(batches(ROWS[name]))
    whole = Watch(ROWS[name])
    at_once = whole.take(list(chain(*cut)))
    states: dict[Key, Kept] = {}
    bit_by_bit: list[Against] = []
    for batch in cut:
        watch = Watch(ROWS[name], dict(reversed(states.items())))
        bit_by_bit += watch.take(batch)
        states = stored(watch, states)
    assert (bit_by_bit, states) == (at_once, stored(whole))


@each_row
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_what_is_unknown_is_never_observed(name: str, data: st.DataObject) -> None:
    """A piece without a value changes no state, and counts against nobody."""
    pieces = list(chain(*data.draw(batches(ROWS[name]))))
    # Of a case that is known in part, intent and release are those of its last piece, whatever that says.
    unknown = {p.case_id for p in pieces} - {p.case_id for p in pieces if p.value is not None}
    with_them, without = Watch(ROWS[name]), Watch(ROWS[name])
    assert with_them.take(pieces) == without.take([p for p in pieces if p.case_id not in unknown])
    assert stored(with_them) == stored(without)


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=60))
@settings(deadline=None)
def test_what_lies_beyond_the_bounds_is_cut(values: list[float]) -> None:
    """A score of 9 stars is one of 5."""
    wild, tame = Watch(MEAN), Watch(MEAN)
    wild.take([piece(n, "csat", value) for n, value in enumerate(values)])
    tame.take([piece(n, "csat", min(max(value, 1), 5)) for n, value in enumerate(values)])
    assert stored(wild) == stored(tame)


def test_a_case_is_one_observation_whatever_is_said_about_it() -> None:
    """Overridden and escalated: it counts once."""
    watch = Watch(row("override", "escalation"))
    against = watch.take([piece("a", "override"), piece("a", "escalation"), piece("b", "override", 0)])
    assert [one.piece.kind for one in against] == ["override", "escalation"]
    assert [(s.cases, s.baseline) for s in watch.standings()] == [(2, 0.5)]


@pytest.mark.parametrize(
    ("group_by", "group"), [("intent", "cancel"), ("release", "r1"), ("none", ""), ("clause", ",c.1,c.2,")]
)
def test_what_counts_against_the_agent_stands_under_its_group(group_by: Any, group: str) -> None:
    """The intent, the release, nothing; or all clauses, so that each of them is found."""
    of = CLAUSES if group_by == "clause" else row("override", group_by=group_by)
    kind, value = ("policy_audit", 0) if group_by == "clause" else ("override", 1)
    (found,) = Watch(of).take([piece("a", kind, value, clauses=("c.2", "c.1"))])
    assert found.group == group


def test_a_case_stands_under_the_intent_that_is_known_last() -> None:
    """It was taken for something else before."""
    watch = Watch(RATE)
    against = watch.take([piece("a", id="1", intent="refund"), piece("a", id="2")])
    assert {one.group for one in against} == {s.group for s in watch.standings()} == {"cancel"}


def test_slow_is_what_lies_beyond_the_usual_of_its_intent() -> None:
    """Nobody says in seconds what is slow; before enough is known, nothing is."""
    watch = Watch(SLOW)
    assert watch.take([piece(n, "handling_time", 60 + n % 10) for n in range(100)]) == []
    slow, usual, other = piece("x", "handling_time", 70), piece("y", "handling_time", 69), {"intent": "refund"}
    assert [one.piece for one in watch.take([slow, usual])] == [slow]
    assert watch.take([piece("z", "handling_time", 70, **other)]) == []


@pytest.mark.parametrize("minimum", [1, 25, 40])
def test_nothing_alarms_before_the_minimum_sample(minimum: int) -> None:
    """However bad it is from then on, or was from the start."""
    watch = Watch(row("override", minimum_sample=minimum, baseline=Baseline(cases=1_000)))
    alarm = first_alarm(watch, told([(20, 0.0), (200, 1.0)], seed=1))
    assert alarm is not None
    assert alarm > minimum


def test_a_change_of_the_declaration_begins_anew() -> None:
    """What was learned under another declaration is not held against this one."""
    watch = Watch(RATE)
    watch.take(told([(50, 0.1)], seed=2))
    changes: list[dict[str, Any]] = [
        {"detectors": (Rate(notice=3),)},
        {"baseline": Baseline(cases=30)},
        {"evidence": {"override": Counts(at_least=0.5)}},
        {"group_by": "none"},
    ]
    for change in changes:
        assert Watch(RATE.model_copy(update=change), stored(watch)).standings() == ()


def test_what_is_not_of_the_detector_changes_nothing_it_has_learned() -> None:
    """How many false alarms are tolerated, what starts, and a volume beside it."""
    watch = Watch(RATE)
    watch.take(told([(50, 0.1)], seed=2))
    changes = {"tolerated": 20, "minimum_sample": 50, "says": "Else.", "detectors": (*RATE.detectors, Volume(cases=5))}
    (after,) = Watch(RATE.model_copy(update=changes), stored(watch)).standings()
    assert after.cases == 50
    assert after.threshold == 20


def alarmed() -> Watch:
    """Two intents, of which one has alarmed."""
    watch = Watch(PATIENT)
    watch.take(told([(60, 0.05)], seed=3, intent="refund"))
    watch.take(told([(60, 0.05), (60, 0.8)], seed=3))
    assert watch.alarmed() == ("cancel",)
    return watch


def test_what_fired_begins_anew_and_keeps_its_baseline() -> None:
    """No alarm and no evidence is left of the group that fired; another one's stays."""
    watch = alarmed()
    before = {s.group: s for s in watch.standings()}
    watch.begin_anew(["cancel"])
    after = {s.group: s for s in watch.standings()}
    assert watch.alarmed() == ()
    assert (after["cancel"].evidence, after["cancel"].statistic) == (0, None)
    assert (after["cancel"].baseline, after["cancel"].cases) == (before["cancel"].baseline, before["cancel"].cases)
    assert after["refund"] == before["refund"]


def test_what_was_given_back_alarms_again_under_the_release_that_alarmed() -> None:
    """A store lies between, and another release of the same intent stays silent."""
    watch = alarmed()
    watch.take(told([(60, 0.05)], seed=3, release="r2"))
    watch.begin_anew(None)
    again = Watch(PATIENT, stored(watch))
    again.alarm_again(["cancel"])
    assert {(s.group, s.release) for s in again.standings() if s.alarmed} == {("cancel", "r1")}
    assert set(again.changed()) == {Key("rate", "r1", "cancel")}


def test_an_alarm_that_waits_is_told_by_the_cases_it_rests_on() -> None:
    """All is well again before the cooldown ends, or the firing failed: what fired is what was seen then."""
    watch = alarmed()
    before = told_of(watch)
    assert "override in cancel: 8" in before
    watch.take(told([(300, 0)], seed=4))
    assert told_of(watch) == before
    watch.begin_anew(["cancel"])
    again = Watch(PATIENT, stored(watch))
    again.alarm_again(["cancel"])
    assert told_of(again) == before


def test_an_alarm_of_which_nothing_else_is_known_says_so() -> None:
    """A firing of long ago, given back to a group that began anew since."""
    watch = Watch(PATIENT)
    watch.take(told([(60, 0)], seed=3))
    watch.begin_anew(None)
    watch.alarm_again(["cancel"])
    assert told_of(watch) == "override in cancel: an alarm whose cases came back from an improvement that failed"


def told_of(watch: Watch) -> str:
    """What people are told about the groups that alarm, up to what has become usual."""
    return because(watch.row, [s for s in watch.standings() if s.alarmed], 0).split(", usually")[0]


def test_what_began_anew_alarms_again_only_by_new_evidence() -> None:
    """What was claimed is not counted twice; but what stays bad is seen again."""
    watch = alarmed()
    watch.begin_anew(["cancel"])
    assert first_alarm(watch, told([(200, 0.05)], seed=4)) is None
    assert first_alarm(watch, told([(60, 0.8)], seed=5)) is not None


def test_only_what_changed_is_written() -> None:
    """A check costs what it counts: no state is written that nothing was counted for."""
    watch = Watch(RATE)
    watch.take(told([(30, 0.1)], seed=6) + told([(30, 0.1)], seed=6, intent="refund"))
    again = Watch(RATE, stored(watch))
    assert again.changed() == {}
    again.take([piece("new", intent="refund")])
    assert set(again.changed()) == {Key("rate", "r1", "refund")}


def test_the_nearest_to_its_threshold_stands_first() -> None:
    """An operator reads from above."""
    ratios = [s.evidence / s.threshold for s in alarmed().standings()]
    assert ratios == sorted(ratios, reverse=True)
    assert len(ratios) == 2


def test_the_threshold_grows_with_what_one_case_advances() -> None:
    """Two detectors, or three clauses: so many chances of a false alarm with each case."""
    two = Watch(SLOW)
    two.take([piece(1, "handling_time", 60), piece(1, "override", 0)])
    assert {s.threshold for s in two.standings()} == {20}
    clauses = Watch(CLAUSES)
    for n, named in enumerate([("c.1",), (), ("c.2", "c.3"), ("c.1",)]):
        clauses.take([piece(n, "policy_audit", float(not named), clauses=named)])
    assert {(s.group, s.threshold) for s in clauses.standings()} == {("c.1", 30), ("c.2", 30), ("c.3", 30)}


def test_every_audited_case_is_one_for_every_clause() -> None:
    """A clause that is first broken late has been kept in all the cases before; that first time is no evidence."""
    watch = Watch(CLAUSES)
    watch.take([piece(n, "policy_audit", 1) for n in range(99)])
    watch.take([piece("late", "policy_audit", 0, clauses=("c.9",))])
    (standing,) = watch.standings()
    assert (standing.group, standing.cases, standing.evidence, standing.alarmed) == ("c.9", 100, 0, False)


def test_a_burst_alarms_for_its_clause_alone() -> None:
    """Others that are broken as seldom as ever do not."""
    watch = Watch(row("policy_audit", group_by="clause", detectors=(Burst(),), tolerated=300))
    clause = dict.fromkeys(range(0, 200, 40), ("c.1",)) | dict.fromkeys(range(200, 260, 3), ("c.2",))
    watch.take([piece(n, "policy_audit", float(n not in clause), clauses=clause.get(n, ())) for n in range(260)])
    assert watch.alarmed() == ("c.2",)


def test_a_mean_notices_what_is_worse_and_not_what_is_better() -> None:
    """Low is worse for satisfaction, high for a count."""
    good, bad = Watch(MEAN), Watch(MEAN)
    before = [piece(f"b{n}", "csat", 3 + n % 2) for n in range(60)]
    for watch, value in ((good, 5.0), (bad, 2.0)):
        watch.take([*before, *(piece(n, "csat", value) for n in range(100))])
    assert (good.alarmed(), bad.alarmed()) == ((), ("",))
    high = Watch(row("wait", detectors=(Mean(notice=1, within=(0, 10)),)))
    high.take([piece(n, "wait", 2 + n % 2 + 4 * (n > 60)) for n in range(160)])
    assert high.alarmed() == ("",)
    (standing,) = bad.standings()
    assert standing.baseline == pytest.approx(3.5)
    assert standing.lately == pytest.approx(2)


def test_a_mean_of_what_has_no_bounds_is_refused() -> None:
    """Nothing could be said of its false alarms."""
    with pytest.raises(ValueError, match="needs bounds"):
        Watch(row("handling_time", detectors=(Mean(notice=1),)))


def test_a_piece_without_an_intent_has_a_group_of_its_own() -> None:
    """Nothing is lost for want of a name."""
    (found,) = Watch(RATE).take([piece("a", intent="")])
    assert found == Against(piece("a", intent=""), "")
    assert isinstance(found.piece, Piece)
