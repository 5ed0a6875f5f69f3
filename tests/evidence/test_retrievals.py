"""A retrieval is irrelevant if nothing of it was used, and not if it only ruled something out or answered "none"."""

from __future__ import annotations

from aftercare.evidence.retrievals import irrelevant_retrievals
from tests.evidence.traces import act, read, says, trace

KETTLE = {"item": "blue kettle", "price": 54.04, "status": "delivered"}
LAMP = {"item": "desk lamp", "price": 135.24, "status": "pending"}
NOTHING_OF_IT = says("I have sent you the label.")


def test_what_was_never_used_is_irrelevant() -> None:
    """Nothing of it is in a later input or in later words."""
    search = read("search", {"title": "Warranty of toasters"}, query="returns")
    steps = trace(search, act("send_label", order_id="#W1001"), NOTHING_OF_IT)
    assert irrelevant_retrievals(steps).found == ((1,),)


def test_what_was_said_later_was_used() -> None:
    """A price counts however it is written."""
    steps = trace(read("get_product", {"price": 1234.5}, query="x"), act("note", text="x"), says("It is $1,234.50."))
    assert irrelevant_retrievals(steps).value == 0


def test_what_a_later_call_asked_with_was_used() -> None:
    """So are ids that lead to the next call."""
    steps = trace(read("find", {"order": "#W1001"}, email="x"), act("cancel", order_id="#W1001"), NOTHING_OF_IT)
    assert irrelevant_retrievals(steps).value == 0


def test_what_the_ending_told_was_used() -> None:
    """An agent that reports its reply with its resolution has said it all the same."""
    steps = trace(read("get_product", KETTLE, query="x"), act("note", text="x"))
    assert irrelevant_retrievals(steps).value == 1
    assert irrelevant_retrievals(steps, ["Your kettle was delivered."]).value == 0


def test_looking_before_an_act_on_what_was_looked_at_is_no_waste() -> None:
    """It was a check, even if nothing of it was said."""
    steps = trace(read("get_order", KETTLE, order_id="#W1001"), act("return_order", order_id="#W1001"), NOTHING_OF_IT)
    assert irrelevant_retrievals(steps).value == 0


def test_a_search_that_found_nothing_may_be_the_answer() -> None:
    """ "There is none below 100" uses what was found without repeating it."""
    searches = [read("search", found, query=query) for found, query in ((KETTLE, "a"), (LAMP, "b"))]
    assert irrelevant_retrievals(trace(*searches, says("There is none like that."))).value == 0


def test_going_through_a_list_rules_out_and_stands_apart() -> None:
    """Somebody has to look at the first order to see that it is not the one."""
    listed = read("get_user", {"orders": ["#W1001", "#W1002"]}, user_id="ann")
    looked = [read("get_order", o, order_id=id) for o, id in ((KETTLE, "#W1001"), (LAMP, "#W1002"))]
    found = irrelevant_retrievals(trace(listed, *looked, says("Your desk lamp is on its way.")))
    assert found.value == 0
    assert found.payload["ruled_out"] == [2]


def test_asking_again_in_other_words_leaves_the_first_search_irrelevant() -> None:
    """The agent made the question up itself, and its first one brought nothing of use."""
    searches = [read("search", [KETTLE], query="kitchen"), read("search", [LAMP], query="light")]
    assert irrelevant_retrievals(trace(*searches, says("The desk lamp costs 135.24."))).found == ((1,),)


def test_what_cannot_be_known_again_is_not_accused() -> None:
    """An empty list, a bare value, an error."""
    told: tuple[object, ...] = ([], "ann_lee_1001", True, {"ok": True, "n": 7})
    steps = [read("search", output, query="x") for output in told]
    failed = read("search", None, query="x", error="timeout after 3000 ms")
    assert irrelevant_retrievals(trace(*steps, failed, act("close", id="7"))).value == 0


def test_retrievals_without_outputs_are_unknown() -> None:
    """An agent that reports no outputs has not wasted nothing: nobody can say."""
    assert irrelevant_retrievals(trace(read("search", None, query="x"))).value is None
    assert irrelevant_retrievals(trace(says("Hello"))).value == 0


def test_everyday_words_of_a_long_text_do_not_show_that_it_was_used() -> None:
    """Of prose only ids, numbers and longer words tell."""
    text = "You can have your money back when the toaster that you have sent us still has its original packaging on."
    article = {"text": text}
    steps = trace(read("search", article, query="xy"), act("close", id="7"), says("You can have that sent back."))
    assert irrelevant_retrievals(steps).value == 1
