"""A known value is found as a whole token and nowhere else, and taken out of any JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercare.lifecycle.personal import ERASED, Person, learned

ANN = Person("C-1047", ["Ann Meyer", "ann@example.org", "Bo", "+49 170 1234567", "Hanna", "李明华"])
WORDS = st.text('abcXYZ é0-9_@.%-\n"\\', max_size=12)
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(WORDS, parts, max_size=3),
    max_leaves=8,
)
VALUES = st.lists(st.text("abXé0@. -", min_size=1, max_size=8).map(str.strip).filter(bool), min_size=1, max_size=3)


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("I am Ann Meyer.", "I am [erased]."),
        ("ANN  MEYER or ann\nmeyer", "[erased] or [erased]"),
        ("Joann Meyer and Ann Meyerling", "Joann Meyer and Ann Meyerling"),
        ("write to Ann@Example.org, or ann%40example.org.", "write to [erased], or [erased]."),
        ("jo.ann@example.org, ann@example.org.au, ann@example.organic", None),
        ("refund-C-1047, op_C-1047 (C-10470)", "refund-[erased], op_[erased] (C-10470)"),
        ("c-1047 is another's id", None),
        ("call +49 170 1234567 now", "call [erased] now"),
        ("Hanna and hanna, Hannah", "[erased] and hanna, Hannah"),
        ("Bo said so", None),
        ("Bo", "[erased]"),
        ("我是李明华。", "我是[erased]。"),
    ],
)
def test_whole_tokens_are_replaced(said: str, left: str | None) -> None:
    """Never a part of another word, address or id; what is short only where it is all there is."""
    assert ANN.forgotten(said) == (said if left is None else left)


def test_json_is_searched_whole() -> None:
    """Values, keys, lists, and JSON within texts."""
    told = {"Ann Meyer": [{"heard": '{"mail": "ann@example.org"}'}, 7, None, True]}
    assert ANN.forgotten(told) == {"[erased]": [{"heard": '{"mail": "[erased]"}'}, 7, None, True]}


def test_an_id_stays_an_id() -> None:
    """Where an id is expected, brackets would make the message unreadable."""
    assert ANN.forgotten({"receipt": "refund-C-1047", "id": "C-1047"}) == {"receipt": "refund-erased", "id": "erased"}


def test_other_customers_keep_their_ids() -> None:
    """One that only looks alike is somebody else's."""
    told = {"customer": "C-1047-2", "user_id": "C-1047", "customer_id": "Ann Meyer & Sons"}
    assert ANN.forgotten(told) == {**told, "user_id": ERASED}


def test_an_id_that_is_a_number_is_found_as_one() -> None:
    """As the customer of a record; not as a price, in a time or in another number."""
    told = {"customer_id": 2026, "price": 2026, "at": "2026-11-23T20:26:00Z", "note": "2026 called about 12026"}
    assert Person("2026").forgotten(told) == {**told, "customer_id": ERASED, "note": "[erased] called about 12026"}


def test_either_way_of_writing_an_accent_is_found() -> None:
    """é may be one character or two."""
    assert Person("x", ["Zoe\u0301 Brandt"]).forgotten("Zo\u00e9 Brandt") == ERASED
    assert Person("x", ["Zo\u00e9 Brandt"]).forgotten("Zoe\u0301 Brandt") == ERASED


def test_a_text_at_its_limit_does_not_outgrow_it() -> None:
    """A row must still be readable as the message it was."""
    text = "Anna " * 100
    assert len(Person("x", ["Anna"]).forgotten(text)) == len(text)


@given(VALUES, JSONS)
def test_what_was_taken_out_is_not_found_again(values: list[str], told: Any) -> None:
    """Once is enough, and what has no known value in it is left as it is."""
    person = Person(values[0], values[1:])
    left = person.forgotten(told)
    assert not person.stands_in(left) or "erased" in json.dumps(values)
    assert person.forgotten(left) == left


@given(VALUES, JSONS, st.integers(0, 2))
def test_a_hint_stands_wherever_a_value_does(values: list[str], told: Any, which: int) -> None:
    """So the database may look for hints alone, in JSON as it is stored, and in any case."""
    person = Person(values[0], values[1:])
    told = [told, f"- {values[which % len(values)].upper()} -", {values[0]: 1}]
    hints = person.hints()
    stored = json.dumps(told).lower()
    assert hints is None or not person.stands_in(told) or any(hint.lower() in stored for hint in hints)


@pytest.mark.parametrize(
    ("step", "values"),
    [
        ({"input": {"email": "ann@x.org"}, "output": "C-1"}, {"ann@x.org"}),
        ({"input": {"first_name": "Ann", "last_name": "Meyer", "zip": "1"}, "output": "C-1"}, {"Ann Meyer"}),
        (
            {
                "input": {"user_id": "C-1"},
                "output": {"name": {"first_name": "Ann", "last_name": "Meyer"}, "email": "a@x.org"},
            },
            {"Ann Meyer", "a@x.org"},
        ),
        ({"output": '{"id": "C-1", "e-mail": "ann@x.org", "name": "Ann Meyer"}'}, {"ann@x.org", "Ann Meyer"}),
        ({"output": [{"customer": "C-1", "phone": "+49 170 123"}, {"customer": "C-2", "phone": "+49 170 999"}]},
         {"+49 170 123"}),
        ({"input": {"user_id": "C-1", "name": "Blue T-Shirt"}}, set()),
        ({"input": {"order_id": "o"}, "output": {"email": "shop@x.org"}}, set()),
        ({"input": {"user_id": "C-1", "order_id": "o"}, "output": {"email": "carrier@x.org"}}, set()),
    ],
)  # fmt: skip
def test_only_records_of_the_person_tell_of_the_person(step: dict[str, Any], values: set[str]) -> None:
    """A record holds the id, was found by it, or led to it; a shirt's name and a carrier's address are not theirs."""
    assert learned("C-1", [], [step]) == values


def test_where_a_customer_is_reached_is_known() -> None:
    """The contact that the case was registered with."""
    assert learned("C-1", ["mailto:ann@x.org"], []) == {"ann@x.org"}
