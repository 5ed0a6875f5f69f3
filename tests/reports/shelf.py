"""A store with settled cases on it, written down as the worker would."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import SQLModel

from aftercare.messages.work import Standing
from aftercare.store.cases import Cases
from aftercare.store.tables import CaseRow, EpisodeRow, EvidenceRow, FeedbackRow, HistoryRow, SettlementRow

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


class Shelf:
    """Puts cases into a store."""

    def __init__(self, cases: Cases) -> None:
        self.cases = cases

    async def put(self, *rows: SQLModel) -> None:
        """Write rows down."""
        await self.cases.database.write(*rows)

    async def opened(self, case_id: str, **told: Any) -> None:
        """A case that was registered and has not settled."""
        row: dict[str, Any] = {"agent": "bot", "domain": "retail", "book": "b", "opened_at": NOW, "body": {}}
        await self.put(CaseRow(case_id=case_id, **row | told))

    async def settled(self, case_id: str, outcome: str = "confirmed", first: Any = None, **told: Any) -> None:
        """A case that settled; `first` is what is known of its first episode."""
        await self.opened(case_id, **told)
        known = {"ending": "resolved", "verification": "verified", "policy_verdict": "compliant", **(first or {})}
        await self.put(EpisodeRow(case_id=case_id, number=1, handled_by="agent", body={}, **known))
        await self.settlement(case_id, 1, outcome)
        await self.evidence(case_id, "resolution", NOW + 5 * MINUTE)

    async def settlement(self, case_id: str, revision: int, outcome: str, reopens: int = 0) -> None:
        """How a run of a case ended."""
        row: dict[str, Any] = {"run_id": "r", "settled_at": NOW, "body": {"reopens": reopens}, "state": {}}
        await self.put(SettlementRow(case_id=case_id, revision=revision, outcome=outcome, **row))

    async def evidence(self, case_id: str, kind: str, at: datetime, standing: Any = "delivered", **body: Any) -> None:
        """A message about a case."""
        id = f"{kind}-{at.isoformat()}"
        row: dict[str, Any] = {"digest": "d", "reasons": [], "body": body, "at": at, "standing": Standing(standing)}
        await self.put(EvidenceRow(case_id=case_id, id=id, kind=kind, **row))

    async def feedback(self, case_id: str, kind: str, value: float | None, **told: Any) -> None:
        """A piece of feedback; computed of the first episode unless it is told otherwise."""
        row: dict[str, Any] = {"id": f"computed/{kind}/1", "agent": "bot", "family": "explicit", "payload": {}}
        row |= {"occurred_at": NOW, "received_at": NOW}
        await self.put(FeedbackRow(case_id=case_id, kind=kind, value=value, **row | told))

    async def history(self, id: str, source: str = "before", **told: Any) -> None:
        """A case of the time before."""
        row: dict[str, Any] = {"opened_at": NOW, "body": {}}
        await self.put(HistoryRow(source=source, id=id, **row | told))
