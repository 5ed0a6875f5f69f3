"""How much of what went wrong the audit sees: the overridden cases with a write that should not have been."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from tests.policies.figures import fate, nothing_expected, wrong_writes, wrongly_written
from tests.policies.played import again, in_each_domain, needs_recordings, without_clock

pytestmark = [needs_recordings, in_each_domain]
OF_ANY = {
    "retail": {"caught": 11, "undetermined": 6, "missed": 21},
    "airline": {"caught": 27, "undetermined": 1, "missed": 7},
}
WITHOUT_CLOCK = {"caught": 19, "undetermined": 9, "missed": 7}
OF_NONE_RIGHT = {"retail": {"caught": 4}, "airline": {"caught": 10, "missed": 4}}


def test_what_the_audit_makes_of_the_wrong_writes(domain: str) -> None:
    """Of the overridden cases with a wrong write, these many are caught, undetermined and missed."""
    assert Counter(fate(c) for c in wrongly_written(domain)) == OF_ANY[domain]


def test_what_the_audit_makes_of_writes_where_none_was_right(domain: str) -> None:
    """The same for the few cases in which nothing at all should have been written."""
    assert Counter(fate(c) for c in nothing_expected(domain)) == OF_NONE_RIGHT[domain]


def test_what_the_clock_adds(domain: str) -> None:
    """Without the time that the airline's agents were told, whether 24 hours have passed is open, not a violation."""
    cases = [replace(c, findings=again(c, without_clock(c.steps))) for c in wrongly_written(domain)]
    assert Counter(fate(c) for c in cases) == (WITHOUT_CLOCK if domain == "airline" else OF_ANY[domain])


def test_a_wrong_write_is_one_the_shop_accepted(domain: str) -> None:
    """Refused calls and calls that match a right one are no wrong writes."""
    for case in wrongly_written(domain):
        steps = {s.number: s for s in case.steps}
        assert all(steps[n].error is None and steps[n].receipt for n in wrong_writes(case))
