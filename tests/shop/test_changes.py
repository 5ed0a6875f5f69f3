"""What differs between two states of a record, and which fact of a write may be the wrong one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercare.demo.shop.changes import alike, applied, changes
from aftercare.demo.shop.wrong import wrong_fact

values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=8,
)
records = st.none() | st.dictionaries(st.sampled_from("xyz"), values, max_size=3)


@given(records, records)
def test_changes_lead_from_one_state_to_the_other(before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
    """Applied, they give the other state; and there are none where nothing differs."""
    assert applied(before, changes(before, after)) == after
    assert changes(after, after) == []


def test_objects_are_looked_into_and_a_list_is_one_fact() -> None:
    """So many facts as a person would count: an address has six, a history is one."""
    before = {"address": {"city": "Hull", "zip": "1"}, "history": [1], "note": "x", "paid": 0.1 + 0.2}
    after = {"address": {"city": "Bath", "zip": "1"}, "history": [1, 2], "reason": "y", "paid": 0.3}
    assert [change.name for change in changes(before, after)] == ["address.city", "history", "note", "reason"]
    assert [change.name for change in changes(None, after)] == [""]


def test_a_change_of_what_is_not_there_is_lost() -> None:
    """An update of a record that never came to be makes no record."""
    update = changes({"a": {"b": 1}}, {"a": {"b": 2}})
    assert applied(None, update) is None
    assert applied({"c": 1}, update) == {"c": 1}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [(1.0, 1.004, True), (1.0, 1.01, False), (True, 1, False), ([1.0], [1.001], True), ({"a": None}, {}, False)],
)
def test_amounts_may_differ_by_less_than_half_a_cent(one: Any, other: Any, same: bool) -> None:
    """Nothing else may: not what is absent and null, not a truth and a number."""
    assert alike(one, other) is same


def wrong(before: Any, after: Any, *peers: Any, id: str = "1") -> set[tuple[Any, ...]]:
    """Every wrong fact that can be drawn: the way to it, and its value."""
    others = {str(n): peer for n, peer in enumerate(peers)}
    drawn = (wrong_fact({("things", id): (before, after)}, lambda _: others, choice) for choice in range(60))
    return {(*fact.way, fact.stored) for fact in drawn if fact}


def test_a_wrong_value_is_one_that_other_records_have_there() -> None:
    """At any place of a list, under any name of a collection; but neither the right one nor the one before."""
    before = {"cards": {"c1": {"amount": 5}}, "bags": [1]}
    after = {"cards": {"c1": {"amount": 3}}, "bags": [1]}
    peers = ({"cards": {"c7": {"amount": 5}, "c8": {"amount": 8}}}, {"cards": {"c9": {"amount": "9"}}}, after)
    assert wrong(before, after, *peers) == {("cards", "c1", "amount", 8)}


@pytest.mark.parametrize(
    ("right", "stored"), [("A-19", "A-10"), ("gone", "gone?"), ("", "?"), (7, 17), (2.5, 12.5), (True, False)]
)
def test_where_no_record_has_another_value_one_near_it_is_taken(right: Any, stored: Any) -> None:
    """The type stays."""
    assert wrong({}, {"field": right}) == {("field", stored)}


def test_the_names_that_the_shop_itself_gives_are_never_wrong() -> None:
    """Another name would be another record's: of the record itself, of an entry that is filed under its own name."""
    assert wrong(None, {"id": "1", "bags": 2}) == {("bags", 12)}
    assert wrong({}, {"cards": {"c1": {"id": "c1", "amount": 5}}}) == {("cards", "c1", "amount", 15)}


def test_a_write_that_sets_nothing_has_nothing_wrong() -> None:
    """What it takes away, or leaves as it was, can only be dropped."""
    assert wrong({"a": 1, "b": 2}, {"a": 1}) == set()
