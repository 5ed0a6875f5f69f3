"""The sender: works off the outbox. It runs in every worker, beside the sweeper."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta

from aftercare.store.outbox import Outbox
from aftercare.store.tables import OutboxRow
from aftercare.systems.records import OutsideError, SystemUnavailable

EVERY = timedelta(seconds=5)
BATCH = 200
AT_ONCE = 8
PATIENCE = timedelta(minutes=2)
LEASE = timedelta(minutes=5)  # longer than anybody's patience
ATTEMPTS = 11
FIRST_PAUSE = timedelta(seconds=90)  # doubled each time: eleven attempts within 25.6 hours

Handler = Callable[[OutboxRow], Awaitable[None]]

log = logging.getLogger(__name__)


class Dropped(Exception):
    """What was queued is not to be done any more, and why. Not a failure."""


class Sender:
    """Works off the outbox now and then, each row by the handler of its kind. Several may run at once.

    A handler returns when it is done. It raises `Dropped` where there is nothing to do any more, and an OutsideError
    that is final where trying again changes nothing; SystemUnavailable, and whatever else goes wrong, is tried again.
    A row of a kind without a handler waits for a worker that has one. Reasons are kept, and so hold nothing personal:
    of an error that is not ours only its name.
    """

    def __init__(
        self,
        outbox: Outbox,
        handlers: Mapping[str, Handler],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        patience: timedelta = PATIENCE,
    ) -> None:
        self._outbox, self._handlers, self._now, self._patience = outbox, dict(handlers), now, patience

    async def run(self, every: timedelta = EVERY) -> None:
        """Sweep until cancelled. What goes wrong in one sweep is for the next."""
        while True:
            try:
                await self.sweep()
            except Exception as error:  # a store that is away must not end the sending
                log.warning("sending_failed", extra={"reason": type(error).__name__})
            await asyncio.sleep(every.total_seconds())

    async def sweep(self) -> int:
        """Try everything that is due; gives how many rows are done with."""
        due = await self._outbox.due(self._now(), BATCH, list(self._handlers))
        places = asyncio.Semaphore(AT_ONCE)
        done = sum(await asyncio.gather(*(self._take(row, places) for row in due)))
        if due:
            log.info("outbox_swept", extra={"due": len(due), "done": done})
        return done

    async def _take(self, row: OutboxRow, places: asyncio.Semaphore) -> bool:
        async with places:
            try:
                claimed = await self._outbox.claim(row, self._now(), LEASE)
                return await self._work(claimed) if claimed else False
            except Exception as error:  # the store is away: the row is claimed again after its lease
                log.warning("outbox_row_left", extra={"kind": row.kind, "reason": type(error).__name__})
                return False

    async def _work(self, row: OutboxRow) -> bool:
        """One attempt; whether the row is done with, in whatever way."""
        if row.attempts > ATTEMPTS:
            return await self._failed(row, "no attempt came to its end")
        try:
            async with asyncio.timeout(self._patience.total_seconds()):
                await self._handlers[row.kind](row)
        except Dropped as dropped:
            await self._outbox.dropped(row, str(dropped))
            log.info("outbox_row_dropped", extra={"kind": row.kind, "reason": str(dropped)})
        except SystemUnavailable as error:
            return await self._again(row, str(error))
        except OutsideError as error:
            return await self._failed(row, str(error))
        except Exception as error:
            return await self._again(row, type(error).__name__)
        else:
            await self._outbox.sent(row, self._now())
        return True

    async def _again(self, row: OutboxRow, reason: str) -> bool:
        if row.attempts >= ATTEMPTS:
            return await self._failed(row, reason)
        pause = FIRST_PAUSE * 2 ** (row.attempts - 1)
        await self._outbox.again(row, reason, self._now() + pause)
        log.warning("outbox_row_put_off", extra={"kind": row.kind, "attempt": row.attempts, "reason": reason})
        return False

    async def _failed(self, row: OutboxRow, reason: str) -> bool:
        await self._outbox.failed(row, reason)
        log.error("outbox_row_failed", extra={"kind": row.kind, "attempts": row.attempts, "reason": reason})
        return True
