"""Writing the steps of a trace, each number once."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from aftercare.messages.case import Step
from aftercare.store.database import Database
from aftercare.store.tables import StepRow


class StepTaken(ValueError):
    """A step's number is in use for another step of the same case. Final."""


async def add_steps(
    database: Database, session: AsyncSession, case_id: str, steps: Sequence[Step], batch: str | None = None
) -> None:
    """Write steps down in a transaction of the caller's. Raises StepTaken: nothing is written over."""
    rows = [
        StepRow(case_id=case_id, number=s.number, kind=s.kind, name=s.name, batch=batch, body=s.model_dump(mode="json"))
        for s in steps
    ]
    # Written first, so that two reports of one number meet at the lock and not after it.
    await database.add(session, rows)
    numbers = [row.number for row in rows]
    there = await session.exec(select(StepRow).where(StepRow.case_id == case_id, col(StepRow.number).in_(numbers)))
    kept = {row.number: row for row in there}
    if taken := [s.number for s in steps if Step.model_validate(kept[s.number].body) != s]:
        raise StepTaken(f"case {case_id!r} already has other steps under the numbers {taken}")
    # A step that came with two messages would be counted twice, and let go with the one that is refused.
    if batch and (others := {b for row in rows if (b := kept[row.number].batch) not in (None, batch)}):
        raise StepTaken(f"case {case_id!r} has these steps by the message {sorted(others)}: send them under that id")
