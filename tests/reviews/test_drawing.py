"""The draw: a fair share of all cases, by their ids alone."""

from __future__ import annotations

import hashlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercare.learning.drawing import AUDIT_SHARE, drawn_for_audit
from aftercare.settings import Settings

CASES = 100_000
SHARES = st.floats(0, 1)


def hashed(number: int) -> str:
    """An id as a machine makes them."""
    return hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()


@pytest.mark.parametrize("share", [0.01, AUDIT_SHARE, 0.5])
@pytest.mark.parametrize("named", ["case-{}", "{}", "2026-11-23.{:07}"])
def test_the_share_is_kept_however_cases_are_named(named: str, share: float) -> None:
    """Within four standard deviations, of 100,000 cases."""
    drawn = sum(drawn_for_audit(named.format(n), share) for n in range(CASES))
    assert abs(drawn - share * CASES) < 4 * (share * (1 - share) * CASES) ** 0.5


def test_a_case_says_nothing_of_the_next() -> None:
    """Of those before a drawn one the usual share is drawn too."""
    flags = [drawn_for_audit(f"case-{n}", 0.2) for n in range(CASES)]
    both = sum(a and b for a, b in itertools.pairwise(flags))
    assert abs(both - 0.04 * CASES) < 4 * (0.04 * 0.96 * CASES) ** 0.5


def test_another_draw_by_the_same_id_is_another_draw() -> None:
    """Whoever gives cases to a release by the plain hash of their id gives each side its share of audits."""
    ids = [hashed(n) for n in range(CASES)]
    canary = [id for id in ids if hashlib.sha256(id.encode()).digest()[0] < 26]
    drawn = sum(drawn_for_audit(id, 0.2) for id in canary)
    assert abs(drawn - 0.2 * len(canary)) < 4 * (0.16 * len(canary)) ** 0.5


def test_the_order_of_cases_does_not_matter() -> None:
    """The same cases are drawn in whatever order, and however often, they are asked about."""
    ids = [hashed(n) for n in range(1_000)]
    first = {id for id in ids if drawn_for_audit(id, 0.2)}
    assert {id for id in (*reversed(ids), *sorted(ids)) if drawn_for_audit(id, 0.2)} == first


@given(st.text(min_size=1), SHARES, SHARES)
def test_a_larger_share_draws_what_a_smaller_one_does(id: str, one: float, other: float) -> None:
    """So that a deployment may audit more from a day on, and loses nothing."""
    small, large = sorted((one, other))
    assert drawn_for_audit(id, small) <= drawn_for_audit(id, large)


@given(st.text(min_size=1))
def test_none_and_all(id: str) -> None:
    """A share of nought draws nothing, one of one everything."""
    assert not drawn_for_audit(id, 0)
    assert drawn_for_audit(id, 1)


def test_the_share_has_one_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a deployment says nothing, settings and activities mean the same."""
    monkeypatch.delenv("AFTERCARE_AUDIT_SHARE", raising=False)
    assert Settings().audit_share == AUDIT_SHARE
