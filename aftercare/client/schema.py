"""The buffer's file: a SQLite database that only its user reads, made and opened with care."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

from aftercare.client.patience import patience

VERSION = 1
BUSY = 5.0  # seconds a write waits for another process that shares the file
SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, case_id TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,
  body TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS steps (
  case_id TEXT NOT NULL, number INTEGER NOT NULL, body TEXT NOT NULL, at REAL NOT NULL,
  PRIMARY KEY (case_id, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS acts (
  case_id TEXT NOT NULL, number INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (case_id, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cases (
  case_id TEXT PRIMARY KEY, registered TEXT NOT NULL DEFAULT '', last INTEGER NOT NULL DEFAULT 0,
  endings INTEGER NOT NULL DEFAULT 0, at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refused (
  seq INTEGER PRIMARY KEY, case_id TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT,
  status INTEGER NOT NULL, reasons TEXT NOT NULL, at REAL NOT NULL);
"""


def connected(file: Path | None) -> sqlite3.Connection:
    """The buffer in a file, or in memory. Raises sqlite3.Error or OSError where it cannot be used.

    Every commit is on the disk when it returns, and what is deleted is overwritten: it holds customers' words.
    """
    for pause in patience(BUSY):
        try:
            return _connected(file)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(pause)  # SQLite does not wait by itself where several processes make the file
    return _connected(file)


def _connected(file: Path | None) -> sqlite3.Connection:
    db = sqlite3.connect(
        _made(file) if file else ":memory:", timeout=BUSY, isolation_level=None, check_same_thread=False
    )
    try:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
            db.execute(f"PRAGMA {pragma}")
        found = db.execute("PRAGMA user_version").fetchone()[0]
        if found > VERSION:
            raise sqlite3.DatabaseError(f"the buffer was written by a later version ({found})")
        if found < VERSION:
            db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
    except BaseException:
        db.close()
        raise
    return db


class SendersLock:
    """Held by the one process that sends. The system itself lets go of it when that process dies, however it dies."""

    def __init__(self, file: Path | None) -> None:
        self._file = file.with_name(f"{file.name}.sending") if file else None
        self._db: sqlite3.Connection | None = None

    def take(self) -> bool:
        """Whether this process may send now; it keeps the right until it gives it back."""
        if self._file is None or self._db:
            return True
        db = sqlite3.connect(_made(self._file), timeout=0.0, isolation_level=None, check_same_thread=False)
        try:
            db.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            db.close()
            return False
        self._db = db
        return True

    def give_back(self) -> None:
        """Let another process send."""
        if self._db:
            self._db.close()
            self._db = None


def _made(file: Path) -> Path:
    """The file, there and for its user alone. SQLite gives the same mode to those it keeps beside it."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):  # a file that is in use is not opened here: closing it would end SQLite's locks
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    if os.name == "posix" and file.stat().st_mode & 0o077:
        file.chmod(0o600)
    return file
