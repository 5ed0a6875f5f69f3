"""What holds for every trace, whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercare.evidence.findings import Findings
from aftercare.evidence.retrievals import irrelevant_retrievals
from aftercare.evidence.rows import pieces_of_trace
from aftercare.evidence.trace import backtracks, dead_ends, errors, fallbacks, loops, low_confidence
from aftercare.messages.case import Step
from aftercare.messages.kinds import KINDS
from tests.evidence.traces import traces

Find = Callable[[Sequence[Step]], Findings]


def unsure(steps: Sequence[Step]) -> Findings:
    return low_confidence(steps, 0.5)


FINDERS: tuple[Find, ...] = (loops, irrelevant_retrievals, dead_ends, backtracks, unsure, fallbacks, errors)
each = pytest.mark.parametrize("find", FINDERS)


@each
@given(steps=traces)
def test_there_is_at_most_one_finding_of_a_kind_per_step(find: Find, steps: tuple[Step, ...]) -> None:
    """Counts are bounded by the steps, and name steps that there are."""
    found = find(steps).found
    assert len({finding[-1] for finding in found}) == len(found) <= len(steps)
    assert {number for finding in found for number in finding} <= {step.number for step in steps}


@each
@given(steps=traces, by=st.integers(1, 1000), mixed=st.randoms())
def test_neither_the_order_of_arrival_nor_the_numbering_matters(
    find: Find, steps: tuple[Step, ...], by: int, mixed: Any
) -> None:
    """Only the order of the numbers does."""
    moved = [step.model_copy(update={"number": step.number + by}) for step in steps]
    mixed.shuffle(moved)
    assert find(moved).found == tuple(tuple(n + by for n in finding) for finding in find(steps).found)


@each
@given(steps=traces)
def test_a_step_that_has_nothing_to_do_with_the_rest_lowers_nothing(find: Find, steps: tuple[Step, ...]) -> None:
    """Counts speak of what was done, and one more thing done undoes none of it."""
    stranger = Step(number=len(steps) + 1, kind="check_policy", name="zebra", input={"z": "zebra-9999"}, heard="Hm?")
    assert (find([*steps, stranger]).value or 0) >= (find(steps).value or 0)


@given(steps=traces)
def test_the_same_trace_twice_loops_at_least_as_often(steps: tuple[Step, ...]) -> None:
    """Going through it all again can only add repeats."""
    again = [step.model_copy(update={"number": step.number + len(steps)}) for step in steps]
    assert (loops([*steps, *again]).value or 0) >= (loops(steps).value or 0)


@given(steps=traces)
def test_every_piece_is_of_a_known_kind_and_within_its_bounds(steps: tuple[Step, ...]) -> None:
    """The store takes no other."""
    pieces = pieces_of_trace(steps, episode=2)
    assert all(KINDS[piece.kind].problem(piece.value) is None and piece.episode == 2 for piece in pieces)
    assert len({piece.id for piece in pieces}) == len(pieces)
