"""Shadow mode: the agent's proposal beside what the person did."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercare.evidence.comparative import agreement, shadow_agreement
from aftercare.evidence.matching import matched
from aftercare.messages.case import Action, Case, Proposal
from aftercare.messages.outcome import Episode, Snapshot, Stage

CANCEL = Action(name="cancel_order", arguments={"order_id": "#1", "reason": "mistake"})


def proposed(*actions: Action, intent: str = "cancel") -> Proposal:
    return Proposal(id="p", intent=intent, actions=actions)


def did(*actions: Action, intent: str = "cancel") -> Episode:
    return Episode(
        number=1, began="first contact", ending="resolved", handled_by="human", intent=intent, actions=actions
    )


def changed(action: Action, **arguments: Any) -> Action:
    return action.model_copy(update={"arguments": action.arguments | arguments})


actions = st.lists(
    st.builds(
        Action,
        name=st.sampled_from(["cancel", "refund"]),
        arguments=st.dictionaries(st.sampled_from("ab"), st.sampled_from([1, "x", [1], True]), max_size=2),
    ),
    max_size=4,
)


def test_the_same_actions_agree_in_whatever_order() -> None:
    """And a number is a number, however it is written."""
    refund = Action(name="refund", arguments={"amount": 5})
    found = agreement(proposed(CANCEL, refund), did(changed(refund, amount=5.0), CANCEL))
    assert (found.value, found.by_action, found.by_field, found.intent) == (1, 1, 1, True)


def test_differences_are_named() -> None:
    """What only one side did, and which arguments differ where both did it."""
    refund = Action(name="refund")
    found = agreement(proposed(CANCEL), did(changed(CANCEL, reason="no longer needed"), refund, intent="refund"))
    assert [found.value, found.by_action, found.by_field] == pytest.approx([1 / 3, 2 / 3, 1 / 2])
    assert (found.only_done, found.only_proposed, found.intent) == (("refund",), (), False)
    assert found.differing == ({"action": "cancel_order", "fields": ["reason"]},)


def test_nothing_and_nothing_agree_and_nothing_and_something_do_not() -> None:
    """To leave well alone is a decision too."""
    assert agreement(proposed(), did()).value == 1
    assert agreement(proposed(), did(CANCEL)).value == 0
    assert agreement(proposed(), did(CANCEL)).by_field is None


def test_actions_of_one_name_are_paired_for_the_best() -> None:
    """Two cancellations in another order are the same two."""
    other = changed(CANCEL, order_id="#2", reason="mistake")
    assert agreement(proposed(CANCEL, other), did(other, CANCEL)).value == 1


@given(actions, actions)
def test_agreement_is_the_same_from_both_sides_and_between_none_and_all(one: list[Action], other: list[Action]) -> None:
    """It says how far they agree, not who is right."""
    there, back = agreement(proposed(*one), did(*other)), agreement(proposed(*other), did(*one))
    assert (there.value, there.by_action, there.by_field) == (back.value, back.by_action, back.by_field)
    assert 0 <= there.value <= 1
    assert 0 <= there.by_action <= 1


@given(actions, actions, st.randoms())
def test_agreement_is_whole_only_between_the_same_actions(one: list[Action], other: list[Action], mixed: Any) -> None:
    """And always between them."""

    def told(side: list[Action]) -> list[str]:
        return sorted(action.model_dump_json(include={"name", "arguments"}) for action in map(_sorted, side))

    assert (agreement(proposed(*one), did(*other)).value == 1) == (told(one) == told(other))
    again = list(one)
    mixed.shuffle(again)
    assert agreement(proposed(*one), did(*again)).value == 1


def _sorted(action: Action) -> Action:
    return action.model_copy(update={"arguments": dict(sorted(action.arguments.items()))})


@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(st.integers(0, 9), min_size=n, max_size=n), max_size=4)))
def test_no_other_pairing_is_worth_more(worth: list[list[int]]) -> None:
    """Held against every pairing there is."""
    pairs = matched(worth)
    rows, columns = len(worth), len(worth[0]) if worth else 0
    best = max(
        (sum(worth[r][c] for r, c in zip(order, range(columns), strict=False)) for order in permutations(range(rows)))
        if columns <= rows
        else (sum(worth[r][c] for r, c in enumerate(order[:rows])) for order in permutations(range(columns))),
        default=0,
    )
    assert sum(worth[r][c] for r, c in pairs) == best
    assert len(pairs) == len({r for r, _ in pairs}) == len({c for _, c in pairs}) == min(rows, columns)


def test_the_last_proposal_counts_beside_what_the_first_person_did() -> None:
    """There is no piece before there are both."""
    person = Case(id="c", agent="a", domain="d", handled_by="human")
    shadowed = Snapshot(
        case_id="c", stage=Stage.SETTLED, case=person, episodes=(did(CANCEL),), proposals=(proposed(), proposed(CANCEL))
    )
    piece = shadow_agreement(shadowed)
    assert piece
    assert (piece.value, piece.payload["proposal"], piece.family) == (1, "p", "comparative")
    assert shadow_agreement(shadowed.model_copy(update={"proposals": ()})) is None
    assert shadow_agreement(shadowed.model_copy(update={"episodes": ()})) is None
