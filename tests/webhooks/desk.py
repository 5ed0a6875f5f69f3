"""Cases known to a test, and what was taken in about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from aftercare.lifecycle.state import Conflict
from aftercare.store.finding import CaseBrief
from tests.webhooks.sending import NOW

OPENED = NOW - timedelta(hours=3)


def case(case_id: str = "case-1", **particulars: Any) -> CaseBrief:
    """A case of the customer c01 that was resolved and is being watched."""
    told: dict[str, Any] = {
        "ticket": "zendesk:4711",
        "intent": "refund",
        "opened_at": OPENED,
        "stage": "watching",
        "ending": None,
        "watched_until": OPENED + timedelta(hours=24),
    }
    return CaseBrief(case_id, **(told | particulars))


class Desk:
    """A finder and a take in memory: the cases given, all of them of one customer, the newest first."""

    def __init__(self, *cases: CaseBrief, customer: str = "c01") -> None:
        self.cases = sorted(cases, key=lambda c: c.opened_at, reverse=True)
        self.customer = customer
        self.taken: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {}

    async def by_case(self, case_id: str) -> CaseBrief | None:
        return next((c for c in self.cases if c.case_id == case_id), None)

    async def by_ticket(self, ticket: str) -> Sequence[CaseBrief]:
        return [c for c in self.cases if c.ticket == ticket]

    async def by_customer(self, customer: str, since: datetime) -> Sequence[CaseBrief]:
        return [c for c in self.cases if customer == self.customer and c.watched_at(since)]

    async def take(self, case_id: str, kind: str, raw: dict[str, Any]) -> None:
        """As the inbox does: once by id, and nothing else under the same id."""
        there = self.taken.setdefault((case_id, raw["id"]), (kind, raw))
        if there != (kind, raw):
            raise Conflict(["another message has this id"])

    @property
    def told(self) -> list[tuple[str, str, dict[str, Any]]]:
        """What was taken in: case, kind, and what it says apart from its id and time."""
        return [
            (case_id, kind, {k: v for k, v in raw.items() if k not in ("id", "at")})
            for (case_id, _), (kind, raw) in self.taken.items()
        ]
