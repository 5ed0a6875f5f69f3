"""By what a case is found: its search attributes, from its state. Never anything about the customer."""

from __future__ import annotations

from typing import Any

from aftercare.lifecycle.outcome import outcome_of
from aftercare.lifecycle.state import CaseState
from workflows import conventions as by


def attributes_of(state: CaseState) -> dict[Any, Any]:
    """What is known of the case, by search attribute; what is not known is left out."""
    first = state.episodes[0]
    known: dict[Any, Any] = {
        by.CASE_STAGE: str(state.stage),
        by.CASE_OUTCOME: str(outcome_of(state)),
        by.AGENT_NAME: state.case.agent if state.case else None,
        by.RELEASE_ID: state.case.release if state.case else None,
        by.INTENT: first.intent,
        by.POLICY_VERDICT: str(first.audit.verdict) if first.audit else None,
        by.REOPEN_COUNT: len(state.reopens) or None,
        by.HUMAN_OVERRIDE: True if state.overrides else None,
    }
    return {key: value for key, value in known.items() if value is not None}
