"""Over recorded runs of real agents: what is known of their customers goes, and what the runs were about stays."""

from __future__ import annotations

import pytest

from aftercare.redaction import redactor_of
from tests.redaction.recorded import DOMAINS, is_here, left_of

KINDS = ("name", "e-mail", "street", "zip")


@pytest.mark.parametrize("domain", DOMAINS)
def test_hardly_a_value_of_a_customer_is_left(domain: str) -> None:
    """In at most one case of a hundred, and no id of an order, item, parcel, reservation or flight is taken."""
    if not is_here(domain):
        pytest.skip("the recorded cases are not here (shared/data beside this project)")
    left = left_of(domain, redactor_of(wants_names=False))
    assert left.cases > 100
    assert all(left.stood[kind] > 50 for kind in KINDS)
    assert {kind: left.leaked[kind] for kind in KINDS if left.leaked[kind] > left.cases / 100} == {}
    assert left.eaten.total() == 0
    assert left.ids > 3_000
