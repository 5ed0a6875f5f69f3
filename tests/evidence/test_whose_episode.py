"""Whose evidence it is: what a person did after the agent is verified and audited too, and held against nobody else."""

from __future__ import annotations

from datetime import UTC, datetime

from aftercare.demo.simulated import Happened, Told, rows_of
from aftercare.demo.simulated_words import TOPICS, person
from aftercare.store.tables import FeedbackRow
from policies.book import load


def whose(happened: Happened) -> dict[str, str]:
    """Who handled what each piece is about, in a case in which this happened."""
    topic = next(iter(TOPICS.values()))
    at = datetime(2026, 1, 5, tzinfo=UTC)
    told = Told("c-1", "retail", "r-1", person(1), topic, topic, "#W1", "r.meyer", at)
    rows = rows_of(told, happened, load("retail"))
    return {row.id: row.handled_by for row in rows if isinstance(row, FeedbackRow)}


def test_an_episode_that_a_person_ended_is_no_evidence_about_the_agent() -> None:
    """Its verification and its audit are the person's; the agent's own stand beside them."""
    found = whose(Happened(overridden=True))
    assert (found["computed/policy_audit/1"], found["computed/policy_audit/2"]) == ("agent", "human")
    assert (found["computed/verification/1"], found["computed/verification/2"]) == ("agent", "human")


def test_what_is_said_of_the_case_as_a_whole_is_about_the_agent() -> None:
    """That a person corrected it most of all."""
    found = whose(Happened(overridden=True))
    whole = {name: who for name, who in found.items() if not name.startswith(("computed/policy", "computed/verif"))}
    assert whole["computed/override/1"] == "agent"
    assert set(whole.values()) == {"agent"}
