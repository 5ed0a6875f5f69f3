"""How a case really ended, as evidence: known when it comes, or once the watch has run out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aftercare.evidence import outcomes
from aftercare.evidence.rows import pieces_of_case, pieces_of_trace
from aftercare.messages.case import Case, Escalation, Resolution, Step
from aftercare.messages.evidence import Recontact, Reopen
from aftercare.messages.kinds import KINDS
from aftercare.messages.outcome import Episode, Snapshot, Stage
from aftercare.messages.override import NothingToDo, Override, TraceStep
from aftercare.messages.policy import AuditResult, FactCheck, Finding, Verdict, Verification, VerificationResult
from tests.evidence.traces import read, trace

UNTIL = datetime(2026, 3, 2, tzinfo=UTC)
OVERRIDE = Override(
    id="o",
    reviewer="r",
    final=NothingToDo(),
    corrected_intent="refund",
    rationale="because",
    deciding=TraceStep(step=1),
)


def episode(**told: Any) -> Episode:
    return Episode(**{"number": 1, "began": "first contact", "ending": "resolved", "watch_until": UNTIL, **told})


def case(stage: Stage = Stage.SETTLED, first: Episode | None = None, **told: Any) -> Snapshot:
    """A case that was resolved at once, and watched to its end unless another stage is given."""
    return Snapshot(case_id="c", stage=stage, episodes=(first or episode(),), **told)


def values(of: Snapshot) -> dict[str, float | None]:
    return {piece.kind: piece.value for piece in pieces_of_case(of)}


def test_a_quiet_case_shows_that_nothing_came() -> None:
    """Once it was watched to its end, and not before."""
    quiet = {"reopen": 0, "recontact": 0, "override": 0, "escalation": 0, "first_contact_resolution": 1}
    assert values(case()) == quiet
    assert values(case(Stage.WATCHING)) == {}


@pytest.mark.parametrize(
    ("kind", "came"),
    [
        ("reopen", {"reopens": (Reopen(id="b"),)}),
        ("recontact", {"recontacts": (Recontact(id="m"),)}),
        ("override", {"overrides": (OVERRIDE,)}),
    ],
)
def test_what_came_is_known_at_once_and_ends_the_first_contact_resolution(kind: str, came: dict[str, Any]) -> None:
    """Nobody has to wait for the end of the watch to know that it was no first-contact resolution."""
    assert values(case(Stage.WATCHING, **came)) == {kind: 1, "first_contact_resolution": 0}


def test_a_contact_about_something_else_is_no_recontact() -> None:
    """It is told, and counts against nothing."""
    other = case(recontacts=(Recontact(id="m", same_issue=False),))
    assert values(other)["recontact"] == 0
    assert values(other)["first_contact_resolution"] == 1
    piece = outcomes.recontact(other)
    assert piece
    assert piece.payload["other_issues"] == 1


def test_what_came_after_the_watch_leaves_the_first_contact_resolution() -> None:
    """Its definition names the window; the reopening itself is evidence all the same."""
    late = case(reopens=(Reopen(id="b", at=UNTIL + timedelta(days=3)),))
    assert values(late)["reopen"] == 1
    assert values(late)["first_contact_resolution"] == 1


@pytest.mark.parametrize("ending", ["escalated", "fell_silent"])
def test_handing_over_and_falling_silent_resolve_nothing(ending: str) -> None:
    """Known as soon as the episode ends."""
    watching = case(Stage.WATCHING, episode(ending=ending))
    assert values(watching)["first_contact_resolution"] == 0


def test_a_case_in_which_the_agent_fell_silent_was_not_watched() -> None:
    """That nobody came back to it says nothing."""
    silent = values(case(first=episode(ending="fell_silent", watch_until=None)))
    assert silent == {"escalation": 0, "first_contact_resolution": 0}


def test_an_escalation_in_any_episode_counts() -> None:
    """An agent that hands over a reopened case has handed it over."""
    both = (episode(), episode(number=2, began="reopened", ending="escalated"))
    assert values(case().model_copy(update={"episodes": both}))["escalation"] == 1


@pytest.mark.parametrize(
    ("status", "value"), [(Verification.VERIFIED, 1), (Verification.FAILED, 0), (Verification.UNVERIFIABLE, None)]
)
def test_verification_is_yes_no_or_unknown(status: Verification, value: float | None) -> None:
    """Unverifiable is a piece without a value; not looked for yet is no piece."""
    differing = (FactCheck(system="shop", record="orders/#1", field="status", held=False, expected="a", found="b"),)
    found = outcomes.verification(episode(verification=VerificationResult(status=status, differing=differing)))
    assert found
    assert (found.value, found.payload["differing"]) == (
        value,
        [{"system": "shop", "record": "orders/#1", "field": "status"}],
    )
    assert outcomes.verification(episode()) is None


def test_the_audit_names_the_clauses_that_were_broken() -> None:
    """Each once, and none that was only undetermined."""
    findings = [
        Finding(rule=f"r{n}", clause=clause, verdict=verdict)
        for n, (clause, verdict) in enumerate(
            [("b.1", Verdict.VIOLATION), ("b.1", Verdict.VIOLATION), ("a.2", Verdict.UNDETERMINED)]
        )
    ]
    audit = AuditResult(verdict=Verdict.VIOLATION, findings=tuple(findings), undetermined=1)
    found = outcomes.policy_audit(episode(audit=audit))
    assert found
    assert (found.value, found.payload) == (0, {"clauses": ["b.1"], "undetermined": 1})
    undetermined = outcomes.policy_audit(episode(audit=AuditResult(verdict=Verdict.UNDETERMINED)))
    assert undetermined
    assert undetermined.value is None


def test_what_verification_came_to_does_not_change_the_first_contact_resolution() -> None:
    """The field's definition asks about contacts, and stands beside verification, not in its place."""
    failed = episode(verification=VerificationResult(status=Verification.FAILED))
    assert values(case(first=failed))["first_contact_resolution"] == 1


def test_a_case_that_a_person_handled_has_no_rate_of_overrides() -> None:
    """No agent decided anything there."""
    person = Case(id="c", agent="a", domain="d", handled_by="human")
    assert "override" not in values(case(case=person))
    assert values(case(case=person, overrides=(OVERRIDE,)))["override"] == 1


def test_every_episode_has_its_own_verification() -> None:
    """Computed again, each takes the place of what was computed before."""
    both = tuple(episode(number=n, verification=VerificationResult(status=Verification.VERIFIED)) for n in (1, 2))
    pieces = pieces_of_case(case().model_copy(update={"episodes": both}))
    assert {piece.id for piece in pieces if piece.kind == "verification"} == {
        "computed/verification/1",
        "computed/verification/2",
    }
    assert all(KINDS[piece.kind].problem(piece.value) is None for piece in pieces)


def test_an_empty_case_tells_nothing() -> None:
    """Nobody registered it."""
    assert pieces_of_case(Snapshot(case_id="c", stage=Stage.SETTLED)) == []


def test_the_ending_counts_as_use_and_ends_the_handling_time() -> None:
    """What a retrieval brought may be told nowhere but in the reply of the resolution, or in an escalation's reason."""
    steps: tuple[Step, ...] = trace(read("get", {"item": "kettle"}, order_id="#W1001"))
    endings: list[Resolution | Escalation | None] = [
        Resolution(id="r", reply="Your kettle is on its way.", at=UNTIL),
        Escalation(id="e", reason="The kettle is lost."),
        None,
    ]
    told = [
        {p.kind: p.value for p in pieces_of_trace(steps, ending=ending, opened_at=UNTIL - timedelta(minutes=1))}
        for ending in endings
    ]
    assert [t["irrelevant_retrieval"] for t in told] == [0, 0, 1]
    assert [t.get("handling_time") for t in told] == [60, None, None]
    assert pieces_of_trace(()) == []
