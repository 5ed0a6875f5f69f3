"""Cases made up by hypothesis: anything that facts may say, the unknown included."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from aftercare.learning.facts import CaseFacts
from aftercare.messages.outcome import Outcome
from aftercare.messages.policy import Verdict, Verification

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def case(**facts: object) -> CaseFacts:
    """A case of which only this is known."""
    told: dict[str, object] = {"case_id": "c", "opened_at": NOW, **facts}
    return CaseFacts(**told)  # type: ignore[arg-type]


def maybe(values: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """A value, or that it is unknown."""
    return st.none() | values


amounts = st.floats(0, 1_000)
cases = st.lists(
    st.builds(
        case,
        intent=st.sampled_from(["cancel", "address", "refund"]),
        handled_by=st.sampled_from(["agent", "human"]),
        outcome=maybe(st.sampled_from(Outcome)),
        resolved=maybe(st.booleans()),
        verification=maybe(st.sampled_from(Verification)),
        policy_verdict=maybe(st.sampled_from(Verdict)),
        reopened=maybe(st.booleans()),
        reopened_24h=maybe(st.booleans()),
        csat=maybe(st.integers(1, 5).map(float)),
        cost=maybe(amounts),
        handling_time=maybe(amounts),
        errors=maybe(st.integers(0, 2).map(float)),
        agreement=maybe(st.sampled_from([0.0, 0.5, 1.0])),
        thumbs_up=st.integers(0, 3),
        thumbs_down=st.integers(0, 3),
        latencies=st.lists(amounts, max_size=3).map(tuple),
    ),
    max_size=40,
)
