"""Verify effects, not steps: what the net of the claimed actions must leave in the systems of record."""

from __future__ import annotations

from typing import Any

import pytest

from aftercare.messages.case import Action
from aftercare.messages.policy import FactCheck, Verification
from policies.book import PolicyBook
from policies.effects import Expected, corrected, expected, met, net, status_of, undone
from policies.facts import Known
from tests.policies.played import everything, needs_recordings
from tests.policies.small import before, made


def wants(value: Any, field: str = "status", looks_for: str = "equals") -> Expected:
    return Expected("shop", "orders/W1", field, looks_for, value)


def act(name: str, receipt: str | None = "op-1", **arguments: Any) -> Action:
    return Action(name=name, arguments={"order_id": "W1"} | arguments, receipt=receipt)


def effects_of(known: Known, *actions: Action, book: PolicyBook | None = None) -> list[Expected]:
    return expected(book or made(), actions, known)[0]


def noting(effect: str = '{record: "orders/{args.order_id}", field: notes, grows_by: "1"}') -> PolicyBook:
    """The small book with one more action, of one effect."""
    return made(outcomes=f"actions:\n  note:\n    does: note\n    system: shop\n    effects:\n      - {effect}\n")


def test_a_later_effect_on_a_field_takes_the_place_of_an_earlier_one() -> None:
    """What the last action left is what must stand."""
    assert net([wants("cancelled"), wants("a", "zip"), wants("pending")]) == [wants("pending"), wants("a", "zip")]


def test_increases_of_a_field_accumulate() -> None:
    """Two credits are looked for as one sum on top of what stood before the first."""
    known = {**before("op-1", balance=10.0), **before("op-2", balance=15.0)}
    credits = [act("credit", "op-1", amount=5.0), act("credit", "op-2", amount=2.5)]
    (effect,) = effects_of(known, *credits)
    assert met(effect, {"balance": 17.5}).held
    assert met(effect, {"balance": 12.5}).found == 12.5


def test_a_sum_with_an_unknown_in_it_is_unknown() -> None:
    """A credit whose start nobody can tell does not vanish behind a later one."""
    credits = [act("credit", None, amount=5.0), act("credit", "op-2", amount=2.5)]
    (effect,) = effects_of(before("op-2", balance=15.0), *credits)
    assert not effect.known
    assert met(effect, {"balance": 17.5}).held is None


def test_what_two_actions_add_to_a_list_is_looked_for_both() -> None:
    """An item that a later action adds does not take the place of an earlier one."""
    first, second = wants(["a"], "history", "contains_all"), wants(["b"], "history", "contains_all")
    (both,) = net([first, second])
    assert both.value == ["a", "b"]


def test_a_list_that_grows_is_counted_from_before() -> None:
    """Two actions that each add an entry nobody can name are looked for as two more than before the first."""
    known = {**before("op-1", notes=["a"]), **before("op-2", notes=["a", "x"])}
    (effect,) = effects_of(known, act("note", "op-1"), act("note", "op-2"), book=noting())
    assert met(effect, {"notes": ["a", "x", "y"]}).held
    assert not met(effect, {"notes": ["a", "x"]}).held
    assert met(effect, {"notes": 3}).held is False


def test_a_list_that_nobody_saw_before_cannot_be_said_to_grow() -> None:
    """How long it was is not known, so neither is how long it should be."""
    (effect,) = effects_of(before(notes="a"), act("note"), book=noting())
    assert met(effect, {"notes": ["a", "b"]}).held is None


def test_an_effect_is_looked_for_once_per_item() -> None:
    """Each label of the call has a place of its own; a call without labels expects nothing."""
    book = noting('{record: "orders/{args.order_id}", field: "tags.{item}.set", each: args.items, equals: "true"}')
    first, second = effects_of({}, act("note", items=["a", "b"]), book=book)
    assert (first.field, second.field) == ("tags.a.set", "tags.b.set")
    assert met(first, {"tags": {"a": {"set": True}}}).held
    assert effects_of({}, act("note", items=[]), book=book) == []


def test_items_nobody_can_tell_leave_their_effect_open() -> None:
    """A call whose labels are not known expects something, and nobody knows what."""
    book = noting('{record: "orders/{args.order_id}", field: "tags.{item}.set", each: args.items, equals: "true"}')
    (effect,) = effects_of({}, act("note"), book=book)
    assert met(effect, {}).held is None


def test_the_entries_of_a_map_are_found_like_those_of_a_list() -> None:
    """An entry whose name only the system of record knows is found by what it holds."""
    effect = wants([{"amount": 5.0}], "cards", "contains_all")
    assert met(effect, {"cards": {"c1": {"amount": 5, "id": "c1"}}}).held
    assert not met(effect, {"cards": {"c1": {"amount": 6, "id": "c1"}}}).held


def test_an_action_nobody_described_expects_nothing() -> None:
    """Without effects in the book there is nothing to look for, and that is no success."""
    assert effects_of({}, act("sing")) == []
    assert status_of([]) is Verification.UNVERIFIABLE


def test_an_effect_that_cannot_be_told_is_no_failure() -> None:
    """Without a receipt nobody knows what a credit was added to."""
    (effect,) = effects_of({}, act("credit", None, amount=5.0))
    assert not effect.known
    assert met(effect, {"balance": 5.0}).held is None


@pytest.mark.parametrize(("found", "held"), [(["a", "b", "a"], True), (["a", "b"], False), (None, False)])
def test_contained_items_count_each_on_its_own(found: list[str] | None, held: bool) -> None:
    """One item in the record does not stand for two that must be there."""
    assert met(wants(["a", "a"], "history", "contains_all"), {"history": found}).held is held


def test_an_item_is_found_by_the_fields_it_names() -> None:
    """A refund may carry more than what is asked of it, but nothing else instead."""
    effect = wants([{"type": "refund", "amount": 9.99}], "history", "contains_all")
    assert met(effect, {"history": [{"type": "payment"}, {"type": "refund", "amount": 9.99, "by": "card"}]}).held
    assert not met(effect, {"history": [{"type": "refund", "amount": 5.0}]}).held


@pytest.mark.parametrize(("found", "held"), [(["b", "a"], True), (["a", "b", "b"], False), ("ab", False)])
def test_the_same_items_may_come_in_any_order(found: Any, held: bool) -> None:
    """Order does not count, number does."""
    assert met(wants(["a", "b"], "labels", "same_items"), {"labels": found}).held is held


@pytest.mark.parametrize(("found", "held"), [(10.01, True), (10, True), (10.02, False), (True, False), (None, False)])
def test_amounts_may_differ_by_a_cent(found: Any, held: bool) -> None:
    """Sums of rounded cents may be a cent off, and no more."""
    assert met(wants(10.0, "paid"), {"paid": found}).held is held


def test_a_differing_fact_is_shown() -> None:
    """A failure says where, what was expected, and what was found."""
    check = met(wants("cancelled"), {"status": "pending"})
    assert (check.record, check.field, check.expected, check.found) == ("orders/W1", "status", "cancelled", "pending")


def test_undoing_means_the_fields_as_they_stood_before() -> None:
    """Taken back is a field that stands again as before the first operation of the case, however it was changed."""
    effects, missing = undone(
        [wants("cancelled"), wants(["x"], "history", "contains_all")], "op-1", before(status="ok")
    )
    assert [(e.field, e.looks_for, e.value) for e in effects] == [
        ("status", "equals", "ok"),
        ("history", "equals", None),
    ]
    assert not missing


def test_undoing_asks_for_the_record_it_needs() -> None:
    """Until the record as it stood is read, nothing is known."""
    effects, missing = undone([wants("cancelled")], "op-1", {})
    assert not effects[0].known
    assert missing == set(before())


def test_a_correction_keeps_what_a_person_did_and_takes_back_the_rest() -> None:
    """Where the person's own actions are silent, what the agent changed must be as before."""
    undo = [wants("pending"), wants("Elm Road", "address")]
    right = [wants("Oak Lane", "address.street")]
    assert corrected(undo, right) == [wants("pending"), *right]


@pytest.mark.parametrize(
    ("held", "status"),
    [
        ((True, True), Verification.VERIFIED),
        ((True, None), Verification.UNVERIFIABLE),
        ((None, False), Verification.FAILED),
    ],
)
def test_one_failure_fails_and_one_unread_proves_nothing(held: tuple[bool | None, ...], status: Verification) -> None:
    """Verified only where every fact was seen to hold."""
    assert status_of([FactCheck(system="shop", record="orders/W1", field="f", held=h) for h in held]) is status


@needs_recordings
@pytest.mark.parametrize(("domain", "facts"), [("retail", 900), ("airline", 370)])
def test_what_the_systems_accepted_is_verified(domain: str, facts: int) -> None:
    """Every expected effect of every accepted write of the recordings is there afterwards."""
    checks = [check for case in everything(domain) for check in case.checks]
    assert len(checks) > facts
    assert status_of(checks) is Verification.VERIFIED
