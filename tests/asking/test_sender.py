"""The sender does everything once, tries again with longer and longer pauses, and gives up after a day."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta

import pytest

from aftercare.sender import ATTEMPTS, Dropped, Handler, Sender
from aftercare.store.outbox import Outbox, Sending
from aftercare.store.tables import OutboxRow
from aftercare.systems.asking import NotAskable
from aftercare.systems.records import SystemUnavailable
from tests.asking.conftest import Clock, queued, row_of

Make = Callable[[Handler], Sender]


@pytest.fixture
def sender(outbox: Outbox, clock: Clock) -> Make:
    return lambda handler: Sender(outbox, {"survey": handler}, clock)


class Port:
    """A handler that fails as it is told and counts."""

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.rows = list(errors), list[OutboxRow]()

    async def __call__(self, row: OutboxRow) -> None:
        self.rows.append(row)
        await asyncio.sleep(0)
        if self.errors:
            raise self.errors.pop(0)


async def test_a_row_is_done_once(outbox: Outbox, sender: Make) -> None:
    """And no later sweep finds it."""
    port = Port()
    await queued(outbox)
    assert [await sender(port).sweep(), await sender(port).sweep()] == [1, 0]
    assert len(port.rows) == 1
    row = await row_of(outbox)
    assert (row.standing, row.attempts, row.sent_at is not None) == (Sending.SENT, 1, True)


async def test_two_senders_at_once_send_once(outbox: Outbox, sender: Make) -> None:
    """Each of a hundred rows goes to one of them."""
    port = Port()
    for episode in range(1, 101):
        await queued(outbox, episode=episode)
    done = await asyncio.gather(*(sender(port).sweep() for _ in range(4)))
    assert sum(done) == 100
    assert sorted(int(row.id.removeprefix("survey-")) for row in port.rows) == list(range(1, 101))


async def test_what_is_away_is_tried_again_with_longer_pauses(outbox: Outbox, sender: Make, clock: Clock) -> None:
    """A minute and a half, then twice that; and the reason is kept until it is through."""
    port = Port(SystemUnavailable("busy"), SystemUnavailable("busy"))
    await queued(outbox)
    for pause in (90, 180):
        await sender(port).sweep()
        assert (await row_of(outbox)).reason == "busy"
        clock.forward(timedelta(seconds=pause - 1))
        assert await sender(port).sweep() == 0
        clock.forward(timedelta(seconds=1))
    assert await sender(port).sweep() == 1
    row = await row_of(outbox)
    assert (row.standing, row.attempts, row.reason) == (Sending.SENT, 3, "")


async def test_it_is_given_up_after_about_a_day(outbox: Outbox, sender: Make, clock: Clock) -> None:
    """With the reason of the last attempt."""
    port = Port(*[SystemUnavailable("the mail server does not answer")] * 20)
    begun = clock.now
    await queued(outbox)
    while (row := await row_of(outbox)).standing == Sending.WAITING:
        clock.now = max(row.due_at, clock.now)
        await sender(port).sweep()
    assert (row.standing, row.reason) == (Sending.FAILED, "the mail server does not answer")
    assert len(port.rows) == ATTEMPTS == 11
    assert timedelta(hours=24) < clock.now - begun < timedelta(hours=27)


async def test_what_will_never_go_is_not_tried_again(outbox: Outbox, sender: Make) -> None:
    """A final no is final at once."""
    await queued(outbox)
    assert await sender(Port(NotAskable("the mail server refuses the recipient (550)"))).sweep() == 1
    row = await row_of(outbox)
    assert (row.standing, row.reason) == (Sending.FAILED, "the mail server refuses the recipient (550)")


async def test_what_is_not_wanted_any_more_is_dropped(outbox: Outbox, sender: Make) -> None:
    """Which is no failure, and says why."""
    await queued(outbox)
    await sender(Port(Dropped("the case was reopened"))).sweep()
    row = await row_of(outbox)
    assert (row.standing, row.reason) == (Sending.DROPPED, "the case was reopened")


async def test_an_error_that_is_not_ours_is_told_by_its_name_alone(
    outbox: Outbox, sender: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """It may hold an address: not in the store, not in the log."""
    await queued(outbox)
    with caplog.at_level(logging.INFO):
        await sender(Port(RuntimeError("kim@example.com"))).sweep()
    assert (await row_of(outbox)).reason == "RuntimeError"
    assert "kim" not in str([vars(record) for record in caplog.records])


async def test_a_handler_that_never_comes_back_is_not_waited_for(outbox: Outbox, clock: Clock) -> None:
    """Longer than its patience, which is shorter than the lease."""

    async def forever(row: OutboxRow) -> None:
        await asyncio.Event().wait()

    await queued(outbox)
    hurried = Sender(outbox, {"survey": forever}, clock, patience=timedelta(seconds=0.05))
    assert await hurried.sweep() == 0
    assert (await row_of(outbox)).reason == "TimeoutError"


async def test_a_row_that_kills_whoever_takes_it_up_is_given_up(outbox: Outbox, sender: Make, clock: Clock) -> None:
    """Its attempts count when they begin, not when they end."""
    row = await queued(outbox)
    for _ in range(ATTEMPTS):
        clock.forward(timedelta(hours=1))
        claimed = await outbox.claim(row, clock.now, timedelta(minutes=5))
        assert claimed
        row = claimed
    clock.forward(timedelta(hours=1))
    port = Port()
    assert await sender(port).sweep() == 1
    assert port.rows == []
    assert (await row_of(outbox)).standing == Sending.FAILED


async def test_a_store_that_is_away_does_not_end_the_sending(outbox: Outbox) -> None:
    """What goes wrong in one sweep is for the next."""
    swept = asyncio.Event()

    class Away(Outbox):
        sweeps = 0

        async def due(self, *_: object) -> list[OutboxRow]:
            self.sweeps += 1
            if self.sweeps > 1:
                swept.set()
                return []
            raise ConnectionError("away")

    running = asyncio.create_task(Sender(Away(outbox.database), {}).run(timedelta(0)))
    await asyncio.wait_for(swept.wait(), 10)
    assert not running.done()
    running.cancel()
