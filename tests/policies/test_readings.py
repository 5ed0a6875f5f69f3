"""Every violation on the recordings was read by hand, and nine in ten must be right, rule by rule."""

from __future__ import annotations

from collections import Counter

from aftercare.messages.policy import Verdict
from tests.policies.figures import places, readings, right_of, undisputed
from tests.policies.played import book, in_each_domain, needs_recordings, rules_by_domain

pytestmark = needs_recordings

# Of the `compliant` verdicts of `confirmed-change` that were drawn and read: right, and all.
AGREED = {"retail": (33, 36), "airline": (24, 30)}
# Violations that stand whatever a careful reader contests, and all, where that is less than nine in ten.
CONTESTED = {
    "retail": {"confirmed-change": (14, 16), "quiet-calls": (33, 37)},
    "airline": {
        "payment-sum": (0, 16),
        "basic-economy-flights-kept": (0, 3),
        "cancel-reason-given": (0, 1),
        "cancel-allowed": (25, 31),
        "certificate-amount": (0, 5),
    },
}


@in_each_domain
def test_every_violation_was_read_and_no_reading_is_left_over(domain: str) -> None:
    """The audit of today and the readings name the same steps and rules, each once."""
    assert Counter(r.place for r in readings(domain)) == Counter(places(domain, Verdict.VIOLATION))


@rules_by_domain()
def test_nine_in_ten_violations_of_a_rule_are_right(domain: str, rule: str) -> None:
    """Of the violations a rule reports, a person found at least nine in ten right."""
    right, read = right_of(domain, rule)
    assert right >= 0.9 * read


@in_each_domain
def test_the_rules_whose_violations_are_contested_are_known(domain: str) -> None:
    """With the contested ones counted as wrong, these rules and no others fall below nine in ten."""
    below = {}
    for rule in (r.entry.id for r in book(domain).rules):
        kept, (_, read) = undisputed(domain, rule), right_of(domain, rule)
        if kept < 0.9 * read:
            below[rule] = (kept, read)
    assert below == CONTESTED[domain]


@in_each_domain
def test_the_sampled_compliant_verdicts_are_compliant_today(domain: str) -> None:
    """What was drawn and read are verdicts of the wording in force; of the retail forty, four became undetermined."""
    sampled = {r.place for r in readings(domain, "sampled_compliant")}
    assert len(sampled) == AGREED[domain][1]
    assert sampled <= set(places(domain, Verdict.COMPLIANT))


@in_each_domain
def test_the_sampled_confirmations_are_as_often_right_as_the_page_says(domain: str) -> None:
    """Where `confirmed-change` says that the customer agreed: nine in ten in retail, four in five in the airline."""
    sampled = readings(domain, "sampled_compliant")
    assert (sum(r.right for r in sampled), len(sampled)) == AGREED[domain]
