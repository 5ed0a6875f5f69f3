"""The outbox holds a survey once, gives it to one sender at a time, and knows when it is overtaken."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from aftercare.store.cases import Cases
from aftercare.store.outbox import Outbox, Sending, survey_row
from aftercare.store.tables import CaseRow, OutboxRow
from tests.asking.conftest import NOW, OPEN_FOR, queued, row_of

LEASE = timedelta(minutes=5)
SOON = timedelta(seconds=1)


async def due(outbox: Outbox, after: timedelta = timedelta(0)) -> list[OutboxRow]:
    return await outbox.due(NOW + after, 10, ["survey"])


async def test_a_survey_is_queued_once(outbox: Outbox) -> None:
    """The audit that queues it may be carried out again; what became of it meanwhile stands."""
    await outbox.sent(await queued(outbox), NOW)
    await queued(outbox)
    assert (await row_of(outbox)).standing == Sending.SENT


async def test_a_survey_is_queued_with_what_calls_for_it_or_not_at_all(outbox: Outbox) -> None:
    """In the transaction of the caller."""

    async def audit_that_fails() -> None:
        async with outbox.database.session() as session:
            await outbox.queue(session, [survey_row("case-1", 1, NOW, OPEN_FOR)])
            raise RuntimeError("the audit failed")

    with pytest.raises(RuntimeError):
        await audit_that_fails()
    assert await due(outbox) == []


async def test_nothing_personal_lies_in_the_outbox(outbox: Outbox) -> None:
    """Which survey, until when: the address is read when it is needed."""
    await queued(outbox)
    assert (await row_of(outbox)).body == {"episode": 1, "expires_at": "2026-12-07T12:00:00+00:00"}


async def test_only_one_of_many_gets_a_row(outbox: Outbox) -> None:
    """However many claim it at once."""
    row = await queued(outbox)
    claimed = await asyncio.gather(*(outbox.claim(row, NOW, LEASE) for _ in range(8)))
    assert [c.attempts for c in claimed if c] == [1]
    assert await due(outbox) == []


async def test_a_row_whose_sender_died_is_somebody_else_s_after_its_lease(outbox: Outbox) -> None:
    """And not before; the attempt counts."""
    await outbox.claim(await queued(outbox), NOW, LEASE)
    assert await due(outbox, LEASE - SOON) == []
    (left,) = await due(outbox, LEASE)
    again = await outbox.claim(left, NOW + LEASE, LEASE)
    assert again
    assert again.attempts == 2


async def test_who_was_silent_for_too_long_has_no_say_any_more(outbox: Outbox) -> None:
    """A sender that lost its lease neither gives the row up nor puts it off."""
    first = await outbox.claim(await queued(outbox), NOW, LEASE)
    assert first
    await outbox.claim(first, NOW + LEASE, LEASE)
    await outbox.failed(first, "late")
    await outbox.again(first, "late", NOW)
    assert (await row_of(outbox)).standing == Sending.WAITING
    assert await due(outbox, LEASE) == []


async def test_what_was_sent_stays_sent(outbox: Outbox) -> None:
    """Also by one that lost its lease: the customer has it."""
    first = await outbox.claim(await queued(outbox), NOW, LEASE)
    assert first
    second = await outbox.claim(first, NOW + LEASE, LEASE)
    assert second
    await outbox.sent(first, NOW)
    await outbox.failed(second, "refused")
    assert (await row_of(outbox)).standing == Sending.SENT


async def test_what_nobody_here_can_do_waits(outbox: Outbox) -> None:
    """A worker takes the kinds it knows, the longest due first."""
    await queued(outbox, episode=2)
    await queued(outbox, episode=1, at=NOW - SOON)
    assert [row.id for row in await due(outbox)] == ["survey-1", "survey-2"]
    assert await outbox.due(NOW, 10, ["sentiment"]) == []


async def test_the_agent_is_shown_the_latest_survey(outbox: Outbox) -> None:
    """Of the case it asks about."""
    await queued(outbox)
    await queued(outbox, episode=2, at=NOW + SOON)
    latest = await outbox.survey_of("case-1")
    assert latest
    assert latest.id == "survey-2"
    assert await outbox.survey_of("case-2") is None


@pytest.mark.parametrize(
    ("stage", "erased", "reason"),
    [("watching", False, ""), ("settled", False, "the case was settled"), ("watching", True, "the case was erased")],
)
async def test_a_survey_is_for_as_long_as_the_case_is_watched(
    cases: Cases, outbox: Outbox, stage: str, erased: bool, reason: str
) -> None:
    """Of a case that is gone nobody is asked, nor of one that has settled."""
    row = await queued(outbox)
    async with cases.database.session() as session:
        case = await session.get(CaseRow, "case-1")
        assert case
        case.stage, case.erased_at = stage, NOW if erased else None
    assert await outbox.overtaken(row) == reason
