"""What is answered becomes feedback of known kinds; what is not answered becomes nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercare.asking.survey import (
    LONGEST_COMMENT,
    QUESTIONS,
    NotAnswered,
    answers_in,
    evidence_ids,
    feedback_of,
)
from aftercare.lifecycle.intake import parse
from aftercare.messages.evidence import Family, Feedback
from aftercare.messages.kinds import KINDS

CHOICES = {q.kind: st.sampled_from([str(o.value) for o in q.options]) for q in QUESTIONS}
COMMENTS = st.text(st.characters(codec="utf-8"), max_size=LONGEST_COMMENT)
FORMS = st.fixed_dictionaries({}, optional={**CHOICES, "comment": COMMENTS})


def pieces(form: dict[str, str]) -> list[Feedback]:
    return feedback_of(answers_in(form), "survey-1")


@given(FORMS)
def test_what_is_answered_is_told_and_nothing_else(form: dict[str, str]) -> None:
    """A value for each question answered, within the bounds of its kind; the comment once."""
    try:
        told = pieces(form)
    except NotAnswered:
        assert not set(form) - {"comment"}
        return
    assert {p.kind: str(int(p.value)) for p in told if p.value is not None} == {
        kind: value for kind, value in form.items() if kind != "comment"
    }
    assert all(KINDS[p.kind].problem(p.value) is None for p in told if p.kind in KINDS)
    assert sum(1 for p in told if p.comment) <= 1


@given(FORMS)
def test_every_answer_can_be_taken_in(form: dict[str, str]) -> None:
    """The door refuses none of them, and each lies under an id by which it is looked for."""
    try:
        told = pieces(form)
    except NotAnswered:
        return
    for piece in told:
        assert parse(Feedback, piece.model_dump(mode="json", exclude_defaults=True)) == piece
    assert {p.id for p in told} <= set(evidence_ids("survey-1"))


def test_a_comment_rides_on_the_first_answer() -> None:
    """And every piece names what was answered together."""
    first, second = pieces({"csat": "4", "ces": "6", "comment": " Quick!\r\nThank you. "})
    assert (first.id, first.value, first.unit, first.comment) == ("survey-1-csat", 4, "1-5", "Quick!\nThank you.")
    assert (second.id, second.value, second.comment) == ("survey-1-ces", 6, "")
    assert first.payload == second.payload == {"survey": "survey-1", "answered": ["csat", "ces", "comment"]}


def test_a_comment_alone_is_a_piece_without_a_value() -> None:
    """Unknown is null, never zero."""
    (only,) = pieces({"comment": "It was fine."})
    assert (only.kind, only.value, only.comment, only.family) == ("comment", None, "It was fine.", Family.EXPLICIT)


def test_no_is_an_answer() -> None:
    """Zero is what was said there, and not that nothing was."""
    (only,) = pieces({"resolved": "0"})
    assert only.value == 0


@pytest.mark.parametrize("value", ["0", "6", "-1", "4.5", "five", "4 "])
def test_only_what_is_shown_may_be_chosen(value: str) -> None:
    """A form can be sent by anybody."""
    with pytest.raises(NotAnswered) as refused:
        answers_in({"csat": value})
    assert set(refused.value.problems) == {"csat"}


def test_nothing_answered_is_not_an_answer() -> None:
    """White space neither."""
    with pytest.raises(NotAnswered, match="at least one question"):
        answers_in({"comment": " \r\n ", "csat": ""})


def test_a_comment_is_counted_as_it_was_typed() -> None:
    """A form sends two characters for the end of a line; it has as many as the person saw."""
    long = "x\r\n" * (LONGEST_COMMENT // 2 - 1)
    assert answers_in({"comment": long + "yz"}).comment.endswith("yz")
    with pytest.raises(NotAnswered, match="It has 1 too many"):
        answers_in({"comment": long + "xyz"})


def test_what_is_no_text_is_left_out_of_a_comment() -> None:
    """Not every database keeps it."""
    assert answers_in({"comment": "a\x00b\ud800c\td"}).comment == "abc\td"
