"""One set of cases against another: differences with their interval, or that there are too few."""

from __future__ import annotations

import pytest
from hypothesis import given

from aftercare.learning.comparison import Compared, Finding, compare, shared_intents
from aftercare.learning.facts import CaseFacts
from aftercare.learning.intervals import difference, difference_of_means, share
from tests.learning.facts import case, cases


def reopened(part: int, whole: int, intent: str = "cancel") -> list[CaseFacts]:
    """So many cases, so many of them reopened."""
    return [case(reopened=number < part, intent=intent) for number in range(whole)]


def only(a: list[CaseFacts], b: list[CaseFacts], name: str, same_intent: bool = False) -> Compared:
    """One figure of a comparison."""
    (found,) = compare(a, b, same_intent, names=[name])
    return found


def test_shares_differ_by_newcombe() -> None:
    """With the n of both sides."""
    found = only(reopened(56, 70), reopened(48, 80), "reopened")
    assert (found.a.n, found.b.n, found.finding) == (70, 80, Finding.HIGHER)
    assert found.difference == difference(share(56, 70), share(48, 80))


def test_means_differ_by_welch() -> None:
    """A score among few and one among many."""
    a, b = [3.0, 4.0] * 20, [4.0, 5.0, 5.0] * 30
    found = only([case(csat=score) for score in a], [case(csat=score) for score in b], "csat")
    assert found.difference == difference_of_means(a, b)
    assert found.finding is Finding.LOWER


@pytest.mark.parametrize(("n", "m"), [(29, 400), (400, 29), (0, 400)])
def test_of_too_few_no_difference_is_told(n: int, m: int) -> None:
    """However far apart they are; what each side has is shown all the same."""
    found = only(reopened(n, n), reopened(0, m), "reopened")
    assert (found.finding, found.difference) == (Finding.TOO_FEW, None)
    assert (found.a.n, found.b.n) == (n, m)


def test_what_could_be_chance_is_no_clear_difference() -> None:
    """An interval that holds zero."""
    found = only(reopened(10, 50), reopened(11, 50), "reopened")
    assert found.finding is Finding.UNCLEAR
    assert found.difference is not None


def test_a_percentile_without_a_bound_is_too_few() -> None:
    """Forty latencies do not bound the 95th percentile, though forty are more than thirty."""
    told = [case(latencies=(float(n),)) for n in range(40)]
    assert only(told, told, "latency_p95").finding is Finding.TOO_FEW
    assert only(told, told, "latency_p50").finding is Finding.UNCLEAR


def test_easy_cases_do_not_flatter_whoever_gets_them() -> None:
    """The agent gets the easy intent, people the hard one, and within each they are alike (Simpson's paradox)."""
    agent = reopened(10, 100, "easy") + reopened(8, 16, "hard")
    people = reopened(2, 20, "easy") + reopened(50, 100, "hard")
    assert only(agent, people, "reopened").finding is Finding.LOWER
    alike = only(agent, people, "reopened", same_intent=True)
    assert alike.finding is Finding.UNCLEAR
    assert alike.difference is not None
    assert alike.difference.value == pytest.approx(0)
    assert (alike.a.n, alike.b.n) == (116, 120)


def test_an_intent_weighs_as_it_bears_on_the_difference() -> None:
    """Fifty times 0.2 and five times -0.4, over fifty-five (Mantel and Haenszel)."""
    a = reopened(40, 100, "many") + reopened(1, 10, "few")
    b = reopened(20, 100, "many") + reopened(5, 10, "few")
    found = only(a, b, "reopened", same_intent=True).difference
    assert found is not None
    assert found.value == pytest.approx((50 * 0.2 - 5 * 0.4) / 55)
    assert found.n == 110


def test_only_shared_intents_are_held_against_each_other() -> None:
    """What one side never saw is in neither figure; where they share none, there is nothing to tell."""
    a, b = reopened(5, 40, "both") + reopened(40, 40, "mine"), reopened(5, 40, "both")
    assert shared_intents(a, b) == ["both"]
    assert only(a, b, "reopened", same_intent=True) == only(a[:40], b, "reopened")
    assert only(a[40:], b, "reopened", same_intent=True).finding is Finding.TOO_FEW


@given(cases, cases)
def test_within_intents_the_sides_differ_by_their_difference(a: list[CaseFacts], b: list[CaseFacts]) -> None:
    """Both sides are weighed alike, so that what is shown of them adds up."""
    for found in compare(a, b, same_intent=True, minimum=1):
        if found.difference and found.difference.value is not None:
            assert found.a.value is not None
            assert found.b.value is not None
            assert found.a.value - found.b.value == pytest.approx(found.difference.value, abs=1e-6)


@given(cases)
def test_nothing_differs_from_itself(told: list[CaseFacts]) -> None:
    """Whatever the figure."""
    assert {found.finding for found in compare(told, told)} <= {Finding.UNCLEAR, Finding.TOO_FEW}
