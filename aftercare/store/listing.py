"""Lists of cases, newest first, a page at a time: a page costs the same however many cases there are."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlmodel import col, select, tuple_

from aftercare.store.database import Database
from aftercare.store.tables import CaseRow

FILTERS = ("stage", "outcome", "verdict", "agent", "intent", "handled_by", "release", "domain", "ticket")


class BadCursor(ValueError):
    """A cursor that no page of ours gave."""


@dataclass(frozen=True)
class Page:
    """Some cases, and where the next ones begin."""

    cases: list[CaseRow]
    next: str | None


async def page_of_cases(
    database: Database,
    wanted: Mapping[str, str | None],
    after: datetime | None = None,
    before: datetime | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page:
    """The cases that are as wanted, opened from `after` until `before`. Raises BadCursor."""
    asked = select(CaseRow).order_by(col(CaseRow.opened_at).desc(), col(CaseRow.case_id).desc()).limit(limit + 1)
    for name in FILTERS:
        if (value := wanted.get(name)) is not None:
            asked = asked.where(getattr(CaseRow, name) == value)
    if after:
        asked = asked.where(col(CaseRow.opened_at) >= after)
    if before:
        asked = asked.where(col(CaseRow.opened_at) < before)
    if cursor:
        opened_at, case_id = _read(cursor)
        asked = asked.where(tuple_(col(CaseRow.opened_at), col(CaseRow.case_id)) < tuple_(opened_at, case_id))
    async with database.session() as session:
        found = list(await session.exec(asked))
    more = len(found) > limit
    return Page(found[:limit], _written(found[limit - 1]) if more else None)


def _written(row: CaseRow) -> str:
    return base64.urlsafe_b64encode(json.dumps([row.opened_at.isoformat(), row.case_id]).encode()).decode()


def _read(cursor: str) -> tuple[datetime, str]:
    try:
        told: Any = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        opened_at, case_id = told
        if not re.fullmatch(r"[A-Za-z0-9._:\-]+", case_id):
            raise ValueError("no id of a case")
        return datetime.fromisoformat(opened_at).astimezone(UTC), case_id
    except (ValueError, TypeError, binascii.Error, RecursionError, OverflowError) as error:
        raise BadCursor("this cursor is of no page of ours; begin without one") from error
