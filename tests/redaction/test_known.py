"""What the steps of a case tell of its people, with its kind."""

from __future__ import annotations

from typing import Any

import pytest

from aftercare.messages.case import Case, Step, StepKind
from aftercare.redaction import Kind, Known

CASE = Case(id="c-1", agent="shop", domain="retail", customer="c-1047", contact="mailto:zoe@example.org")


def known(*outputs: Any, heard: str = "", more: tuple[str, ...] = (), case: Case | None = CASE) -> dict[str, Kind]:
    steps = [
        Step(number=n, kind=StepKind.RETRIEVE, name="look_up", output=output, heard=heard)
        for n, output in enumerate(outputs or (None,), 1)
    ]
    return dict(Known.of(case, steps, more).values)


def test_the_case_tells_its_customer_and_where_they_are_reached() -> None:
    assert known() == {"c-1047": Kind.CUSTOMER, "zoe@example.org": Kind.EMAIL}


def test_records_tell_of_whoever_they_are_of() -> None:
    """Passengers and recipients are people too; `learned` finds the customer's name beside the id."""
    told = known(
        {"id": "c-1047", "first_name": "Zoë", "last_name": "Brandt", "phone": "+49 171 3920055"},
        {"passengers": [{"first_name": "Raj", "last_name": "Smith", "dob": "1967-04-01"}]},
        {"shipping_address": {"street": "Lindenstraße 14a", "zip": "10969", "city": "Berlin", "country": "DE"}},
        case=None,
    )
    assert told == {
        "Zoë": Kind.NAME,
        "Brandt": Kind.NAME,
        "+49 171 3920055": Kind.PHONE,
        "Raj": Kind.NAME,
        "Smith": Kind.NAME,
        "1967-04-01": Kind.BIRTH_DATE,
        "Lindenstraße 14a": Kind.ADDRESS,
        "10969": Kind.ADDRESS,
        "Berlin": Kind.ADDRESS,
    }


def test_an_id_or_a_mail_address_that_spells_a_name_tells_it() -> None:
    """An office's does not."""
    told = known({"user_id": "mei_ito_4410", "email": "order.support@example.org"}, case=None)
    assert told == {
        "mei_ito_4410": Kind.CUSTOMER,
        "order.support@example.org": Kind.EMAIL,
        "Mei Ito": Kind.NAME,
    }


def test_who_says_their_name_is_known_from_then_on() -> None:
    assert known(heard="Hello, my name is Leila Farouk.")["Leila Farouk"] is Kind.NAME
    assert known(heard="my name is spelled wrong") == known()


def test_a_record_nested_without_end_is_walked_through() -> None:
    """As the text it is: what stands in it is found by its form."""
    assert known('{"a":' * 900 + '{"first_name": "Ann"}' + "}" * 900) == known()


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("Zoë Brandt", Kind.NAME),
        ("z.b@example.org", Kind.EMAIL),
        ("0171 3920055", Kind.PHONE),
        ("Lindenstraße 14a", Kind.ADDRESS),
        ("c1048", Kind.CUSTOMER),
    ],
)
def test_what_is_known_from_elsewhere_is_told_by_its_look(value: str, kind: Kind) -> None:
    assert known(more=(value,))[value] is kind


def test_words_for_things_are_kept_apart() -> None:
    """What a record with a price says names a product; what a record of a person says does not."""
    step = Step(
        number=1,
        kind=StepKind.RETRIEVE,
        output=[{"name": "Desk Lamp", "price": 3, "options": {"color": "amber"}}, {"first_name": "Amber", "price": 1}],
    )
    things = Known.of(None, [step]).things
    assert {"desk", "lamp", "color", "amber"} <= things
    assert Known.of(None, [step]).values == (("Amber", Kind.NAME),)
