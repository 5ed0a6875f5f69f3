"""The shop's own database: one base set of records, and per copy only the versions its operations wrote."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from aftercare.demo.shop.domain import Changed, Record, Refused
from aftercare.demo.shop.messages import JournalEntry

# The base belongs to the copy named '' and to operation 0, so the newest version a copy sees is the highest number.
# The version of a record that was removed is JSON's null. Plans, arrivals and injected are for copies with faults alone
# (aftercare/demo/shop/faults.py).
SCHEMA = """
CREATE TABLE IF NOT EXISTS versions (
  copy TEXT, kind TEXT, id TEXT, operation INTEGER, record TEXT NOT NULL,
  PRIMARY KEY (copy, kind, id, operation)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS operations (
  copy TEXT, number INTEGER, tool TEXT NOT NULL, arguments TEXT NOT NULL, party TEXT NOT NULL, at TEXT NOT NULL,
  refusal TEXT, result TEXT NOT NULL, key TEXT,
  PRIMARY KEY (copy, number), UNIQUE (copy, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS plans (copy TEXT PRIMARY KEY, plan TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS arrivals (
  copy TEXT, operation INTEGER, kind TEXT, id TEXT, changes TEXT NOT NULL, shows_at REAL NOT NULL,
  PRIMARY KEY (copy, operation, kind, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS injected (copy TEXT, fact TEXT NOT NULL);
"""
JOURNAL = """
SELECT number, tool, arguments, party, at, refusal,
  (SELECT json_group_array(kind || '/' || id) FROM versions WHERE copy = o.copy AND operation = o.number) AS changed
FROM operations AS o WHERE copy = ? ORDER BY number
"""


class KeyReused(Exception):
    """An idempotency key came back with another request than its first."""


@dataclass(frozen=True)
class Request:
    """A wish to change records: by whom, with what, and under which idempotency key."""

    tool: str
    arguments: Mapping[str, Any]
    by: Literal["agent", "staff"]
    key: str | None = None


Touched = Mapping[tuple[str, str], tuple[Record | None, Record | None]]


@dataclass(frozen=True)
class Performed:
    """What an operation came to; `touched` is each record before and after it, none where it was performed before."""

    number: int
    result: Any
    refusal: str | None
    touched: Touched = field(default_factory=dict)

    @property
    def operation(self) -> str:
        return f"op-{self.number}"


class Database:
    def __init__(self, path: Path) -> None:
        self._path = path
        with closing(self._connect()) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(SCHEMA)

    def load(self, recorded: Path) -> None:
        """Take the base from a recorded file, unless this database already has one."""
        text = gzip.decompress(recorded.read_bytes()) if recorded.suffix == ".gz" else recorded.read_bytes()
        with self._transaction("IMMEDIATE") as connection:
            if connection.execute("SELECT 1 FROM versions WHERE copy = '' LIMIT 1").fetchone():
                return
            base = (
                (kind, id, json.dumps(r)) for kind, records in json.loads(text).items() for id, r in records.items()
            )
            connection.executemany("INSERT INTO versions VALUES ('', ?, ?, 0, ?)", base)

    @contextmanager
    def reading(self, name: str) -> Iterator[Copy]:
        with self._transaction("DEFERRED") as connection:
            yield Copy(connection, name)

    @contextmanager
    def writing(self, name: str) -> Iterator[Copy]:
        with self._transaction("IMMEDIATE") as connection:
            yield Copy(connection, name)

    @contextmanager
    def _transaction(self, kind: str) -> Iterator[sqlite3.Connection]:
        with closing(self._connect()) as connection:
            connection.execute(f"BEGIN {kind}")
            with connection:
                yield connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=30, isolation_level=None)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection


class Copy:
    """One isolated copy of the records, within one transaction."""

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        self.connection = connection
        self.name = name

    def find(self, kind: str, id: str, before: int | None = None) -> Record | None:
        row = self.connection.execute(
            "SELECT record FROM versions WHERE kind = ? AND id = ? AND copy IN ('', ?) AND operation < ifnull(?, 1e18)"
            " ORDER BY operation DESC LIMIT 1",
            (kind, id, self.name, before),
        ).fetchone()
        return json.loads(row["record"]) if row else None

    def all(self, kind: str) -> dict[str, Record]:
        rows = self.connection.execute(
            "SELECT id, record, max(operation) FROM versions WHERE kind = ? AND copy IN ('', ?) GROUP BY id",
            (kind, self.name),
        )
        found = {row["id"]: json.loads(row["record"]) for row in rows}
        return {id: record for id, record in found.items() if record is not None}

    def perform(self, request: Request, run: Callable[[], Changed]) -> Performed:
        """Journal the operation and store what it changed; a repeated key gets the first answer, nothing more."""
        if (earlier := self._performed_under_key_of(request)) is not None:
            return earlier
        try:
            changed, refusal = run(), None
        except Refused as refused:
            changed, refusal = Changed(None, {}), str(refused)
        number = self._journal(request, changed.result, refusal)
        touched = {key: (self.find(*key), record) for key, record in changed.records.items()}
        for (kind, id), (before, record) in touched.items():
            if record != before:
                self.connection.execute(
                    "INSERT INTO versions VALUES (?, ?, ?, ?, ?)", (self.name, kind, id, number, json.dumps(record))
                )
        return Performed(number, changed.result, refusal, touched)

    def number_of(self, operation: str) -> int | None:
        query = "SELECT number FROM operations WHERE copy = ? AND 'op-' || number = ?"
        row = self.connection.execute(query, (self.name, operation)).fetchone()
        return row["number"] if row else None

    def journal(self) -> list[JournalEntry]:
        return [
            JournalEntry(
                operation=f"op-{row['number']}",
                tool=row["tool"],
                arguments=json.loads(row["arguments"]),
                by=row["party"],
                at=datetime.fromisoformat(row["at"]),
                accepted=row["refusal"] is None,
                reason=row["refusal"],
                changed=json.loads(row["changed"]),
            )
            for row in self.connection.execute(JOURNAL, (self.name,))
        ]

    def _performed_under_key_of(self, request: Request) -> Performed | None:
        query = "SELECT * FROM operations WHERE copy = ? AND key = ?"
        row = self.connection.execute(query, (self.name, request.key)).fetchone()
        if row is None:
            return None
        if (row["tool"], json.loads(row["arguments"]), row["party"]) != (request.tool, request.arguments, request.by):
            raise KeyReused(f"The idempotency key {request.key} was first used for another request.")
        return Performed(row["number"], json.loads(row["result"]), row["refusal"])

    def _journal(self, request: Request, result: Any, refusal: str | None) -> int:
        number: int = self.connection.execute(
            "SELECT ifnull(max(number), 0) + 1 FROM operations WHERE copy = ?", (self.name,)
        ).fetchone()[0]
        arguments, at = json.dumps(request.arguments), datetime.now(UTC).isoformat()
        row = (request.tool, arguments, request.by, at, refusal, json.dumps(result), request.key)
        self.connection.execute("INSERT INTO operations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (self.name, number, *row))
        return number
