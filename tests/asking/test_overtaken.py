"""A case that was opened again or corrected is not asked about any more."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from aftercare.store.outbox import Outbox
from tests.asking.conftest import NOW, came, queued

LATER = NOW + timedelta(seconds=1)


@pytest.mark.parametrize("standing", ["waiting", "delivered"])
@pytest.mark.parametrize(("kind", "how"), [("reopen", "reopened"), ("override", "overridden")])
async def test_a_case_that_went_on_is_not_asked_about(outbox: Outbox, kind: str, how: str, standing: str) -> None:
    """From the first moment that this is in the inbox."""
    row = await queued(outbox)
    await came(outbox, kind, LATER, standing)
    assert await outbox.overtaken(row) == f"the case was {how}"


@pytest.mark.parametrize(
    ("kind", "at", "standing"),
    [
        ("feedback", LATER, "delivered"),
        ("recontact", LATER, "delivered"),
        ("override", LATER, "refused"),
        ("override", NOW - timedelta(hours=1), "delivered"),
    ],
)
async def test_what_does_not_go_on_with_the_case_holds_nothing_up(
    outbox: Outbox, kind: str, at: datetime, standing: str
) -> None:
    """Other evidence, what was refused, and what led to the very episode that is asked about."""
    row = await queued(outbox)
    await came(outbox, kind, at, standing)
    assert await outbox.overtaken(row) == ""
