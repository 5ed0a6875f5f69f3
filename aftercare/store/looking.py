"""What people ask of the store: which cases there are, what is held up, how far it is migrated. Nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import cast

import sqlalchemy as sql
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import ColumnElement, Connection, text
from sqlmodel import col, func, select

from aftercare.messages.policy import Finding
from aftercare.messages.reviews import UNCHANGED
from aftercare.messages.work import Standing
from aftercare.store.cases import Cases
from aftercare.store.database import Database, alembic_config
from aftercare.store.tables import CaseRow, EvidenceRow, FindingRow, ReviewRow


async def revision(database: Database) -> str | None:
    """The migration the store has come to; None where it is empty."""
    async with database.engine.connect() as connection:
        return await connection.run_sync(_revision)


def newest_revision() -> str:
    """The newest numbered migration there is."""
    return str(ScriptDirectory.from_config(alembic_config()).get_current_head())


def known_revisions() -> set[str]:
    """Every numbered migration this program knows."""
    return {script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()}


async def check_writable(database: Database) -> None:
    """Try to write, and take it back. Raises SQLAlchemyError where that cannot be done."""
    async with database.engine.connect() as connection:
        await connection.execute(text("DELETE FROM evidence WHERE 1 = 0"))
        await connection.rollback()


async def registered(
    cases: Cases, domain: str | None = None, ids: Sequence[str] = (), since: datetime | None = None
) -> list[CaseRow]:
    """The registered cases, by domain, by id, or opened since a moment."""
    asked = select(CaseRow).order_by(col(CaseRow.opened_at), col(CaseRow.case_id))
    if domain:
        asked = asked.where(CaseRow.domain == domain)
    if ids:
        asked = asked.where(col(CaseRow.case_id).in_(ids))
    if since:
        asked = asked.where(col(CaseRow.opened_at) >= since)
    async with cases.database.session() as session:
        return list(await session.exec(asked))


async def intents_of(database: Database, agent: str) -> list[str]:
    """The intents that an agent's cases have, and those that somebody judged them to have."""
    judged = cast(ColumnElement[str], col(ReviewRow.decision)["intent"].as_string())
    named = sql.select(col(CaseRow.intent)).where(col(CaseRow.agent) == agent)
    asked = named.union(sql.select(judged).where(col(ReviewRow.agent) == agent))
    async with database.session() as session:
        found = (await (await session.connection()).execute(asked)).scalars()
        return sorted(intent for intent in found if intent and intent != UNCHANGED)


async def findings_of_case(cases: Cases, case_id: str) -> dict[int, list[Finding]]:
    """What every audit of a case found, by episode, in the order of the steps."""
    asked = select(FindingRow).where(FindingRow.case_id == case_id)
    found: dict[int, list[Finding]] = {}
    async with cases.database.session() as session:
        for row in await session.exec(asked.order_by(col(FindingRow.step), col(FindingRow.rule))):
            found.setdefault(row.episode, []).append(Finding.model_validate(row.model_dump()))
    return dict(sorted(found.items()))


async def waiting_since(cases: Cases, before: datetime) -> tuple[int, int]:
    """How many messages came before a moment and still wait: about registered cases, and about others."""
    known = col(EvidenceRow.case_id).in_(select(CaseRow.case_id))
    asked = select(func.count()).where(EvidenceRow.standing == Standing.WAITING, col(EvidenceRow.at) < before)
    async with cases.database.session() as session:
        return (await session.exec(asked.where(known))).one(), (await session.exec(asked.where(~known))).one()


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
