"""What the graded half of the labelled set says of the redactor, and that the set is worth asking."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from stdnum import iban, luhn

from aftercare.redaction import Kind, redactor_of
from aftercare.redaction.model import is_installed
from tests.redaction.figures import Figures, figures, rows
from tests.redaction.labelled import Sentence, leaves, sentences

BAR = 0.95
PAGE = Path(__file__).parents[2] / "docs" / "redaction.md"

needs_model = pytest.mark.skipif(not is_installed(), reason="the model is not installed here (make pii)")
each_half = pytest.mark.parametrize("graded", [True, False], ids=["graded", "developed"])


@cache
def measured(wants_names: bool, with_known: bool) -> Figures:
    return figures(redactor_of(wants_names), sentences(graded=True), with_known)


def says_nothing(sentence: Sentence) -> bool:
    return not any(leaf.marked for leaf in leaves(sentence, sentence.said))


@pytest.mark.parametrize("kind", [Kind.EMAIL, Kind.PHONE, Kind.CARD, Kind.IBAN])
@pytest.mark.parametrize("with_known", [False, True], ids=["nothing known", "customer known"])
def test_what_has_a_form_is_found_and_little_else_is_taken_for_it(kind: Kind, with_known: bool) -> None:
    """At least 95 of a hundred are found whole, and at least 95 of a hundred that are taken out were one."""
    told = measured(False, with_known)
    assert (told.recall(kind).value or 0) >= BAR
    assert (told.precision(kind).value or 0) >= BAR
    assert told.marked[kind] >= 25


@pytest.mark.parametrize("kind", [Kind.NAME, Kind.ADDRESS, Kind.CUSTOMER])
def test_knowing_the_customer_finds_more(kind: Kind) -> None:
    """Names above all: without it, and without the model, half of them are missed."""
    assert measured(False, True).found[kind] > measured(False, False).found[kind]


@needs_model
def test_the_model_finds_names_that_no_pattern_tells() -> None:
    assert measured(True, True).found[Kind.NAME] > measured(False, True).found[Kind.NAME]


@pytest.mark.parametrize(
    "wants_names", [False, pytest.param(True, marks=needs_model)], ids=["patterns", "patterns and names"]
)
@pytest.mark.parametrize("with_known", [False, True], ids=["nothing known", "customer known"])
def test_the_page_says_what_is_measured(wants_names: bool, with_known: bool) -> None:
    """The table in docs/redaction.md is what the command prints."""
    page = PAGE.read_text("utf-8")
    assert [row for row in rows(measured(wants_names, with_known)) if row not in page] == []


@each_half
def test_the_set_is_large_and_a_third_of_it_is_traps(graded: bool) -> None:
    """Order ids, tracking numbers, dates, amounts, versions: sentences in which nothing may be taken out."""
    told = sentences(graded=graded)
    assert len(told) >= 150
    assert 3 * sum(map(says_nothing, told)) >= len(told)
    assert len({sentence.id for sentence in told}) == len(told)


@each_half
def test_marked_cards_and_ibans_have_their_check_digits(graded: bool) -> None:
    """But for one IBAN with a slip in it, as people write them."""
    marked = [
        (mark.kind, leaf.text[mark.start : mark.end])
        for sentence in sentences(graded=graded)
        for leaf in leaves(sentence, sentence.said)
        for mark in leaf.marked
    ]
    assert all(luhn.is_valid("".join(filter(str.isdigit, text))) for kind, text in marked if kind is Kind.CARD)
    ibans = ["".join(text.split()) for kind, text in marked if kind is Kind.IBAN]
    slips = [text for text in ibans if not iban.is_valid(text, check_country=False)]
    assert slips == ([] if graded else ["DE89370400440532013001"])
