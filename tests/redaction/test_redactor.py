"""JSON goes in, the same JSON without personal data comes out, and nothing else is changed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercare.messages.case import Case, Step, StepKind
from aftercare.redaction import PATTERNS_ONLY, Known, redactor_of
from aftercare.redaction.model import is_installed
from tests.redaction.labelled import sentences

PATTERNS = redactor_of(wants_names=False)
RECORD = {
    "user_id": "noah_brown_6181",
    "name": {"first_name": "Noah", "last_name": "Brown"},
    "address": {"address1": "986 Sunset Drive", "address2": "Suite 259", "city": "Denver", "zip": "80279"},
    "email": "noah.brown7922@example.com",
    "phone": "+1 415 555 0132",
    "dob": "1990-04-05",
    "orders": ["#W7678072"],
}
CASE = Case(id="c-1", agent="shop", domain="retail", customer="noah_brown_6181", contact="mailto:nb@example.org")
KNOWN = Known.of(CASE, [Step(number=1, kind=StepKind.RETRIEVE, name="get_user", output=json.dumps(RECORD))])

PIECES = st.sampled_from(
    ["Noah", "brown", "986 Sunset Dr", ", Denver", "80279", "[name]", "[address]", "a@b.example", "+1 415 555 0132",
     " ", "my name is ", "Dear ", "zip ", "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00",
     "\n", ",", "order ", "x"]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=8).map("".join) | st.text("aA1 .@-()+[]:,", max_size=40)
JSONS = st.recursive(
    TEXTS | st.none() | st.integers() | st.booleans(),
    lambda parts: (
        st.lists(parts, max_size=3)
        | st.dictionaries(st.sampled_from(["email", "zip", "name", "note", "order_id", "address", "phone"]), parts)
    ),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("I am noah brown", "I am [name]"),
        ("Thank you, Noah!", "Thank you, [name]!"),
        ("Brown, Noah (he wants the brown one, not Brown Sugar)", "[name] (he wants the brown one, not Brown Sugar)"),
        ("ship to 986 sunset dr., suite 259, denver 80279", "ship to [address]"),
        ("I fly from Denver to Boston", "I fly from Denver to Boston"),
        ("my name is spelled wrong", "my name is spelled wrong"),
        ("it costs 80279.00, item 80279123", "it costs 80279.00, item 80279123"),
        ("call 415.555.0132 or (415) 555-0132", "call [phone] or [phone]"),
        ("born April 5, 1990 or 5 Apr 1990 or 04/05/1990", "born [birth date] or [birth date] or [birth date]"),
        ("refund-noah_brown_6181 to NB@example.org", "refund-[customer] to [email]"),
        ("order #W7678072 was placed on 2024-04-05", "order #W7678072 was placed on 2024-04-05"),
    ],
)
def test_what_is_known_is_found_however_it_is_written(said: str, left: str) -> None:
    """In any case, in parts, shortened, regrouped; ordinary words and towns by themselves stay."""
    assert PATTERNS.redacted(said, KNOWN) == left


def test_values_go_by_their_keys_and_keys_stay() -> None:
    """So do numbers; a product's name, an order's id and what is no such value are left."""
    left = PATTERNS.redacted({**RECORD, "zip": 80279, "phone_model": "Pixel 8", "email_sent": True})
    assert left == {
        "user_id": "[customer]",
        "name": {"first_name": "[name]", "last_name": "[name]"},
        "address": {"address1": "[address]", "address2": "[address]", "city": "[address]", "zip": "[address]"},
        "email": "[email]",
        "phone": "[phone]",
        "dob": "[birth date]",
        "orders": ["#W7678072"],
        "zip": "[address]",
        "phone_model": "Pixel 8",
        "email_sent": True,
    }


@pytest.mark.parametrize("indent", [None, 2], ids=["one line", "indented"])
def test_json_within_a_text_is_read_as_json(indent: int | None) -> None:
    """And written again as it was."""
    told = json.dumps({"note": "é", **RECORD}, indent=indent, ensure_ascii=False)
    left = PATTERNS.redacted({"output": told})["output"]
    assert left == told.replace(
        json.dumps(RECORD, indent=indent)[2:-2].strip(),
        json.dumps(PATTERNS.redacted(RECORD), indent=indent)[2:-2].strip(),
    )
    assert '"email": "[email]"' in left
    assert "é" in left


@pytest.mark.parametrize(
    "value",
    [
        {"order_id": "4155550187", "tracking_id": ["357962501027"], "price": 488.81},
        {"item_ids": ["4242424242424242"], "sku": "415-555-0187", "created_at": "2024-05-06T23:58:10"},
        {"options": {"color": "brown", "size": "M"}, "name": "Water Bottle", "product_id": "8310926033"},
        {"passengers": 3, "reservation_id": "4WQ150", "flights": [{"origin": "DFW", "date": "2024-05-22"}]},
        {"city": "Denver", "temperature": 21},
        "[{broken",
        "",
        None,
    ],
)
def test_ids_dates_and_amounts_stay(value: Any) -> None:
    """A dataset whose order ids are eaten teaches nothing."""
    assert PATTERNS.redacted(value, KNOWN) == value


@given(JSONS)
def test_redacted_twice_is_redacted_once(value: Any) -> None:
    """Placeholders are never taken for anything, whatever stands beside them."""
    once = PATTERNS.redacted(value, KNOWN)
    assert PATTERNS.redacted(once, KNOWN) == once


def test_the_labelled_set_redacted_twice_is_redacted_once() -> None:
    for sentence in sentences(graded=True) + sentences(graded=False):
        once = PATTERNS.redacted(sentence.said, sentence.known)
        assert PATTERNS.redacted(once, sentence.known) == once, sentence.id


def test_the_mode_says_how_thoroughly_was_looked() -> None:
    """Who asks for the model where it is not installed is told so, and gets nothing less instead."""
    assert PATTERNS.mode == PATTERNS_ONLY
    if is_installed():
        assert redactor_of().mode == redactor_of(True).mode == "patterns and names"
    else:
        assert redactor_of().mode == PATTERNS_ONLY
        with pytest.raises(ImportError, match=r"aftercare\[pii\]"):
            redactor_of(True)
