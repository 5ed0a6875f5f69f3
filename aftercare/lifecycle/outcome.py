"""How a case ended, and what it teaches: decided here and nowhere else."""

from __future__ import annotations

from aftercare.lifecycle.state import CaseState
from aftercare.messages.outcome import Label, Outcome, Settlement, Snapshot, Stage
from aftercare.messages.policy import Verification

_RIGHT = {
    Outcome.CONFIRMED: True,
    Outcome.OVERRIDDEN: False,
    Outcome.REOPENED: False,
    Outcome.FAILED: False,
}


def outcome_of(state: CaseState) -> Outcome | None:
    """The outcome by what is known so far: the strongest claim that anything makes.

    overridden > reopened > failed > escalated > abandoned > unconfirmed > confirmed. A second contact about the same
    issue counts as reopened, since a case whose customer came back is not durable. The agent's silence in a later
    episode ends that episode only.
    """
    if not state.episodes:
        return None
    first = state.episodes[0]
    statuses = [e.verification.status for e in state.episodes if e.verification]
    claims = {
        Outcome.OVERRIDDEN: bool(state.overrides),
        Outcome.REOPENED: bool(state.reopens) or any(r.same_issue for r in state.recontacts),
        Outcome.FAILED: statuses[-1:] == [Verification.FAILED],
        Outcome.ESCALATED: any(e.ending == "escalated" for e in state.episodes),
        Outcome.ABANDONED: first.ending == "fell_silent",
        Outcome.UNCONFIRMED: statuses[-1:] != [Verification.VERIFIED],
    }
    return next((outcome for outcome, claimed in claims.items() if claimed), Outcome.CONFIRMED)


def label_of(state: CaseState, outcome: Outcome) -> Label:
    """What the case teaches a model: the right intent, and whether the agent was right where that is known."""
    first = state.episodes[0]
    corrected = [o.corrected_intent for o in state.overrides if o.corrected_intent != "unchanged"]
    return Label(
        intent=corrected[-1] if corrected else first.intent,
        agent_was_right=None if first.handled_by == "human" and not first.override else _RIGHT.get(outcome),
        because=f"the case ended {outcome}",
    )


def settlement_of(state: CaseState) -> Settlement:
    """What this run of the case came to. Verification and verdict are those of the first episode."""
    outcome = outcome_of(state)
    if outcome is None:
        return Settlement(case_id=state.case_id, outcome=None)
    first = state.episodes[0]
    told = {
        "verification": first.verification.status if first.verification else None,
        "policy_verdict": first.audit.verdict if first.audit else None,
        "overrides": len(state.overrides),
        "reopens": len(state.reopens),
    }
    known = {name: value for name, value in told.items() if value}
    return Settlement(case_id=state.case_id, outcome=outcome, label=label_of(state, outcome)).model_copy(update=known)


def snapshot_of(state: CaseState) -> Snapshot:
    """The whole case, as the console shows it."""
    return Snapshot(
        case_id=state.case_id,
        stage=state.stage,
        outcome=outcome_of(state) if state.stage in (Stage.WATCHING, Stage.SETTLED) else None,
        case=state.case,
        book=state.book,
        steps=state.steps,
        episodes=tuple(state.episodes),
        overrides=tuple(state.overrides),
        reopens=tuple(state.reopens),
        recontacts=tuple(state.recontacts),
        feedback=tuple(state.feedback),
        refused=tuple(state.refused),
        proposals=tuple(state.proposals),
    )
