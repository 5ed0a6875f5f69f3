"""What is read from a trace: loops, dead ends, backtracks, doubts; each with the steps to look at."""

from __future__ import annotations

import pytest

from aftercare.evidence.trace import backtracks, dead_ends, errors, fallbacks, loops, low_confidence
from aftercare.messages.case import Step
from tests.evidence.traces import CLASSIFY, REASON, act, read, says, trace

ORDER = {"order_id": "#W1001", "status": "pending"}


def classified(output: object) -> dict[str, object]:
    return {"kind": CLASSIFY, "name": "intent", "output": output}


def test_a_call_repeated_with_the_same_arguments_is_a_loop() -> None:
    """Counted beyond the first, each beside the call before it."""
    again = read("get_order", ORDER, order_id="#W1001")
    found = loops(trace(again, again, read("get_order", ORDER, order_id="#W1002"), again))
    assert found.found == ((1, 2), (2, 4))
    assert found.payload["steps"] == [1, 2, 4]


def test_the_same_arguments_in_another_spelling_are_the_same() -> None:
    """The order of keys and 1 for 1.0 change nothing; True is not 1."""
    one = read("search", [], a=1, b="x")
    assert loops(trace(one, read("search", [], b="x", a=1.0))).value == 1
    assert loops(trace(one, read("search", [], a=True, b="x"))).value == 0


def test_reading_again_after_an_act_on_the_same_record_is_no_loop() -> None:
    """The act may have changed what is read, and looking is right."""
    look = read("get_order", ORDER, order_id="#W1001")
    assert loops(trace(look, act("cancel_order", order_id="#W1001"), look)).value == 0


def test_reading_again_after_an_act_on_another_record_is_a_loop() -> None:
    """It cannot have changed the answer."""
    look = read("get_order", ORDER, order_id="#W1001")
    assert loops(trace(look, act("cancel_order", {"ok": True}, order_id="#W1002"), look)).found == ((1, 3),)


def test_reading_again_after_a_refused_act_is_a_loop() -> None:
    """What was refused changed nothing."""
    look = read("get_order", ORDER, order_id="#W1001")
    assert loops(trace(look, act("cancel_order", order_id="#W1001", error="shipped"), look)).value == 1


def test_a_retry_that_succeeds_is_no_loop_and_one_that_fails_alike_is() -> None:
    """Another answer shows that something had changed."""
    failed = read("get_order", None, order_id="#W1001", error="timeout")
    assert loops(trace(failed, read("get_order", ORDER, order_id="#W1001"))).value == 0
    assert loops(trace(failed, failed)).value == 1


def test_an_accepted_act_sent_again_is_a_loop_whatever_it_answers() -> None:
    """Its own first time is no reason to do it twice."""
    first = act("cancel_order", {"status": "cancelled"}, order_id="#W1001")
    again = act("cancel_order", None, order_id="#W1001", error="already cancelled")
    assert loops(trace(first, again)).found == ((1, 2),)


def test_what_is_no_call_is_no_loop() -> None:
    """Replies repeat themselves, and a classification of which no input was told may have had another one."""
    assert loops(trace(says("Yes?"), says("Yes?"), classified("refund"), classified("refund"))).value == 0
    thought = {"kind": REASON, "name": "think", "input": {"thought": "pay 833"}}
    assert loops(trace(thought, thought)).value == 1


def test_a_refused_way_that_was_given_up_is_a_dead_end() -> None:
    """All failed calls of it together are one."""
    refused = act("exchange_order", order_id="#W1001", error="not delivered")
    other = act("exchange_order", order_id="#W1001", item="blue", error="not delivered")
    assert dead_ends(trace(refused, says("Sorry"), other, says("Then not."))).found == ((1, 3),)


def test_a_way_that_worked_in_the_end_is_none() -> None:
    """The same tool was accepted later."""
    assert dead_ends(trace(read("find", error="no such user", email="a"), read("find", "ann", email="b"))).value == 0


def test_an_act_is_given_up_on_its_own_record() -> None:
    """That it was accepted for another order does not help this one."""
    refused = act("cancel_order", order_id="#W1001", error="shipped")
    assert dead_ends(trace(refused, act("cancel_order", order_id="#W1002"))).found == ((1,),)
    assert dead_ends(trace(refused, act("cancel_order", order_id="#W1001"))).value == 0


def test_a_failure_that_told_where_to_go_is_no_dead_end() -> None:
    """A later call asked with what it told."""
    refused = read("get_order", order_id="1001", error="did you mean #W1001X?")
    assert dead_ends(trace(refused, read("lookup", {}, id="#W1001X"))).value == 0
    assert dead_ends(trace(refused, read("lookup", {}, id="#W7777"))).value == 1


def test_a_setting_that_was_set_again_is_a_backtrack() -> None:
    """The later act on the same record supersedes the earlier."""
    first = act("update_order_address", order_id="#W1001", city="Denver")
    second = act("update_order_address", order_id="#W1001", city="Austin")
    assert backtracks(trace(first, second)).found == ((1, 2),)
    assert backtracks(trace(first, act("update_order_address", order_id="#W1002", city="Austin"))).value == 0


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("update_order_items", {"item_ids": ["1"], "size": "S"}, {"item_ids": ["2"], "size": "M"}),
        ("refund_order", {"amount": 5}, {"amount": 7}),
        ("update_order", {"city": "Denver"}, {"phone": "123"}),
    ],
)
def test_what_adds_to_an_act_does_not_supersede_it(name: str, one: object, other: object) -> None:
    """Other parts of the record, another amount on top, another field."""
    steps = (act(name, order_id="#W1001", **arguments) for arguments in (one, other))  # type: ignore[arg-type]
    assert backtracks(trace(*steps)).value == 0


def test_what_was_done_and_taken_back_is_a_backtrack() -> None:
    """In whatever style its tools are named."""
    assert backtracks(trace(act("modifyOrder", orderId="A1", x=1), act("cancelOrder", orderId="A1"))).found == ((1, 2),)
    assert backtracks(trace(act("modifyOrder", orderId="A1", x=1), act("cancelOrder", orderId="A2"))).value == 0


def test_an_act_that_makes_something_new_supersedes_nothing() -> None:
    """Two bookings of one customer are two bookings."""
    booked = [act("book_trip", user_id="ann", to=place) for place in ("Rome", "Oslo")]
    assert backtracks(trace(*booked)).value == 0


def test_another_intent_after_work_for_the_first_is_a_backtrack() -> None:
    """Unless the first was acted on or answered: then the second is another wish."""
    look = read("get_order", ORDER, order_id="#W1001")
    assert backtracks(trace(classified("refund"), look, classified({"intent": "exchange"}))).found == ((1, 3),)
    assert backtracks(trace(classified("refund"), look, classified("Refund"))).value == 0
    assert backtracks(trace(classified("refund"), classified("exchange"))).value == 0
    assert backtracks(trace(classified("refund"), look, says("Done."), classified("exchange"))).value == 0


def test_confidence_below_the_threshold_is_low_and_unreported_is_unknown() -> None:
    """Not reported is never zero."""
    steps = trace({"kind": CLASSIFY, "confidence": 0.4}, {"kind": CLASSIFY, "confidence": 0.5}, says("Hi"))
    assert low_confidence(steps, 0.5).found == ((1,),)
    assert low_confidence(trace(says("Hi")), 0.5).value is None


def test_errors_and_fallbacks_are_counted_with_their_steps() -> None:
    """As the agent reported them."""
    steps = trace(read("find", error="no"), {"kind": CLASSIFY, "fallback": True})
    assert errors(steps).found == ((1,),)
    assert fallbacks(steps).found == ((2,),)


def test_no_steps_are_no_findings() -> None:
    """An empty trace is no mistake."""
    nothing: tuple[Step, ...] = ()
    assert [find(nothing).value for find in (loops, dead_ends, backtracks, errors, fallbacks)] == [0] * 5
