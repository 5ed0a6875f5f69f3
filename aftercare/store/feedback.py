"""Feedback in the store: what people and machines sent, and what was computed, in one table of one form."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from aftercare.evidence.pieces import Piece
from aftercare.messages.evidence import Feedback
from aftercare.messages.kinds import KINDS, family_of
from aftercare.store.database import Database
from aftercare.store.tables import CaseRow, FeedbackRow

# What stays while a piece is computed again to the same value: when that came, and whether it was counted. Another
# value is new evidence, which stands in the order in which it came and is counted again.
KEPT = frozenset({"received_at", "counted_at"})


def row_of_feedback(case: CaseRow, sent: Feedback, received_at: datetime) -> FeedbackRow | None:
    """The row of a piece that was sent; None where its value is none its kind has: the inbox keeps it as it came."""
    kind = KINDS.get(sent.kind)
    if kind and kind.problem(sent.value):
        return None
    comment = {"comment": sent.comment} if sent.comment else {}
    return FeedbackRow(
        **_about(case),
        id=sent.id,
        family=family_of(sent.kind, sent.family),
        kind=sent.kind,
        value=sent.value,
        unit=sent.unit or (kind.unit if kind else ""),
        step=sent.step,
        payload={**sent.payload, **comment},
        source=sent.source,
        occurred_at=sent.at or received_at,
        received_at=received_at,
    )


def row_of_piece(case: CaseRow, piece: Piece, at: datetime) -> FeedbackRow:
    """The row of a piece that was computed."""
    return FeedbackRow(
        **_about(case),
        id=piece.id,
        family=piece.family,
        kind=piece.kind,
        value=piece.value,
        unit=piece.unit,
        step=piece.step,
        payload=piece.payload,
        source="computed",
        occurred_at=at,
        received_at=at,
    )


async def keep(database: Database, session: AsyncSession, rows: Sequence[FeedbackRow]) -> None:
    """Write rows in a transaction of the caller's; one that is there is replaced, but for what stays."""
    await database.put(session, rows, keeping=KEPT, by="value")


async def follow(session: AsyncSession, case_id: str, intent: str) -> None:
    """The evidence of a case is about what the case turned out to be about."""
    changed = update(FeedbackRow).where(col(FeedbackRow.case_id) == case_id, col(FeedbackRow.intent) != intent)
    await (await session.connection()).execute(changed.values(intent=intent))


def _about(case: CaseRow) -> dict[str, Any]:
    return {
        "case_id": case.case_id,
        "agent": case.agent,
        "release": case.release,
        "intent": case.intent,
        "handled_by": case.handled_by,
    }
