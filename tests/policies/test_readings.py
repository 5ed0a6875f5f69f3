"""Every violation on the recordings was read by hand, and nine in ten must be right, rule by rule."""

from __future__ import annotations

from collections import Counter

import pytest

from aftercare.messages.policy import Verdict
from tests.policies.figures import places, readings, right_of
from tests.policies.played import book, needs_recordings

pytestmark = needs_recordings
RULES = [rule.entry.id for rule in book().rules]


def test_every_violation_was_read_and_no_reading_is_left_over() -> None:
    """The audit of today and the readings name the same steps and rules, each once."""
    assert Counter(r.place for r in readings()) == Counter(places(Verdict.VIOLATION))


@pytest.mark.parametrize("rule", RULES)
def test_nine_in_ten_violations_of_a_rule_are_right(rule: str) -> None:
    """Of the violations a rule reports, a person found at least nine in ten right."""
    right, read = right_of(rule)
    assert right >= 0.9 * read


def test_the_sampled_compliant_verdicts_are_compliant_today() -> None:
    """Of forty verdicts drawn and read, the wording in force still gives thirty-six; four became undetermined."""
    sampled = {r.place for r in readings("sampled_compliant")}
    assert len(sampled) == 36
    assert sampled <= set(places(Verdict.COMPLIANT))


def test_nine_in_ten_sampled_confirmations_are_right() -> None:
    """Where `confirmed-change` says the customer agreed, a person found so in at least nine of ten."""
    sampled = readings("sampled_compliant")
    assert sum(r.right for r in sampled) >= 0.9 * len(sampled)
