"""docs/audit.md says what the audit does today."""

from __future__ import annotations

from pathlib import Path

from tests.policies.figures import caught_table, clause_table, readings, rule_table
from tests.policies.played import everything, in_each_domain, needs_recordings

PAGE = (Path(__file__).parents[2] / "docs" / "audit.md").read_text("utf-8")


@in_each_domain
def test_the_page_lists_the_clauses_nothing_decides(domain: str) -> None:
    """The table of undecided clauses is that of the shipped book."""
    assert clause_table(domain) in PAGE


@needs_recordings
@in_each_domain
def test_the_page_tells_what_every_rule_came_to(domain: str) -> None:
    """The table of rules is what playing and auditing the recordings gives now."""
    assert rule_table(domain) in PAGE


@needs_recordings
@in_each_domain
def test_the_page_tells_what_was_caught(domain: str) -> None:
    """The figures on wrong writes are what the audit makes of them now."""
    assert caught_table(domain) in PAGE


@needs_recordings
@in_each_domain
def test_the_page_tells_how_much_was_played_and_sampled(domain: str) -> None:
    """The numbers in the page's sentences are counted afresh."""
    right = sum(r.right for r in readings(domain, "sampled_compliant"))
    assert f"the {len(everything(domain))} recorded {domain} cases" in PAGE
    assert f"drawn at random, {right} were found right" in PAGE
