"""Texts made to be slow, as long as a message may be: each is looked through to its end, and stays as it became.

No time is asserted. What takes more than its share grows with the square of the text or faster, and then these never
end: pytest's own limit would tell.
"""

from __future__ import annotations

import random

import pytest

from aftercare.redaction import Known, redactor_of
from tests.redaction.test_redactor import KNOWN

LENGTH = 20_000
REPEATED = [
    "a", "Ä", "1", "1 ", "12 ", "@", "a@", "a.", "a@a.", "a at b dot ", "%40", "DE12 ", "AA11", "4111 1111 1111 1112 ",
    "4111-", "(", "+", "+1 415 555 0132 ", "06 39 98 47 21 ", "0171 39200 55 ", "1.", "1.2.3.4 ", "::", "ab:", "Ab ",
    "1 Ab ", "12 Ab Street ", "12 oak tree hill ", "12 rue de la ", "Calle de la ", "straße ", "unit 4, ", "Flat ",
    "my name is ", "Dear Anna ", "Mr. ", "Regards,\n", "zip: ", "date of birth ", "account number ", "ssn 663-92-3321 ",
    "iban ", "[name]", "[address], ", '"', "{", "[", '[{"a":', " ", "\n", "Aa-", "a'", "986 Sunset ", "Noah ",
]  # fmt: skip


@pytest.mark.timeout(60)
@pytest.mark.parametrize("number", range(len(REPEATED)))
def test_a_repeated_piece_is_looked_through(number: int) -> None:
    text = (REPEATED[number] * LENGTH)[:LENGTH]
    once = redactor_of(False).redacted(text, KNOWN)
    assert redactor_of(False).redacted(once, KNOWN) == once


@pytest.mark.timeout(60)
@pytest.mark.parametrize("signs", ["0123456789 -", "0123456789() .-/+", "aA1 .-@()+/,:", "A1 ", "[name]1 ,"])
def test_a_jumble_of_signs_is_looked_through(signs: str) -> None:
    text = "".join(random.Random(7).choices(signs, k=LENGTH))  # noqa: S311 - a text, no secret
    once = redactor_of(False).redacted(text, Known())
    assert redactor_of(False).redacted(once, Known()) == once


@pytest.mark.parametrize("depth", [150, 5_000])
def test_json_nested_deep_is_no_way_past(depth: int) -> None:
    """What is too deep to be read as JSON is read as the text it is."""
    nested = "[" * depth + '"ann@example.org"' + "]" * depth
    assert "ann@" not in redactor_of(False).redacted({"output": nested})["output"]
