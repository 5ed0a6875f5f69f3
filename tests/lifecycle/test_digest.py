"""By what a message is known again: what it tells, and nothing it leaves out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercare.lifecycle.digest import digest_of, told
from aftercare.messages.base import Message
from aftercare.messages.case import Action, Case, Resolution, Step
from aftercare.messages.evidence import Feedback
from aftercare.messages.override import Override

OVERRIDE = {
    "id": "o",
    "reviewer": "m",
    "corrected_intent": "unchanged",
    "rationale": "why",
    "deciding": {"kind": "step", "step": 1},
}
# Kept as they are: a message that was taken in under one of them is known by it for ever.
GOLDEN: list[tuple[Message, str]] = [
    (Feedback(id="f", kind="csat", value=4), "def1a723ea6e4295"),
    (Case(id="c", agent="a", domain="retail"), "3bf95b61f24c59ad"),
    (Resolution(id="r", intent="x", actions=(Action(name="n", arguments={"k": [1]}),)), "7b7d34e039dbf2e5"),
    (Step(number=1, kind="act", name="n"), "280675e5381b9be3"),
    (Override.model_validate({**OVERRIDE, "final": {"kind": "undo"}}), "bed8ff9909f6a673"),
]


@pytest.mark.parametrize(("message", "digest"), GOLDEN, ids=[type(m).__name__ for m, _ in GOLDEN])
def test_digests_stay_as_they_are(message: Message, digest: str) -> None:
    """A field that is added with a default must not make an old message another one."""
    assert digest_of(message)[:16] == digest


def test_what_is_left_at_its_default_is_not_told() -> None:
    """Said or not said, it is the same message."""
    assert told(Feedback(id="f", kind="csat", comment="")) == {"id": "f", "kind": "csat"}
    assert digest_of(Feedback(id="f", kind="csat", comment="")) == digest_of(Feedback(id="f", kind="csat"))


def test_forms_without_fields_are_told_apart() -> None:
    """To take back and to do nothing are two things, though neither says more than its kind."""
    undo, nothing = ({**OVERRIDE, "final": {"kind": kind}} for kind in ("undo", "nothing_to_do"))
    assert digest_of(Override.model_validate(undo)) != digest_of(Override.model_validate(nothing))


@given(
    st.dictionaries(
        st.text(min_size=1), st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(), max_size=4
    ),
    st.dictionaries(
        st.text(min_size=1), st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(), max_size=4
    ),
)
def test_other_words_have_another_digest(one: dict[str, Any], other: dict[str, Any]) -> None:
    """And the same words the same one, in whatever order."""
    first, second = (digest_of(Feedback(id="f", kind="k", payload=payload)) for payload in (one, other))
    assert (first == second) == (one == other and repr(sorted(one.items())) == repr(sorted(other.items())))
    assert first == digest_of(Feedback(id="f", kind="k", payload=dict(reversed(one.items()))))
