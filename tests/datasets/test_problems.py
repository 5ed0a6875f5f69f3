"""No problem stands on two sides, and a problem finds the same side again."""

from __future__ import annotations

import json
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from aftercare.learning.datasets.problems import Marks, Problems, Side, marks_of, opening_of, side_of
from aftercare.messages.case import Action, Case, Step, StepKind
from aftercare.messages.override import Override


def known_by(kind: str) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from([f"{kind}{n}" for n in range(8)]), max_size=2)


by_marks = st.lists(st.tuples(known_by("customer"), known_by("ticket"), known_by("opening")), max_size=30)
some_cases = by_marks.map(lambda found: [Marks(str(n), *marks) for n, marks in enumerate(found)])


def heard(*said: str) -> tuple[Step, ...]:
    return tuple(Step(number=n, kind=StepKind.REPLY, heard=text) for n, text in enumerate(said, 1))


def about(id: str = "c", **other: str) -> Case:
    return Case.model_validate({"id": id, "agent": "a", "domain": "retail"} | other)


def parted(*cases: Marks, audited: tuple[Marks, ...] = ()) -> list[tuple[str, Side]]:
    problems = Problems()
    for case in cases:
        problems.add(case)
    for case in audited:
        problems.add_audited(case)
    found = problems.parted()
    return [(found[case.case_id].key, found[case.case_id].side) for case in cases]


@given(some_cases)
def test_what_shares_a_mark_shares_a_side(cases: list[Marks]) -> None:
    """Whatever they have in common: customer, ticket or opening words."""
    found = list(zip(cases, parted(*cases), strict=True))
    for one, problem in found:
        assert all(problem == other for two, other in found if one.all & two.all)


@given(some_cases)
def test_the_order_in_which_cases_come_changes_nothing(cases: list[Marks]) -> None:
    """The same cases fall into the same problems."""
    assert parted(*cases) == parted(*cases[::-1])[::-1]


def test_a_chain_is_one_problem() -> None:
    """One has the customer of the second, which has the ticket of the third."""
    one = Marks("1", customers=frozenset("a"))
    two = Marks("2", customers=frozenset("a"), tickets=frozenset("t"))
    three = Marks("3", tickets=frozenset("t"))
    assert len({key for key, _ in parted(one, two, three)}) == 1


def test_a_fifth_is_held_out() -> None:
    """Of many problems, and by their keys alone."""
    sides = Counter(side_of(str(n)) for n in range(10_000))
    assert sides.keys() == {Side.TRAIN, Side.HELD_OUT}
    assert 0.18 < sides[Side.HELD_OUT] / 10_000 < 0.22


def test_a_customer_finds_the_same_side_again() -> None:
    """In the next dataset too, with another case and other words."""
    first = marks_of(about("c1", customer="ann", ticket="t:1"), heard("My kettle does not boil"))
    later = marks_of(about("c2", customer="ann"), heard("The toaster is not the one I ordered"))
    assert parted(first) == parted(later)


def test_whatever_touches_the_audit_stands_apart() -> None:
    """A drawn case, and one of the same customer that was not drawn, whether the drawn one is in the dataset or not."""
    drawn, other = marks_of(about("c1", customer="ann"), ()), marks_of(about("c2", customer="ann"), ())
    assert [side for _, side in parted(drawn, other, audited=(drawn,))] == [Side.AUDIT, Side.AUDIT]
    assert [side for _, side in parted(other, audited=(drawn,))] == [Side.AUDIT]


def test_opening_words_are_compared_by_what_they_say() -> None:
    """Not by case, punctuation or spaces."""
    one = marks_of(about("c1"), heard("Hi! I'd like to RETURN my  kettle."))
    two = marks_of(about("c2"), heard("hi, i'd like to return my kettle"))
    assert one.openings == two.openings != frozenset()


def test_a_greeting_makes_no_two_cases_one() -> None:
    """Too many begin with it: what is said next counts too."""
    one, two = heard("Hi", "My kettle does not boil."), heard("Hi", "Where is my refund?")
    assert marks_of(about("c1"), one).openings != marks_of(about("c2"), two).openings
    assert opening_of(one) == "Hi\nMy kettle does not boil."
    assert marks_of(about("c1"), heard("Hi")).openings == frozenset()


def test_words_without_spaces_tell_as_much() -> None:
    """A sentence of a script that knows no spaces is one word."""
    assert opening_of(heard("我想取消我的订单和退款。", "好")) == "我想取消我的订单和退款。"


def test_a_trace_tells_the_customer_where_the_case_does_not() -> None:
    """By the id that calls were given, or the only one that was answered, also in JSON as text."""
    asked = (Step(number=1, kind=StepKind.RETRIEVE, input={"user_id": "ann"}),)
    answer = json.dumps({"order": {"user_id": "ann", "items": []}})
    answered = (Step(number=1, kind=StepKind.RETRIEVE, input={"order_id": "1"}, output=answer),)
    told = marks_of(about(customer="ann"), ()).customers
    assert marks_of(about(), asked).customers == marks_of(about(), answered).customers == told


def test_a_list_of_customers_names_none() -> None:
    """A search that answers with several does not make them one problem."""
    found = [{"user_id": "ann"}, {"user_id": "bob"}]
    assert marks_of(about(), (Step(number=1, kind=StepKind.RETRIEVE, output=found),)).customers == frozenset()


def test_what_a_person_put_right_tells_the_customer_too() -> None:
    """An agent may never have asked who it was speaking with."""
    put_right = Override.model_validate(
        {
            "id": "o",
            "reviewer": "r",
            "corrected_intent": "unchanged",
            "rationale": "so it is",
            "final": {"kind": "actions", "actions": [Action(name="book", arguments={"user_id": "ann"}).model_dump()]},
            "deciding": {"kind": "step", "step": 1},
        }
    )
    assert marks_of(about(), (), [put_right]).customers == marks_of(about(customer="ann"), ()).customers


def test_an_id_that_the_customer_names_tells_as_much() -> None:
    """Where the agent looked nobody up; a mere word or number does not."""
    named = marks_of(about("c1"), heard("I am omar_rossi_1241, and paid 120000 for 2 bags."))
    assert named.customers == marks_of(about(customer="omar_rossi_1241"), ()).customers
