"""`aftercare bench checks`: what a check costs with a million pieces of feedback stored, beside ten thousand.

Two stores are taken in turn, on each kind of database: the same new evidence goes into both, and every row of the
shipped book is checked, once with that evidence and once when nothing came. Of what is stored, every piece that a row
counts was counted long ago, a tenth of all cases count against the agent in every row, and no firing has claimed them.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from aftercare.bench.stored import fill
from aftercare.demo import postgres
from aftercare.messages.triggers import Matrix
from aftercare.store import feedback
from aftercare.store.database import Database
from aftercare.store.tables import FeedbackRow
from aftercare.store.triggers import Triggers
from policies.triggers import load_matrix

BAR = 1.5
AGENT = "bench"
CASES = 100  # new ones in a round
LEARNED = 500  # cases that every detector has seen before anything is measured
USUAL: Mapping[str, float] = {
    "csat": 4,
    "ces": 5,
    "sentiment_slope": 0.0,
    "handling_time": 120,
    "first_contact_resolution": 1,
    "policy_audit": 1,
}
BAD: Mapping[str, float] = {"csat": 1, "ces": 2, "sentiment_slope": -0.3, "handling_time": 500}


@dataclass
class Measured:
    """On one kind of database: seconds for a check of every row, round by round, with few and with many stored."""

    stored_few: int = 0
    stored_many: int = 0
    few: list[float] = field(default_factory=list)
    many: list[float] = field(default_factory=list)
    idle_few: list[float] = field(default_factory=list)
    idle_many: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """A check with evidence in the full store, to one in the other: the median of the rounds' ratios."""
        return median(many / few for few, many in zip(self.few, self.many, strict=True))

    @property
    def idle_ratio(self) -> float:
        """The same where nothing came."""
        return median(many / few for few, many in zip(self.idle_few, self.idle_many, strict=True))

    @property
    def kept(self) -> bool:
        return self.ratio <= BAR and self.idle_ratio <= BAR


class Store:
    """A store of so many pieces."""

    def __init__(self, url: str, matrix: Matrix) -> None:
        self.database, self._matrix = Database(url), matrix
        self._triggers = Triggers(self.database)

    async def filled(self, stored: int, learned: Sequence[FeedbackRow]) -> int:
        """Made ready: the detectors know what is usual, and the rest lies there. Gives how many pieces that are."""
        await self.database.migrate()
        await self.take(learned)
        while (await self._round())[1]:
            pass
        number = await fill(self.database, self._matrix, AGENT, stored - len(learned))
        await self._round()
        return number + len(learned)

    async def take(self, pieces: Sequence[FeedbackRow]) -> None:
        """New evidence comes in."""
        async with self.database.session() as session:
            await feedback.keep(self.database, session, pieces)

    async def check(self) -> float:
        """Seconds for a check of every row."""
        return (await self._round())[0]

    async def _round(self) -> tuple[float, int]:
        counted, begun = 0, time.perf_counter()
        for name, row in self._matrix.triggers.items():
            counted += (await self._triggers.check(AGENT, name, row, "book", datetime.now(UTC))).counted
        return time.perf_counter() - begun, counted


async def measure(console: Console, quick: bool, database: str = "both") -> dict[str, Any]:
    """On SQLite, and on PostgreSQL where its programs are here; a quick look has fewer pieces stored."""
    results: dict[str, Any] = {}
    for kind in ("sqlite", "postgresql") if database == "both" else (database,):
        if kind == "postgresql" and postgres.binaries() is None:
            results[kind] = {"skipped": postgres.MISSING}
            continue
        with console.status(f"Filling two stores, on {kind} ...") as status:
            found = await _measured(kind, quick, status.update)
        results[kind] = {**vars(found), "ratio": found.ratio, "idle_ratio": found.idle_ratio, "kept": found.kept}
    ran = [result for result in results.values() if "kept" in result]
    return {"bar": BAR, **results, "kept": bool(ran) and all(r["kept"] for r in ran)}


async def _measured(kind: str, quick: bool, say: Any) -> Measured:
    few, many, rounds = (10_000, 100_000, 9) if quick else (10_000, 1_000_000, 25)
    matrix, result = load_matrix().matrix, Measured()
    evidence = _Evidence(matrix)
    async with _stores(kind, matrix) as (small, large):
        learned = evidence.of(LEARNED)
        result.stored_few, result.stored_many = await small.filled(few, learned), await large.filled(many, learned)
        say(f"Checking, on {kind} ...")
        for number in range(rounds):
            new = evidence.of(CASES)
            for store in (small, large):
                await store.take(new)
            for idle in (False, True):
                first, second = (small, large) if number % 2 else (large, small)
                told = {first: await first.check(), second: await second.check()}
                (result.idle_few if idle else result.few).append(told[small])
                (result.idle_many if idle else result.many).append(told[large])
    return result


class _Evidence:
    """What comes in: each case has a piece of every kind, and in one of ten each kind counts against the agent."""

    def __init__(self, matrix: Matrix) -> None:
        self._kinds = [kind for row in matrix.triggers.values() for kind in row.evidence]
        self._random, self._number = random.Random(4), 0  # noqa: S311 - the same evidence in every run
        self._at = datetime.now(UTC) - timedelta(days=1)

    def of(self, cases: int) -> list[FeedbackRow]:
        """So many new cases."""
        return [piece for _ in range(cases) for piece in self._case()]

    def _case(self) -> list[FeedbackRow]:
        self._number += 1
        self._at += timedelta(seconds=1)
        return [self._piece(kind, self._random.random() < 0.1) for kind in self._kinds]

    def _piece(self, kind: str, bad: bool) -> FeedbackRow:
        usual = USUAL.get(kind, 0)
        return FeedbackRow(
            case_id=f"new-{self._number}",
            id=f"computed/{kind}/1",
            agent=AGENT,
            release="r1",
            intent=f"intent-{self._number % 5}",
            family="outcome",
            kind=kind,
            value=BAD.get(kind, 1 - min(usual, 1)) if bad else usual,
            payload={"clauses": [f"7.{self._number % 3}"]} if bad and kind == "policy_audit" else {},
            occurred_at=self._at,
            received_at=self._at,
        )


@asynccontextmanager
async def _stores(kind: str, matrix: Matrix) -> AsyncIterator[tuple[Store, Store]]:
    """Two empty stores of a kind."""
    with ExitStack() as stack:
        if kind == "postgresql" and (found := postgres.binaries()):
            address = stack.enter_context(postgres.running(found))
            urls = [await _created(address, name) for name in ("few", "many")]
        else:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aftercare-checks-")))
            urls = [f"sqlite+aiosqlite:///{folder / name}.db" for name in ("few", "many")]
        small, large = (Store(url, matrix) for url in urls)
        try:
            yield small, large
        finally:
            await asyncio.gather(small.database.close(), large.database.close())


async def _created(address: str, name: str) -> str:
    engine = create_async_engine(address.format(name="postgres"), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    await engine.dispose()
    return address.format(name=name)


def show(figures: dict[str, Any], console: Console) -> None:
    """Each database: the cost of a check in both stores, and the ratios beside their bar."""
    ran = {kind: told for kind in ("sqlite", "postgresql") if (told := figures.get(kind))}
    table = Table("", *ran, title="A check of every row, milliseconds", title_justify="left")
    rows: list[tuple[str, Callable[[dict[str, Any]], str]]] = [
        ("few stored", lambda told: f"{_ms(told['few'])} ({told['stored_few']:,} stored)"),
        ("many stored", lambda told: f"{_ms(told['many'])} ({told['stored_many']:,} stored)"),
        (f"many to few, median of the rounds (at most {BAR})", lambda told: f"{told['ratio']:.2f}"),
        ("nothing new, few stored", lambda told: _ms(told["idle_few"])),
        ("nothing new, many stored", lambda told: _ms(told["idle_many"])),
        (f"many to few, median of the rounds (at most {BAR})", lambda told: f"{told['idle_ratio']:.2f}"),
    ]
    for name, cell in rows:
        table.add_row(name, *(told.get("skipped") or cell(told) for told in ran.values()))
    console.print(table)
    if not figures["kept"]:
        console.print(
            "[red]A bar was missed.[/red] A busy machine may do that: look at it again while nothing else runs."
        )


def _ms(seconds: Sequence[float]) -> str:
    return f"{median(seconds) * 1_000:,.1f}"
