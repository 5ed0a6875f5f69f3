"""For every column that could hold something of a person it is decided what becomes of it."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Boolean, Float, Integer, LargeBinary
from sqlmodel import SQLModel

from aftercare.lifecycle.state import CaseState
from aftercare.messages.case import Action, Case, Step, StepKind
from aftercare.messages.evidence import Recontact
from aftercare.messages.outcome import Episode, Outcome, Settlement
from aftercare.messages.policy import AuditResult, FactCheck, Finding, Verdict, Verification, VerificationResult
from aftercare.store import tables, traces
from aftercare.store.traces import DECISIONS

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PRIVATE = "Ann Meyer"
# Bytes are those of artifacts: numbers, or examples that were redacted before they got there.
NUMBERS = (Integer, Float, Boolean, LargeBinary, tables.Utc)


def test_every_column_of_text_or_json_is_decided_upon() -> None:
    """A table or a column that is added later has to be entered, or an erasure would forget it."""
    there = {
        table.name: {c.name for c in table.columns if not isinstance(c.type, NUMBERS)}
        for table in SQLModel.metadata.sorted_tables
    }
    assert {name: set(columns) for name, columns in DECISIONS.items()} == there


def test_what_is_not_blanked_or_reduced_names_a_row_or_stands_in_a_list() -> None:
    """Free text is never merely kept."""
    kept = {name for columns in DECISIONS.values() for name, decision in columns.items() if decision is traces.KEPT}
    assert not kept & {"body", "state", "facts", "payload", "reasons", "sentence", "contact", "ticket", "customer"}


def test_a_reduced_case_is_a_case() -> None:
    """Who it was is gone; what it was is not."""
    case = Case(
        id="c", agent="a", domain="retail", customer=PRIVATE, contact=PRIVATE, ticket=PRIVATE, environment=PRIVATE
    )
    left = Case.model_validate(traces.case(case.model_dump(mode="json")))
    assert left == Case(id="c", agent="a", domain="retail")


def test_a_reduced_step_is_a_step() -> None:
    """What it took and that it failed is kept; nothing that was said, asked or answered is."""
    said = {"input": {"a": PRIVATE}, "output": PRIVATE, "heard": PRIVATE, "said": PRIVATE, "error": PRIVATE}
    step = Step(number=3, kind=StepKind.ACT, name="refund", state={"a": PRIVATE}, receipt="op-1", latency=0.5, **said)
    left = Step.model_validate(traces.step(step.model_dump(mode="json")))
    assert left == Step(number=3, kind=StepKind.ACT, name="refund", latency=0.5, error="[erased]")


def test_a_reduced_episode_keeps_what_the_figures_need() -> None:
    """How it ended, whether it was verified, what the audit found; no action, no fact, no sentence."""
    episode = Episode(
        number=2,
        began=f"override by {PRIVATE}",
        because=PRIVATE,
        ending="resolved",
        intent="refund",
        confidence=0.9,
        actions=(Action(name="refund", arguments={"to": PRIVATE}),),
        verification=VerificationResult(
            status=Verification.FAILED,
            checked=3,
            differing=(FactCheck(system="shop", record=PRIVATE, field="f", held=False),),
        ),
        audit=AuditResult(
            verdict=Verdict.VIOLATION,
            findings=(Finding(rule="r", clause="c.1", verdict=Verdict.VIOLATION, sentence=PRIVATE),),
        ),
    )
    left = Episode.model_validate(traces.episode(episode.model_dump(mode="json")))
    assert (left.ending, left.intent, left.confidence, left.began) == ("resolved", "refund", 0.9, "override")
    assert left.verification == VerificationResult(status=Verification.FAILED, checked=3)
    assert left.audit
    assert [f.clause for f in left.audit.findings] == ["c.1"]
    assert PRIVATE not in left.model_dump_json()


def test_a_reduced_state_is_still_one() -> None:
    """Whoever reads an erased case reads how it ended."""
    state = CaseState(
        case_id="c",
        case=Case(id="c", agent="a", domain="retail", customer=PRIVATE),
        episodes=[Episode(number=1, began="first contact", because=PRIVATE, ending="resolved")],
        recontacts=[Recontact(id="r", reason=PRIVATE)],
        revision=2,
    )
    left = CaseState.model_validate(traces.state(state.to_keep()))
    assert (left.revision, [e.ending for e in left.episodes], left.recontacts) == (2, ["resolved"], [])
    assert PRIVATE not in left.model_dump_json()


def test_a_settlement_is_kept_whole() -> None:
    """It holds outcomes and counts, and nothing that anybody said."""
    settlement = Settlement(case_id="c", outcome=Outcome.REOPENED, reopens=2).model_dump(mode="json")
    assert traces.settlement(settlement) == settlement


def test_a_second_contact_keeps_whether_it_was_about_the_same() -> None:
    """The figures ask for it."""
    assert traces.message({"id": "r", "reason": PRIVATE, "same_issue": False}) == {"erased": True, "same_issue": False}
    assert traces.message(PRIVATE) == {"erased": True}
