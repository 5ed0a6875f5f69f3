"""The courier: takes held messages to their cases, those of one case one after the other, in the order they came in."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable

from aftercare.gateway import Gateway
from aftercare.store.tables import EvidenceRow

PATIENCE = 20.0
AT_ONCE = 8
MOST = 2_000  # beyond so many, messages are left to the sweeper

log = logging.getLogger(__name__)


class Courier:
    """Delivers beside whoever committed a message and has no time to wait. What it leaves behind, the sweeper takes."""

    def __init__(self, gateway: Gateway, at_once: int = AT_ONCE) -> None:
        self._gateway, self._places = gateway, asyncio.Semaphore(at_once)
        self._waiting: dict[str, deque[EvidenceRow]] = {}
        self._by_case: dict[str, asyncio.Task[None]] = {}
        self._held = 0

    def soon(self, row: EvidenceRow) -> None:
        """Deliver a message as soon as there is time, after those of its case that came before."""
        if self._held >= MOST:
            return
        self._held += 1
        if (queue := self._waiting.get(row.case_id)) is not None:
            queue.append(row)
            return
        self._waiting[row.case_id] = deque([row])
        self._by_case[row.case_id] = asyncio.create_task(self._round(row.case_id))

    async def after(self, case_id: str) -> None:
        """Wait for what is under way to a case, so that nothing overtakes it."""
        if round := self._by_case.get(case_id):
            await asyncio.wait([round])

    async def deliver(self, rows: Iterable[EvidenceRow]) -> int:
        """Deliver messages in the order given, several cases at once; gives how many went out."""
        by_case: dict[str, list[EvidenceRow]] = {}
        for row in rows:
            by_case.setdefault(row.case_id, []).append(row)
        return sum(await asyncio.gather(*(self._in_turn(of_case) for of_case in by_case.values())))

    async def close(self, within: float = 5.0) -> None:
        """Give what is under way a moment to arrive."""
        if self._by_case:
            _, late = await asyncio.wait(self._by_case.values(), timeout=within)
            for round in late:
                round.cancel()

    async def _round(self, case_id: str) -> None:
        queue = self._waiting[case_id]
        try:
            while queue:
                if not await self._in_turn([queue[0]]):
                    break  # what came after must not overtake it
                queue.popleft()
                self._held -= 1
        finally:
            self._held -= len(queue)
            del self._waiting[case_id], self._by_case[case_id]

    async def _in_turn(self, rows: Iterable[EvidenceRow]) -> int:
        gone = 0
        async with self._places:
            for row in rows:
                if not await self._delivered(row):
                    break
                gone += 1
        return gone

    async def _delivered(self, row: EvidenceRow) -> bool:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._gateway.redeliver(row)
        except Exception as error:  # one message that cannot go out must not hold up those of other cases
            log.warning("not_delivered", extra={"kind": row.kind, "reason": type(error).__name__})
            return False
        return True
