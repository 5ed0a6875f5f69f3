"""Whatever a tool takes and gives becomes JSON of a bounded size, and looking at it never fails."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, NoReturn
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercare.client.bounded import DEEPEST, bounded
from aftercare.lifecycle.intake import check_size
from aftercare.messages.case import Action

ANY_TEXT = st.text(st.characters(codec=None, categories=None), max_size=300)
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT | st.binary() | st.builds(object) | st.dates()
)
KEYS = ANY_TEXT | st.integers() | st.none() | st.tuples(st.integers())
ANYTHING = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(KEYS, inner))
PLAIN_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
PLAIN_LEAVES = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | PLAIN_TEXT
PLAIN = st.recursive(
    PLAIN_LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PLAIN_TEXT, inner), max_leaves=9
)


@given(value=ANYTHING, largest=st.integers(64, 2_000))
def test_whatever_it_is_it_becomes_json_within_its_bounds(value: Any, largest: int) -> None:
    """Text that no database keeps, numbers that are none, objects: all of it."""
    told = json.dumps(bounded(value, largest), allow_nan=False)
    assert len(told) <= largest
    check_size(json.loads(told), largest)


@given(value=PLAIN)
def test_json_that_fits_stays_as_it_is(value: Any) -> None:
    """Nothing is lost of what a tool usually gives."""
    assert bounded(value) == value


def test_what_goes_too_deep_ends_with_the_name_of_its_type() -> None:
    """So does what contains itself."""
    loop: list[Any] = []
    loop.append(loop)
    assert json.dumps(bounded(loop)).count("[") == DEEPEST
    assert bounded([[[[1]]]], deepest=2) == [["list"]]


def test_what_is_no_json_becomes_the_name_of_its_type() -> None:
    """And never what it says of itself, which may be anything."""

    class Session:
        def __repr__(self) -> NoReturn:
            raise AssertionError("nobody asks for this")

    given = {"session": Session(), "raw": b"123", "numbers": {1, 2}, "none": float("nan"), "huge": 10**30}
    told = {"session": "Session", "raw": "bytes", "numbers": "set", "none": "float", "huge": "int"}
    assert bounded(given) == told


def test_an_object_that_cannot_be_looked_at_is_told_by_its_type() -> None:
    """Nothing that happens in it reaches the agent."""

    class Hostile:
        def model_dump(self, **_: Any) -> NoReturn:
            raise RuntimeError("no")

    assert bounded(Hostile()) == "Hostile"
    assert bounded(iter([1])) == "list_iterator"


class Colour(Enum):
    RED = "red"


@dataclass
class Order:
    id: str
    placed: date


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (Colour.RED, "red"),
        (Order("#1", date(2026, 1, 2)), {"id": "#1", "placed": "2026-01-02"}),
        (Action(name="cancel"), {"name": "cancel", "arguments": {}, "step": None, "receipt": None}),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
        ((Decimal("1.50"), UUID(int=1)), ["1.50", "00000000-0000-0000-0000-000000000001"]),
        ({1: "a", None: "b"}, {"1": "a", "None": "b"}),
    ],
)
def test_the_usual_values_become_what_they_hold(value: Any, told: Any) -> None:
    """Models, dataclasses, enums, moments, amounts."""
    assert bounded(value) == told


def test_what_was_cut_says_so() -> None:
    """A text ends with an ellipsis; lists and objects say how many more there were."""
    assert bounded("x" * 1_000, 64).endswith("x…")
    assert bounded(list(range(1_000)), 100)[-1] == "… 983 more"
    assert bounded({str(n): n for n in range(1_000)}, 100)["…"] == "993 more"
