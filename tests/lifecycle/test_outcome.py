"""The outcome is the strongest claim that anything makes, whatever else is true."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercare.lifecycle.outcome import label_of, outcome_of, settlement_of
from aftercare.lifecycle.state import CaseState
from aftercare.messages.evidence import Recontact, Reopen
from aftercare.messages.outcome import Episode, Outcome
from aftercare.messages.override import NothingToDo, Override, TraceStep
from aftercare.messages.policy import Verification, VerificationResult

OVERRIDE = Override(
    id="o",
    reviewer="r",
    final=NothingToDo(),
    corrected_intent="refund",
    rationale="because",
    deciding=TraceStep(step=1),
)
CLAIMS = ("overridden", "reopened", "failed", "escalated", "abandoned", "unconfirmed")


def state_of(claims: set[str]) -> CaseState:
    """A case of which all these are true at once."""
    status = Verification.VERIFIED
    status = Verification.UNVERIFIABLE if "unconfirmed" in claims else status
    status = Verification.FAILED if "failed" in claims else status
    first = Episode(
        number=1,
        began="first contact",
        ending="fell_silent" if "abandoned" in claims else "resolved",
        intent="cancel",
        verification=VerificationResult(status=status),
    )
    second = Episode(number=2, began="reopened", ending="escalated", verification=first.verification)
    return CaseState(
        case_id="c",
        episodes=[first, second] if "escalated" in claims else [first],
        overrides=[OVERRIDE] if "overridden" in claims else [],
        reopens=[Reopen(id="b")] if "reopened" in claims else [],
    )


@given(st.sets(st.sampled_from(CLAIMS)))
def test_the_strongest_claim_wins(claims: set[str]) -> None:
    """Overridden > reopened > failed > escalated > abandoned > unconfirmed > confirmed."""
    strongest = next((c for c in CLAIMS if c in claims), "confirmed")
    assert outcome_of(state_of(claims)) == strongest


def test_the_precedence_is_the_order_in_which_outcomes_are_declared() -> None:
    """One definition, read by people and by code."""
    assert [str(o) for o in Outcome] == [*CLAIMS, "confirmed"]


@pytest.mark.parametrize("pair", list(combinations(CLAIMS, 2)))
def test_of_two_claims_the_first_wins(pair: tuple[str, str]) -> None:
    """Each pair, so that a broken place shows by name."""
    assert outcome_of(state_of(set(pair))) == pair[0]


@pytest.mark.parametrize(("same", "outcome"), [(True, Outcome.REOPENED), (False, Outcome.CONFIRMED)])
def test_a_second_contact_counts_if_it_is_about_the_same_issue(same: bool, outcome: Outcome) -> None:
    """Another question is not a complaint."""
    state = state_of(set())
    state.recontacts.append(Recontact(id="m", same_issue=same))
    assert outcome_of(state) is outcome


def test_a_case_without_an_episode_has_no_outcome() -> None:
    """Nobody registered it, and nobody knows."""
    assert settlement_of(CaseState(case_id="c")).outcome is None


@pytest.mark.parametrize(
    ("claims", "right"),
    [(set(), True), ({"failed"}, False), ({"reopened"}, False), ({"unconfirmed"}, None), ({"abandoned"}, None)],
)
def test_a_label_says_whether_the_agent_was_right_only_where_that_is_known(claims: Any, right: bool | None) -> None:
    """What could not be verified teaches nothing."""
    state = state_of(claims)
    outcome = outcome_of(state)
    assert outcome
    assert label_of(state, outcome).agent_was_right is right


def test_a_label_carries_the_corrected_intent() -> None:
    """The person knew better what it was about."""
    assert label_of(state_of({"overridden"}), Outcome.OVERRIDDEN).intent == "refund"
    assert label_of(state_of(set()), Outcome.CONFIRMED).intent == "cancel"
