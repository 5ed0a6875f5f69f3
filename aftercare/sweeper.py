"""The sweeper: delivers what a crash left in the inbox. It runs in every worker, from the worker's first moment on."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from aftercare.courier import Courier
from aftercare.gateway import Gateway
from aftercare.store.inbox import BATCH, Inbox
from workflows.conventions import REGISTRATION_WAIT

EVERY = timedelta(seconds=5)
HELD_FOR = timedelta(seconds=10)  # whoever committed it is given this long to deliver it
SENT_FOR = REGISTRATION_WAIT + timedelta(minutes=5)  # a run that was sent a message has answered by then

log = logging.getLogger(__name__)


class Sweeper:
    """Sweeps the inbox now and then. Several workers may sweep at once: delivering twice changes nothing."""

    def __init__(self, gateway: Gateway, inbox: Inbox, held_for: timedelta = HELD_FOR) -> None:
        self._courier, self._inbox, self._held_for = Courier(gateway), inbox, held_for
        self._after: datetime | None = None

    async def run(self, every: timedelta = EVERY) -> None:
        """Sweep until cancelled. What goes wrong in one sweep is for the next."""
        while True:
            full = False
            try:
                full = await self.sweep() == BATCH
            except Exception as error:  # a store or a Temporal that is away must not end the sweeping
                log.warning("sweep_failed", extra={"reason": type(error).__name__})
            await asyncio.sleep(0 if full else every.total_seconds())

    async def sweep(self) -> int:
        """Deliver everything that waits; gives how many messages went out."""
        now = datetime.now(UTC)
        waiting = await self._inbox.waiting(now - self._held_for, now - SENT_FOR, self._after)
        delivered = await self._courier.deliver(waiting)
        # What cannot be delivered must not keep what came later from its turn: the next sweep goes on from here.
        self._after = waiting[-1].at if len(waiting) == BATCH and delivered < BATCH else None
        if waiting:
            log.info("swept", extra={"waiting": len(waiting), "delivered": delivered})
        return delivered
