"""What a system refused is judged from the call and the records, and never from the words of the refusal."""

from __future__ import annotations

from collections import Counter
from typing import Any

import yaml

from aftercare.messages.policy import Verdict
from policies.facts import step_facts
from tests.policies.figures import HERE
from tests.policies.played import (
    DOMAINS,
    Played,
    again,
    book,
    everything,
    in_each_domain,
    needs_recordings,
    recorded_at,
    with_receipts,
)

pytestmark = [needs_recordings, in_each_domain]
REFUSALS: dict[str, list[dict[str, Any]]] = {
    domain: yaml.safe_load((HERE / "refusals" / f"{domain}.yaml").read_text("utf-8"))["refusals"] for domain in DOMAINS
}
WORDS = "words-of-a-refusal"


def test_every_refusal_is_classed_exactly_once(domain: str) -> None:
    """The list names every refused call of the recordings, and none twice."""
    refused = Counter((c.case.id, s.number) for c in everything(domain) for s in c.steps if s.error is not None)
    assert Counter((r["case"], r["step"]) for r in REFUSALS[domain]) == refused


def test_a_refusal_is_classed_by_a_clause_or_says_why_by_none(domain: str) -> None:
    """Each class is a clause of the book; what no clause speaks of says what it was instead."""
    for refusal in REFUSALS[domain]:
        by_none = refusal["class"] == "not_policy" and refusal["why"]
        assert by_none or refusal["class"] in book(domain).clauses, refusal


def test_what_a_clause_forbids_is_a_violation_of_that_clause_there(domain: str) -> None:
    """The audit comes to the backend's refusals by itself: same step, same clause."""
    violated = {
        (c.case.id, f.step, f.clause) for c in everything(domain) for f in c.findings if f.verdict is Verdict.VIOLATION
    }
    classed = {(r["case"], r["step"], r["class"]) for r in REFUSALS[domain] if r["class"] != "not_policy"}
    assert classed <= violated


def test_without_the_words_of_the_refusals_the_findings_are_the_same(domain: str) -> None:
    """Blanking what every refused call answered changes no finding of any case."""
    for case in everything(domain):
        assert again(case, with_receipts(recorded_at(_blanked(case)).steps, _receipts(case))) == case.findings


def test_rules_never_see_the_words_of_a_refusal(domain: str) -> None:
    """Whatever a refused call answered, no fact of any step carries it."""
    for case in everything(domain):
        changed = {"output": WORDS, "error": WORDS}
        steps = [s.model_copy(update=changed) if s.error is not None else s for s in case.steps]
        assert not any(WORDS in repr(step_facts(book(domain), step, steps, case.case)) for step in steps)


def _blanked(case: Played) -> dict[str, Any]:
    steps = [s | {"result": ""} if s["is_error"] else s for s in case.row["steps"]]
    return case.row | {"steps": steps}


def _receipts(case: Played) -> dict[int, str]:
    return {s.number: s.receipt for s in case.steps if s.receipt}
