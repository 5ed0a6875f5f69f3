"""Traces as the tests write them: steps numbered by their place."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from aftercare.messages.case import Step, StepKind

RETRIEVE, ACT, REPLY = StepKind.RETRIEVE, StepKind.ACT, StepKind.REPLY
CLASSIFY, REASON = StepKind.CLASSIFY, StepKind.REASON


def read(name: str, output: Any = None, **told: Any) -> dict[str, Any]:
    """A retrieval; its input is what else is told, but for the step's own fields."""
    return _step(RETRIEVE, name, output, told)


def act(name: str, output: Any = None, **told: Any) -> dict[str, Any]:
    """An act."""
    return _step(ACT, name, output, told)


def says(said: str, heard: str = "") -> dict[str, Any]:
    """A reply."""
    return {"kind": REPLY, "name": "reply", "said": said, "heard": heard}


def trace(*steps: dict[str, Any]) -> tuple[Step, ...]:
    """Steps in their order."""
    return tuple(Step(number=number, **step) for number, step in enumerate(steps, 1))


def _step(kind: StepKind, name: str, output: Any, told: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {key: told.pop(key) for key in ("error", "heard", "said") if key in told}
    return {"kind": kind, "name": name, "input": told, "output": output, **fields}


_names = st.sampled_from(["get_order", "search", "update_order", "cancel_order", "classify"])
_values = st.sampled_from(["#W1001", "#W1002", "blue kettle", "refund", 1234, 7, True, None])
_inputs = st.dictionaries(st.sampled_from(["order_id", "query", "colour"]), _values, max_size=2)
_outputs = st.one_of(_values, st.lists(_values, max_size=3), st.dictionaries(st.sampled_from("abc"), _values))
_words = st.sampled_from(["", "Your #W1001 is a blue kettle.", "I cannot find it.", "refund"])

# Any trace at all, small enough that steps repeat, use and supersede each other.
traces = st.lists(
    st.builds(
        dict,
        kind=st.sampled_from(list(StepKind)),
        name=_names,
        input=_inputs,
        output=_outputs,
        heard=_words,
        said=_words,
        error=st.none() | st.sampled_from(["refused", "order #W1002 not found"]),
        fallback=st.booleans(),
        confidence=st.just("not_reported") | st.floats(0, 1),
    ),
    max_size=12,
).map(lambda steps: trace(*steps))
