"""Firings: the rows, the last of a supervisor, and what its week's budget leaves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from aftercare.messages.improvement import Firing, FiringStatus
from aftercare.messages.triggers import Budget
from aftercare.store.tables import FiringRow

A_WEEK = timedelta(days=7)
_ALARMED = "alarmed"  # beside the message: the groups to alarm again, the nameless one of an ungrouped row among them


def firing_id(agent: str, trigger: str, cycle: int) -> str:
    """A firing's id reads like a path."""
    return f"{agent}/{trigger}/{cycle}"


def row_of(firing: Firing, alarmed: Sequence[str]) -> FiringRow:
    """The row of a firing, with the groups whose alarm it answers."""
    return FiringRow(
        **firing.model_dump(include={"id", "agent", "trigger", "cycle", "status", "note"}),
        fired_at=firing.at,
        body=firing.model_dump(mode="json") | {_ALARMED: list(alarmed)},
    )


def alarmed_of(row: FiringRow) -> list[str]:
    """The groups whose alarm a firing answered."""
    return list(row.body.get(_ALARMED, ()))


def message_of(row: FiringRow) -> Firing:
    """A firing as it stands."""
    return Firing.model_validate(row.body | {"status": row.status, "note": row.note})


async def last_of(session: AsyncSession, agent: str, trigger: str) -> Firing | None:
    """The last firing of a row."""
    theirs = select(FiringRow).where(FiringRow.agent == agent, FiringRow.trigger == trigger)
    found = (await session.exec(theirs.order_by(col(FiringRow.cycle).desc()).limit(1))).first()
    return message_of(found) if found else None


def is_open(firing: Firing | None) -> bool:
    """Whether its improvement has not ended. Only the last one of a row can be so: none fires beside an open one."""
    return firing is not None and firing.status is FiringStatus.STARTED


async def over_budget_until(
    session: AsyncSession, agent: str, trigger: str, budget: Budget, at: datetime
) -> datetime | None:
    """When the last seven days leave room for another child; None where they do."""
    theirs = select(FiringRow).where(FiringRow.agent == agent, FiringRow.trigger == trigger)
    of_week = theirs.where(col(FiringRow.fired_at) > at - A_WEEK).order_by(col(FiringRow.fired_at))
    fired = list(await session.exec(of_week))
    leaves_room = None
    while fired and _is_spent(fired, budget):
        leaves_room = fired.pop(0).fired_at + A_WEEK
    return leaves_room


def _is_spent(fired: Sequence[FiringRow], budget: Budget) -> bool:
    cost = sum(firing.cost for firing in fired)
    return len(fired) >= budget.children or (budget.cost is not None and 0 < cost >= budget.cost)
