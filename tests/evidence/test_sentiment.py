"""The trend of a customer's mood: least squares over the turns that were scored."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercare.evidence.sentiment import pieces_of_sentiment, share_falling, trend, turns
from tests.evidence.traces import read, says, trace

scores = st.lists(st.none() | st.floats(-1, 1), max_size=20)


def slope(of: list[float | None]) -> float:
    found = trend(of)
    assert found
    return found.slope


def test_the_slope_is_per_turn() -> None:
    """A turn without a score keeps its place."""
    assert slope([-0.5, 0.0, 0.5]) == pytest.approx(0.5)
    assert slope([-0.5, None, 0.5]) == pytest.approx(0.5)


def test_one_score_is_no_trend() -> None:
    """Neither are none; both are unknown and not flat."""
    assert trend([]) is None
    assert trend([None, 0.4, None]) is None


@given(scores)
def test_turning_everything_round_turns_the_slope_round(of: list[float | None]) -> None:
    """The slope is antisymmetric, in the scores and in their order."""
    if (found := trend(of)) is None:
        return
    assert slope([None if score is None else -score for score in of]) == pytest.approx(-found.slope)
    assert slope(of[::-1]) == pytest.approx(-found.slope)


@given(scores, st.floats(-1, 1))
def test_a_mood_that_is_as_much_better_throughout_has_the_same_trend(of: list[float | None], by: float) -> None:
    """The slope asks how it changed."""
    if (found := trend(of)) is not None:
        assert slope([None if score is None else score + by for score in of]) == pytest.approx(found.slope, abs=1e-9)


@given(scores)
def test_moves_that_fall_are_a_share(of: list[float | None]) -> None:
    """And a mood that only rises has none."""
    if (found := trend(of)) is not None:
        assert 0 <= found.falling <= 1
        ordered = sorted(score for score in of if score is not None)
        rising = trend(list(ordered))
        assert rising
        assert rising.falling == 0


def test_the_share_of_falling_cases_is_of_those_that_are_known() -> None:
    """None where none is."""
    assert share_falling([-0.1, 0.2, None, 0.0]) == pytest.approx(1 / 3)
    assert share_falling([None]) is None


def test_turns_are_what_the_customer_said() -> None:
    """Steps before which nothing was heard are none of them."""
    steps = trace(says("Hello", heard="Hi"), read("get", {}), says("?", heard="  "), says("Bye", heard="Awful!"))
    assert [(turn.step, turn.heard) for turn in turns(steps)] == [(1, "Hi"), (4, "Awful!")]


def test_each_scored_turn_is_a_piece_and_so_is_the_slope() -> None:
    """What was not scored is no piece, and never zero."""
    steps = trace(says("a", heard="Hi"), says("b", heard="..."), says("c", heard="Awful!"))
    pieces = pieces_of_sentiment(steps, [0.2, None, -0.6], episode=3)
    assert [(piece.id, piece.value) for piece in pieces] == [
        ("computed/sentiment/3/1", 0.2),
        ("computed/sentiment/3/3", -0.6),
        ("computed/sentiment_slope/3", pytest.approx(-0.4)),
    ]
    assert pieces[-1].payload == {"falling": 1, "scored": 2, "turns": 3}


def test_scores_of_other_turns_are_refused() -> None:
    """A score too few would be put beside the wrong words."""
    with pytest.raises(ValueError, match="zip"):
        pieces_of_sentiment(trace(says("a", heard="Hi")), [])
