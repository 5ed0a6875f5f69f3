"""Fills a store with pieces of feedback that were delivered long ago, in one statement."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from aftercare.store.database import Database

_BODY = '{"id": "p", "kind": "csat", "value": 4, "comment": "It was all right.", "unit": "1-5"}'
_SQLITE = """INSERT INTO evidence (case_id, id, kind, standing, digest, reasons, body, at)
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :number)
    SELECT 'old-' || (i % 100000), :name || '-' || i, 'feedback', 'delivered', 'digest', '[]', :body, :at FROM n"""
_POSTGRESQL = """INSERT INTO evidence (case_id, id, kind, standing, digest, reasons, body, at)
    SELECT 'old-' || (i % 100000), CAST(:name AS text) || '-' || i, 'feedback', 'delivered', 'digest',
    CAST('[]' AS json), CAST(:body AS json), CAST(:at AS timestamptz)
    FROM generate_series(1, CAST(:number AS int)) AS n(i)"""


async def fill(database: Database, number: int, name: str) -> None:
    """So many pieces, under ids that begin with this name."""
    if number <= 0:
        return
    on_sqlite = database.engine.dialect.name == "sqlite"
    at = datetime.now(UTC) - timedelta(days=2)
    values = {"number": number, "name": name, "body": _BODY, "at": str(at.replace(tzinfo=None)) if on_sqlite else at}
    async with database.engine.begin() as connection:
        await connection.execute(text(_SQLITE if on_sqlite else _POSTGRESQL), values)
        await connection.execute(text("ANALYZE evidence"))
