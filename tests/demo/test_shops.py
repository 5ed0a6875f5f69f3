"""Where the shops of a run are: one for each line of business."""

from __future__ import annotations

from pathlib import Path

import pytest

from aftercare.demo.shop.__main__ import DOMAINS
from aftercare.demo.shops import (
    SYSTEMS,
    as_arguments,
    data_beside,
    from_argument,
    shop_addresses,
    system_addresses,
)
from policies.book import load

SHOPS = {"airline": "http://127.0.0.1:1", "retail": "http://127.0.0.1:2"}


def test_there_is_a_shop_for_every_line_of_business_with_a_policy_book() -> None:
    """What a policy book calls its system of record is what the run calls it."""
    assert SYSTEMS.keys() == DOMAINS.keys()
    for domain, system in SYSTEMS.items():
        assert {action.system for action in load(domain).outcomes.actions.values()} == {system}


def test_addresses_come_through_settings_and_arguments_unchanged() -> None:
    """Settings name systems, processes of the run name lines of business; both lead to the same shops."""
    assert system_addresses(SHOPS)["shop"] == "http://127.0.0.1:2/copies/{environment}"
    assert shop_addresses({**system_addresses(SHOPS), "other": "http://127.0.0.1:3"}) == SHOPS
    assert dict(map(from_argument, as_arguments(SHOPS)[1::2])) == SHOPS
    with pytest.raises(ValueError, match="domain=address"):
        from_argument("http://127.0.0.1:1")


@pytest.mark.parametrize(
    ("cases", "data"),
    [("x_cases.jsonl.gz", "x_db.json.gz"), ("x_cases.jsonl", "x_db.json"), ("mine.jsonl", None), ("mine.yaml", None)],
)
def test_a_database_lies_beside_cases_of_its_name(cases: str, data: str | None) -> None:
    """Where the name says nothing, nothing is guessed."""
    assert data_beside(Path("there") / cases) == (Path("there") / data if data else None)
