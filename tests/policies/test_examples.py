"""The book's worked examples hold, speak about every rule and action, and fail with a sentence when they do not."""

from __future__ import annotations

from collections import defaultdict

from aftercare.messages.policy import Verdict, Verification
from policies.examples import check
from tests.policies.played import book, in_each_domain, rules_by_domain
from tests.policies.small import made

# The trace alone answers these two, and it is always there.
NEVER_OPEN = {"authenticated-first", "quiet-calls"}
EXAMPLE = """\
examples:
  - example: an order that is {status}
    steps: [{{name: cancel, input: {{order_id: W1}}}}]
    records: {{orders/W1: {{status: {status}, paid: 1.0}}}}
    afterwards: {{orders/W1: {{status: cancelled}}}}
    findings: {{{rule}: compliant}}
    verification: {verification}
"""


def told(status: str = "pending", rule: str = "pending-only", verification: str = "verified") -> list[str]:
    return check(made(examples=EXAMPLE.format(status=status, rule=rule, verification=verification)))


@in_each_domain
def test_the_shipped_examples_hold(domain: str) -> None:
    """The book makes of every worked example what the example says."""
    assert check(book(domain)) == []


@rules_by_domain()
def test_every_rule_is_kept_and_broken_and_left_open_somewhere(domain: str, rule: str) -> None:
    """Each rule has an example of each verdict it can come to."""
    shown = {e.findings[rule] for e in book(domain).examples if rule in e.findings}
    assert shown == set(Verdict) - ({Verdict.UNDETERMINED} if rule in NEVER_OPEN else set())


@in_each_domain
def test_every_action_is_verified_and_fails_somewhere(domain: str) -> None:
    """Each action has an example whose effects are there, and one whose effects are not."""
    shown = defaultdict(set)
    for example in book(domain).examples:
        for step in example.steps:
            shown[step.name].add(example.verification)
    for action in book(domain).outcomes.actions:
        assert {Verification.VERIFIED, Verification.FAILED} <= shown[action], action


def test_an_example_that_holds_says_nothing() -> None:
    """The example the next ones spoil."""
    assert told() == []


def test_a_verdict_that_differs_is_told() -> None:
    """Which example, which rule, what was expected, and what came."""
    assert told(status="delivered") == [
        "small/examples.yaml: in 'an order that is delivered' "
        "rule pending-only should say compliant and says violation."
    ]


def test_a_rule_that_does_not_exist_is_told() -> None:
    """A misspelt rule id is a mistake in the example, not an example that holds."""
    assert "there is no rule pending-onyl" in told(rule="pending-onyl")[0]


def test_a_verification_that_differs_is_told_with_the_facts() -> None:
    """Which status came instead."""
    assert "verification should be failed and is verified" in told(verification="failed")[0]
