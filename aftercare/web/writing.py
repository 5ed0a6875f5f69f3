"""How every write is answered: held first; then `202`, or the case's own answer where the sender waits for it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Header
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from aftercare.courier import Courier
from aftercare.delivery import NoAnswerYet
from aftercare.gateway import Gateway
from aftercare.messages.case import Receipt, Step
from aftercare.store.tables import EvidenceRow

LONGEST_WAIT = 30
Prefer = Annotated[
    str | None, Header(description="`wait=10`: wait so many seconds for the case's own answer (RFC 7240).")
]


class Taken(BaseModel):
    """A message that is durably held. `delivered` says that its case took it in; `message` is where it stands."""

    id: str
    case_id: str
    standing: Literal["waiting", "delivered"]
    message: str
    release: str | None = None
    note: str = ""


class TakenBatch(BaseModel):
    """A batch of messages that is durably held."""

    taken: list[Taken]


@dataclass(frozen=True)
class Writing:
    """Holds messages and has them delivered."""

    gateway: Gateway
    courier: Courier

    async def take(
        self,
        case_id: str,
        kind: str,
        message: Any,
        by: str,
        prefer: str | None = None,
        wait: int = 0,
        steps: tuple[Step, ...] = (),
    ) -> JSONResponse:
        """Hold a message, and answer. `wait` is for how many seconds, where the sender does not say."""
        row = await self.gateway.hold(case_id, kind, message, by)
        if row.accepted:
            return _answer(row, Receipt(id=row.id, case_id=case_id))
        if not (wait := _asked(prefer, wait)):
            self.courier.soon(row)
            return _answer(row)
        return await self._waited(row, wait, steps)

    async def take_all(self, feedback: Sequence[tuple[str, Any]], by: str) -> TakenBatch:
        """Hold many pieces of feedback, all or none."""
        rows = await self.gateway.hold_all(feedback, by)
        for row in rows:
            if not row.accepted:
                self.courier.soon(row)
        return TakenBatch(taken=[_taken(row, delivered=row.accepted) for row in rows])

    async def _waited(self, row: EvidenceRow, wait: int, steps: tuple[Step, ...]) -> JSONResponse:
        answering = asyncio.ensure_future(self._in_turn(row, steps))
        try:
            receipt = await asyncio.wait_for(asyncio.shield(answering), wait)
        except (TimeoutError, NoAnswerYet):
            answering.add_done_callback(lambda done: done.cancelled() or done.exception())  # the store has its answer
            return _answer(row)
        return _answer(row, receipt)

    async def _in_turn(self, row: EvidenceRow, steps: tuple[Step, ...]) -> Receipt:
        async with asyncio.timeout(2 * LONGEST_WAIT):  # then the sweeper takes it
            await self.courier.after(row.case_id)
            return await self.gateway.answer(row, steps)


def _asked(prefer: str | None, otherwise: int) -> int:
    found = re.search(r"(?:^|[,;\s])wait=(\d{1,6})", prefer or "")
    return min(int(found[1]), LONGEST_WAIT) if found else otherwise


def _answer(row: EvidenceRow, receipt: Receipt | None = None) -> JSONResponse:
    taken = _taken(row, delivered=receipt is not None)
    if receipt:
        taken = taken.model_copy(update={"release": receipt.release, "note": receipt.note})
    return JSONResponse(taken.model_dump(), 200 if receipt else 202, {"Location": taken.message})


def _taken(row: EvidenceRow, delivered: bool) -> Taken:
    at = f"/v1/cases/{row.case_id}/messages/{row.id}"
    return Taken(id=row.id, case_id=row.case_id, standing="delivered" if delivered else "waiting", message=at)
