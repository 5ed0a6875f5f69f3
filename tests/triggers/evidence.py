"""Evidence as the store keeps it, and a row of the matrix that is soon alarmed by it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import event
from sqlmodel import SQLModel, col, select

from aftercare.messages.erasure import ErasureReceipt
from aftercare.messages.improvement import Fired, FireTrigger, TriggerStanding
from aftercare.messages.triggers import Baseline, Budget, Burst, Counts, Rate, Starts, TriggerRow, Volume
from aftercare.store import feedback
from aftercare.store.database import Database
from aftercare.store.erasing import Erasing
from aftercare.store.tables import AgainstRow, CaseRow, DetectorRow, FeedbackRow, FiringRow, SupervisorRow
from aftercare.store.triggers import Triggers

AGENT, TRIGGER, BOOK = "desk-agent", "override", "a" * 64
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
A_SECOND = timedelta(seconds=1)

ROW = TriggerRow(
    says="People correct what the agent decides.",
    evidence={"override": Counts(at_least=1), "escalation": Counts(at_least=1)},
    group_by="intent",
    detectors=(Rate(notice=2), Volume(cases=1_000)),
    baseline=Baseline(cases=20),
    tolerated=100,
    minimum_sample=20,
    cooldown=timedelta(0),
    budget=Budget(children=100),
    starts=Starts(workflow="retraining", kind="intent_classifier"),
)
BY_CLAUSE = ROW.model_copy(
    update={"evidence": {"policy_audit": Counts(at_most=0)}, "group_by": "clause", "detectors": (Burst(notice=5),)}
)


def of_volume(cases: int) -> TriggerRow:
    """The same row, with another volume."""
    return ROW.model_copy(update={"detectors": (Rate(notice=2), Volume(cases=cases))})


class Desk:
    """A store with triggers, and the evidence that comes in at it: a second lies between two pieces."""

    def __init__(self, database: Database, batch: int = 2_000) -> None:
        self.database, self.triggers = database, Triggers(database, batch)
        self._numbers = itertools.count(1)

    def piece(self, value: float | None = 1, *, case: str = "", kind: str = "override", **other: Any) -> FeedbackRow:
        """A piece of evidence about a case, a new one unless it is named."""
        number = next(self._numbers)
        told: dict[str, Any] = {
            "case_id": case or f"case-{number:05}",
            "id": f"computed/{kind}/1",
            "agent": AGENT,
            "intent": "returns",
            "release": "r1",
            "family": "outcome",
            "received_at": NOW + number * A_SECOND,
        }
        told |= other
        return FeedbackRow(**told, kind=kind, value=value, occurred_at=told["received_at"])

    async def put(self, *pieces: FeedbackRow) -> None:
        """Write evidence down as the cases do."""
        async with self.database.session() as session:
            await feedback.keep(self.database, session, pieces)

    async def quiet(self, cases: int = 60, value: float = 0, **told: Any) -> None:
        """Cases in which nothing went wrong."""
        await self.put(*(self.piece(value, **told) for _ in range(cases)))

    async def storm(self, cases: int = 40, value: float = 1, **told: Any) -> None:
        """Cases in which it did: enough of them to alarm."""
        await self.put(*(self.piece(value, **told) for _ in range(cases)))

    async def check(self, row: TriggerRow = ROW, agent: str = AGENT) -> TriggerStanding:
        """A check by the row."""
        return await self.triggers.check(agent, TRIGGER, row, BOOK, NOW)

    async def fire(self, cycle: int = 1, row: TriggerRow = ROW, at: datetime = NOW, by: str = "") -> Fired:
        """A firing of the row."""
        asked = FireTrigger(agent=AGENT, trigger=TRIGGER, cycle=cycle, by=by, reason="to see" if by else "")
        return await self.triggers.fire(asked, row, at)

    async def alarmed(self, row: TriggerRow = ROW) -> TriggerStanding:
        """Counted evidence that makes the row due."""
        await self.quiet()
        await self.storm()
        return await self.check(row)

    async def erase(self, case: str) -> None:
        """Erase the customer of a case, which is made where there was none."""
        told: dict[str, Any] = {
            "agent": AGENT,
            "domain": "retail",
            "book": BOOK,
            "opened_at": NOW,
            "body": {},
            "customer": case,
        }
        await self.database.write(CaseRow(case_id=case, **told))
        erasing = Erasing(self.database)
        await erasing.mark(case, NOW)
        await erasing.scrub(case, (), lambda traces: ErasureReceipt(id=case, at=NOW, by="admin", traces=traces))

    async def against(self) -> list[AgainstRow]:
        """What counts against the agent."""
        async with self.database.session() as session:
            return list(await session.exec(select(AgainstRow)))

    async def claims(self) -> dict[str, str | None]:
        """Which firing has claimed it, by case."""
        return {row.case_id: row.firing for row in await self.against()}

    async def counted(self) -> int:
        """How many pieces are marked as counted."""
        marked = select(FeedbackRow).where(col(FeedbackRow.counted_at).is_not(None))
        async with self.database.session() as session:
            return len(list(await session.exec(marked)))

    async def everything(self) -> dict[str, list[Any]]:
        """All that checks and firings leave, in an order of its own."""
        left: dict[str, list[Any]] = {}
        async with self.database.engine.connect() as connection:
            for table in (SupervisorRow, DetectorRow, AgainstRow, FeedbackRow, FiringRow):
                rows = await connection.execute(SQLModel.metadata.tables[str(table.__tablename__)].select())
                left[str(table.__tablename__)] = sorted((tuple(row) for row in rows), key=str)
        return left


@dataclass
class BreakingOff:
    """Fails at the n-th statement from now on, as a lost connection does."""

    desk: Desk
    at: int

    def __enter__(self) -> None:
        event.listen(self.desk.database.engine.sync_engine, "before_cursor_execute", self._count)

    def __exit__(self, *_: object) -> None:
        event.remove(self.desk.database.engine.sync_engine, "before_cursor_execute", self._count)

    def _count(self, *_: object) -> None:
        self.at -= 1
        if self.at == 0:
            raise ConnectionError("broken off")
