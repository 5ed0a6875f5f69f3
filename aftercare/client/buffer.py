"""The buffer: every write is in it before it is sent, and leaves it when Aftercare holds it."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from aftercare.client.forking import guard
from aftercare.client.schema import SendersLock, connected
from aftercare.client.writes import Entry, Known, RefusedWrite, Write, batches, numbered_id

MOST_REFUSED = 1_000
KEPT = 7 * 24 * 3600.0  # seconds that cases and refusals are remembered
EVERY = 3600.0  # seconds until it is looked again for what may be forgotten


class BufferFull(Exception):
    """The buffer has reached its limit; what is in it stays."""


class Buffer:
    """Writes on disk, or in memory where there is no `file`; used by any thread, and by any process with the file.

    Every method raises sqlite3.Error or OSError where the file cannot be used. `limit` in bytes of the file.
    """

    def __init__(self, file: Path | None, limit: int, batch: int) -> None:
        self._file, self._limit, self._batch = file, limit, batch
        self._lock, self._senders = Lock(), SendersLock(file)
        self._db = None if file else connected(None)
        self._forget_at = 0.0
        guard(self)

    def __del__(self) -> None:
        self._senders.give_back()
        if self._db:
            self._db.close()

    @property
    def outlives_its_process(self) -> bool:
        """Whether it lies on disk."""
        return self._file is not None

    def begin(self, registration: Write, particulars: str) -> Known:
        """An agent enters a case: register it unless that was done with the same particulars."""
        with self._changing() as db:
            case_id = registration.case_id
            self._forget(db)
            _remember(db, case_id)
            found = db.execute("SELECT registered, last, endings FROM cases WHERE case_id = ?", (case_id,)).fetchone()
            if found[0] != particulars:
                self._check_room(db)
                _append(db, registration)
                db.execute("UPDATE cases SET registered = ? WHERE case_id = ?", (particulars, case_id))
            acts = db.execute("SELECT body FROM acts WHERE case_id = ? ORDER BY number", (case_id,)).fetchall()
            return Known(found[1], found[2], tuple(body for (body,) in acts))

    def add_step(self, case_id: str, number: int, body: str, act: str | None) -> None:
        """One step, which waits for its batch. `act` is the action it was, until an ending claims it."""
        with self._changing() as db:
            self._check_room(db)
            _remember(db, case_id)
            db.execute("INSERT INTO steps VALUES (?, ?, ?, ?)", (case_id, number, body, time.time()))
            db.execute("UPDATE cases SET last = max(last, ?) WHERE case_id = ?", (number, case_id))
            if act:
                db.execute("INSERT OR REPLACE INTO acts VALUES (?, ?, ?)", (case_id, number, act))
            open_steps = db.execute("SELECT count(*) FROM steps WHERE case_id = ?", (case_id,)).fetchone()[0]
            if open_steps >= self._batch:
                self._close_batches(db, case_id)

    def add(self, write: Write, ends: bool = False) -> int:
        """One message, behind the steps before it; gives its place. `ends` closes the attempt at the case."""
        with self._changing() as db:
            self._check_room(db)
            self._close_batches(db, write.case_id)
            if ends:
                db.execute("UPDATE cases SET endings = endings + 1 WHERE case_id = ?", (write.case_id,))
                db.execute("DELETE FROM acts WHERE case_id = ?", (write.case_id,))
            return _append(db, write)

    def close_batches(self, case_id: str | None = None, older_than: float | None = None) -> None:
        """Make messages of the steps that wait: of one case or of all, or where the first came before an instant."""
        before = time.time() + KEPT if older_than is None else older_than
        wanted = (case_id, case_id, before)
        asked = "SELECT case_id FROM steps WHERE (? IS NULL OR case_id = ?) GROUP BY case_id HAVING min(at) <= ?"
        with self._reading() as db:
            cases = db.execute(asked, wanted).fetchall()
        if cases:
            with self._changing() as db:
                for (found,) in cases:
                    self._close_batches(db, found)

    def next(self, without: Collection[str] = ()) -> Entry | None:
        """The oldest message, but of none of these cases."""
        places = ",".join("?" * len(without))
        asked = f"SELECT * FROM entries WHERE case_id NOT IN ({places}) ORDER BY seq LIMIT 1"  # noqa: S608 - places only
        with self._reading() as db:
            found = db.execute(asked, tuple(without)).fetchone()
        return found and Entry(seq=found[0], case_id=found[1], kind=found[2], id=found[3], body=found[4])

    def sent(self, entry: Entry) -> None:
        """Aftercare holds it."""
        with self._changing() as db:
            db.execute("DELETE FROM entries WHERE seq = ?", (entry.seq,))

    def refuse(self, entry: Entry, status: int, reasons: tuple[str, ...]) -> None:
        """Aftercare will never take it: kept apart, with the reasons. Of an erased case (410) nothing is kept."""
        body = None if status == 410 else entry.body
        told = (entry.seq, entry.case_id, entry.kind, entry.id, body, status, json.dumps(reasons), time.time())
        with self._changing() as db:
            db.execute("DELETE FROM entries WHERE seq = ?", (entry.seq,))
            db.execute("INSERT OR REPLACE INTO refused VALUES (?, ?, ?, ?, ?, ?, ?, ?)", told)
            newest = "SELECT seq FROM refused ORDER BY seq DESC LIMIT ?"
            db.execute(f"DELETE FROM refused WHERE seq NOT IN ({newest})", (MOST_REFUSED,))  # noqa: S608 - our own words
            if entry.kind == "registration":
                db.execute("UPDATE cases SET registered = '' WHERE case_id = ?", (entry.case_id,))

    def refused(self) -> tuple[RefusedWrite, ...]:
        """What was refused, oldest first."""
        with self._reading() as db:
            found = db.execute("SELECT case_id, kind, id, status, reasons, body FROM refused ORDER BY seq").fetchall()
        return tuple(
            RefusedWrite(case_id, kind, id, status, tuple(json.loads(reasons)), body)
            for case_id, kind, id, status, reasons, body in found
        )

    def span(self) -> tuple[int, int]:
        """The places of the oldest and the newest message; 0, 0 where none waits."""
        with self._reading() as db:
            oldest, newest = db.execute("SELECT min(seq), max(seq) FROM entries").fetchone()
        return oldest or 0, newest or 0

    def is_empty_up_to(self, newest: int) -> bool:
        """Whether every message up to this place has left."""
        oldest = self.span()[0]
        return oldest == 0 or oldest > newest

    def holds(self, seq: int) -> bool:
        """Whether this message still waits."""
        with self._reading() as db:
            return bool(db.execute("SELECT 1 FROM entries WHERE seq = ?", (seq,)).fetchone())

    def oldest_step(self) -> float | None:
        """When the oldest step came that waits for its batch, in seconds since the epoch."""
        with self._reading() as db:
            at: float | None = db.execute("SELECT min(at) FROM steps").fetchone()[0]
        return at

    def may_send(self) -> bool:
        """Whether it is this process that sends now: one at a time does, and the order is kept."""
        with self._lock:
            return self._senders.take()

    def rest(self) -> None:
        """Let others send."""
        with self._lock:
            self._senders.give_back()

    def close(self) -> None:
        """Let go of the file; it is opened again when it is used again. What lies in memory stays."""
        with self._lock:
            self._let_go()

    def hold(self) -> None:
        """A fork is about to happen: no connection may be carried into another process."""
        self._lock.acquire()
        self._let_go()

    def go_on(self) -> None:
        """The fork has happened; in both processes the file is opened again when it is used again."""
        self._lock.release()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            yield self._connection()

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            db = self._connection()
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            self._db = connected(self._file)
        return self._db

    def _forget(self, db: sqlite3.Connection) -> None:
        """Now and then, the cases nobody has touched for long, and old refusals."""
        now = time.time()
        if now < self._forget_at:
            return
        self._forget_at = now + EVERY
        db.execute("DELETE FROM refused WHERE at < ?", (now - KEPT,))
        db.execute("DELETE FROM acts WHERE case_id IN (SELECT case_id FROM cases WHERE at < ?)", (now - KEPT,))
        db.execute("DELETE FROM cases WHERE at < ?", (now - KEPT,))

    def _let_go(self) -> None:
        self._senders.give_back()
        if self._file and self._db:
            self._db.close()
            self._db = None

    def _check_room(self, db: sqlite3.Connection) -> None:
        pages, free, size = (
            db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
        if (pages - free) * size >= self._limit:
            raise BufferFull

    def _close_batches(self, db: sqlite3.Connection, case_id: str) -> None:
        asked = "SELECT number, body FROM steps WHERE case_id = ? ORDER BY number"
        for batch in batches(db.execute(asked, (case_id,)).fetchall(), self._batch):
            id = numbered_id(case_id, "steps", batch[0][0])
            body = f'{{"id":{json.dumps(id)},"steps":[{",".join(body for _, body in batch)}]}}'
            _append(db, Write(case_id, "steps", id, body))
        db.execute("DELETE FROM steps WHERE case_id = ?", (case_id,))


def _append(db: sqlite3.Connection, write: Write) -> int:
    told = (write.case_id, write.kind, write.id, write.body, time.time())
    seq = db.execute("INSERT INTO entries (case_id, kind, id, body, at) VALUES (?, ?, ?, ?, ?)", told).lastrowid
    return seq or 0


def _remember(db: sqlite3.Connection, case_id: str) -> None:
    db.execute(
        "INSERT INTO cases (case_id, at) VALUES (?, ?) ON CONFLICT DO UPDATE SET at = excluded.at",
        (case_id, time.time()),
    )
