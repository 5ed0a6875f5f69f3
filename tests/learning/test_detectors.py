"""The detectors keep what they promise: few false alarms where nothing changes, and a shift is seen soon.

By simulation with fixed seeds; `aftercare bench triggers` measures the same with more of them.
"""

from __future__ import annotations

from random import Random
from statistics import fmean, median
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercare.learning.edetector import LEAST, SIZES, grown, stakes_on_mean, stakes_on_rate
from aftercare.learning.watching import Piece, Watch
from aftercare.messages.triggers import Baseline, Burst, Counts, Mean, Quantile, Rate, TriggerRow
from tests.learning.cases import first_alarm, piece, row, told

usual = st.floats(0.001, 0.95)
notices = st.floats(1.05, 20)
TRUSTED: dict[str, Any] = {"baseline": Baseline(cases=300, sure=0.95), "tolerated": 3_000, "minimum_sample": 100}
RATE = row("override", group_by="intent", **TRUSTED)


@given(usual, notices)
def test_a_bet_on_a_rate_gains_nothing_while_nothing_is_worse(at_most: float, notice: float) -> None:
    """On average 1 at the usual rate and less below it; and no single case takes all the evidence."""
    for stake in stakes_on_rate(at_most, notice):
        lost, won = 1 - stake * at_most, 1 + stake * (1 - at_most)
        assert lost >= LEAST - 1e-9
        assert at_most * won + (1 - at_most) * lost == pytest.approx(1)
        assert stake >= 0


@given(usual, st.floats(0.001, 1), st.floats(0, 0.25))
def test_a_bet_on_a_mean_stays_positive(at_most: float, notice: float, variance: float) -> None:
    """Whatever comes between the bounds; its average at the usual mean is 1 by being linear."""
    assert all(1 - stake * at_most >= LEAST - 1e-9 for stake in stakes_on_mean(at_most, notice, variance))


def test_evidence_grows_as_shiryaev_and_roberts_have_it() -> None:
    """(1 + R) times the bet, for each size of shift."""
    assert grown([3.0] * len(SIZES), [0.0, 1.0, 2.0, 3.0], 0.5) == [4.0, 6.0, 8.0, 10.0]


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.4])
def test_it_takes_as_long_as_tolerated_until_a_false_alarm(rate: float) -> None:
    """With the usual rate known, on average over 150 runs; that is the theorem, and no tuning can break it."""
    stakes, tolerated = stakes_on_rate(rate, 2), 200
    assert fmean(_cases_until(tolerated, rate, stakes, seed) for seed in range(150)) >= tolerated


def _cases_until(threshold: float, rate: float, stakes: tuple[float, ...], seed: int) -> int:
    random, evidence, cases = Random(seed), [0.0] * len(SIZES), 0  # noqa: S311 - a die, not a secret
    while sum(evidence) / len(evidence) < threshold:
        evidence = grown(evidence, stakes, (random.random() < rate) - rate)
        cases += 1
    return cases


@pytest.mark.parametrize("rate", [0.02, 0.1])
def test_a_rate_that_does_not_change_seldom_alarms(rate: float) -> None:
    """The usual rate is learned from the same cases; at most 15 of 100, where 0.10 is promised."""
    alarms = [first_alarm(Watch(RATE), told([(2_300, rate)], seed)) for seed in range(60)]
    assert sum(alarm is not None for alarm in alarms) <= 9


def test_a_rate_that_goes_from_2_to_10_percent_is_seen_within_90_cases() -> None:
    """In the median, where the usual rate had to be learned."""
    delays = [first_alarm(Watch(RATE), told([(800, 0.02), (600, 0.10)], seed)) or 10_000 for seed in range(40)]
    assert median(delay - 800 for delay in delays if delay > 800) <= 90


def test_what_is_worse_while_a_group_still_learns_does_not_become_usual() -> None:
    """The first 150 cases at 2%, and then 20% for ever: it is seen, though half of what was to be learned is bad."""
    delays = [first_alarm(Watch(RATE), told([(150, 0.02), (700, 0.20)], seed)) for seed in range(40)]
    assert sum(delay is not None for delay in delays) >= 36


def test_a_small_group_is_lent_what_others_know() -> None:
    """Judged from its first cases on, its usual rate lies nearer to theirs than its own few cases could tell."""
    of = row("override", group_by="intent", **TRUSTED | {"minimum_sample": 20})
    alone, among = Watch(of), Watch(of)
    among.take(told([(300, 0.02)], 1, intent="refund") + told([(300, 0.02)], 2, intent="return"))
    shift = told([(40, 0.0), (150, 0.4)], 3)
    late, soon = first_alarm(alone, shift), first_alarm(among, shift)
    assert late is not None
    assert soon is not None
    assert soon < late


def test_many_intents_share_the_false_alarms_of_one_row() -> None:
    """Twelve of different usual rates: each case advances one of them, so that the row alarms no more often."""
    alarms = [first_alarm(Watch(RATE), _of_many_intents(seed, 4_000)) for seed in range(25)]
    assert sum(alarm is not None for alarm in alarms) <= 8


def _of_many_intents(seed: int, cases: int) -> list[Piece]:
    random = Random(seed)  # noqa: S311 - a die, not a secret
    rates = [0.01 + 0.01 * n for n in range(12)]
    intents = random.choices(range(12), [1 / (n + 1) for n in range(12)], k=cases)
    return [piece(n, value=float(random.random() < rates[i]), intent=str(i)) for n, i in enumerate(intents)]


SHIFTS: dict[str, tuple[TriggerRow, Any, Any]] = {
    "mean": (
        row("csat", detectors=(Mean(notice=0.5),), **TRUSTED),
        lambda r: piece(0, "csat", r.choices([5, 4, 3, 2, 1], [53, 27, 11, 5, 4])[0]),
        lambda r: piece(0, "csat", r.choices([5, 4, 3, 2, 1], [30, 25, 20, 13, 12])[0]),
    ),
    "quantile": (
        row("handling_time", detectors=(Quantile(),), **TRUSTED),
        lambda r: piece(0, "handling_time", r.lognormvariate(5, 0.7)),
        lambda r: piece(0, "handling_time", r.lognormvariate(5.7, 0.7)),
    ),
    "burst": (
        row("policy_audit", group_by="clause", detectors=(Burst(),), **TRUSTED),
        lambda r: _audited(r, 0.005),
        lambda r: _audited(r, 0.08),
    ),
}


def _audited(random: Random, rate: float) -> Piece:
    clauses = tuple(c for c, share in (("c.1", rate), ("c.2", 0.01)) if random.random() < share)
    return piece(0, "policy_audit", float(not clauses), clauses=clauses)


@pytest.mark.parametrize("detector", list(SHIFTS))
def test_every_detector_is_quiet_while_nothing_changes_and_sees_what_does(detector: str) -> None:
    """Of 25 runs at most 5 alarm falsely, and a clear shift is seen by most within 250 cases."""
    of, as_usual, worse = SHIFTS[detector]
    false, seen = 0, 0
    for seed in range(25):
        random = Random(seed)  # noqa: S311 - a die, not a secret
        watch = Watch(of)
        usual = [_numbered(as_usual(random), n) for n in range(1_500)]
        false += first_alarm(watch, usual) is not None
        seen += first_alarm(watch, [_numbered(worse(random), n) for n in range(1_500, 1_750)]) is not None
    assert false <= 5
    assert seen >= 20


def _numbered(one: Piece, number: int) -> Piece:
    return piece(number, one.kind, one.value, clauses=one.clauses)


def test_a_rate_that_cannot_become_worse_is_not_judged() -> None:
    """Everything counts against the agent, and always has."""
    watch = Watch(row("override", tolerated=10))
    assert first_alarm(watch, told([(400, 1.0)], seed=1)) is None


def test_a_rate_without_a_single_case_against_the_agent_is_judged() -> None:
    """Nothing in hundreds of cases is known to be rare: the first few are evidence."""
    alarm = first_alarm(Watch(RATE), told([(600, 0.0), (40, 0.3)], seed=2))
    assert alarm is not None


def test_counts_say_which_values_are_worse() -> None:
    """At least so much, or at most."""
    of = row("thumbs", evidence={"thumbs": Counts(at_most=-1)}, detectors=(Rate(),))
    assert len(Watch(of).take([piece(1, "thumbs", -1), piece(2, "thumbs", 0), piece(3, "thumbs", 1)])) == 1
