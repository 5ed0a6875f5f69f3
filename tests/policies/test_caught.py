"""How much of what went wrong the audit sees: the overridden cases with a write that should not have been."""

from __future__ import annotations

from collections import Counter

from tests.policies.figures import fate, nothing_expected, wrong_writes, wrongly_written
from tests.policies.played import needs_recordings

pytestmark = needs_recordings


def test_what_the_audit_makes_of_the_wrong_writes() -> None:
    """Of the overridden cases with a wrong write, these many are caught, undetermined and missed."""
    assert Counter(fate(c) for c in wrongly_written()) == {"caught": 11, "undetermined": 6, "missed": 21}


def test_what_the_audit_makes_of_writes_where_none_was_right() -> None:
    """The same for the few cases in which nothing at all should have been written."""
    assert Counter(fate(c) for c in nothing_expected()) == {"caught": 4}


def test_a_wrong_write_is_one_the_shop_accepted() -> None:
    """Refused calls and calls that match a right one are no wrong writes."""
    for case in wrongly_written():
        steps = {s.number: s for s in case.steps}
        assert all(steps[n].error is None and steps[n].receipt for n in wrong_writes(case))
