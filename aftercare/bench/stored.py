"""Fills a store with the evidence of a long time: counted where a row of the matrix counts it, and never claimed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from aftercare.messages.kinds import KINDS
from aftercare.messages.triggers import Matrix
from aftercare.store.database import Database
from aftercare.store.unclaimed import WAITING

# What most cases have, beside what the matrix counts; nothing ever counts these.
UNWATCHED = ("verification", "latency", "tokens", "cost", "energy", "dead_end", "error", "fallback", "low_confidence")
AGAINST = 10  # one case of so many counts against the agent, in every row

_SERIES = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :number)",
    "postgresql": "WITH n(i) AS (SELECT generate_series(1, CAST(:number AS int)))",
}
_JSON = {"sqlite": "'{}'", "postgresql": "CAST('{}' AS json)"}
_AT = {"sqlite": ":at", "postgresql": "CAST(:at AS timestamptz)"}
_CASES = """INSERT INTO support_case
    (case_id, agent, domain, intent, book, opened_at, body, handled_by, stage)
    {series} SELECT 'old-' || i, '{agent}', 'retail', 'returns', 'book', {at}, {json}, 'agent', 'settled' FROM n"""
_FEEDBACK = """INSERT INTO feedback
    (case_id, id, agent, release, intent, handled_by, family, kind, value, unit, payload, source, occurred_at,
     received_at, counted_at, baseline)
    {series} SELECT 'old-' || i, 'computed/{kind}/1', '{agent}', 'r1', 'returns', 'agent', '{family}', '{kind}', 0, '',
    {json}, 'computed', {at}, {at}, {counted}, {false} FROM n"""
_AGAINST = """INSERT INTO against (agent, trigger, case_id, piece, kind, grouping, release, at)
    {series} SELECT '{agent}', '{trigger}', 'old-' || i, 'computed/{kind}/1', '{kind}', '{grouping}', 'r1', {at}
    FROM n WHERE i % {against} = 0"""


async def fill(database: Database, matrix: Matrix, agent: str, rows: int) -> int:
    """About so many pieces of feedback; gives how many there are."""
    kind = database.engine.dialect.name
    watched = {kind: name for name, row in matrix.triggers.items() for kind in row.evidence}
    cases = max(1, rows // (len(watched) + len(UNWATCHED)))
    told = {"agent": agent, "series": _SERIES[kind], "json": _JSON[kind], "at": _AT[kind], "against": AGAINST}
    at = datetime.now(UTC) - timedelta(days=30)
    values = {"number": cases, "at": str(at.replace(tzinfo=None)) if kind == "sqlite" else at}
    async with database.engine.begin() as connection:
        await connection.execute(text(_CASES.format(**told)), values)
        for statement in _evidence(watched, told, kind):
            await connection.execute(text(statement), values)
        await connection.execute(text(f"DELETE FROM detector WHERE detector = '{WAITING}'"))  # noqa: S608 - our own name
        await connection.execute(text("ANALYZE"))
    return cases * (len(watched) + len(UNWATCHED))


def _evidence(watched: Mapping[str, str], told: Mapping[str, Any], dialect: str) -> Collection[str]:
    false = {"sqlite": "0", "postgresql": "false"}[dialect]
    statements = []
    for kind in (*watched, *UNWATCHED):
        counted = told["at"] if kind in watched else "NULL"
        statements.append(_FEEDBACK.format(**told, kind=kind, family=KINDS[kind].family, counted=counted, false=false))
    for kind, trigger in watched.items():
        grouping = ",7.1," if kind == "policy_audit" else "returns"
        statements.append(_AGAINST.format(**told, kind=kind, trigger=trigger, grouping=grouping))
    return statements
