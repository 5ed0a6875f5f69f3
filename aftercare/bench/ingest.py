"""`aftercare bench ingest`: pieces of feedback a second over HTTP, beside a bare endpoint, and with a full store.

A piece is measured from its request to its acknowledgement, which is given once the inbox durably holds it, with the
worker and its sweeper running. Delivery to the cases is slower, goes on beside it, and is printed apart.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import col, func, select

from aftercare.bench.filling import fill
from aftercare.bench.wire import Request, Wire
from aftercare.demo import postgres
from aftercare.demo.embedded import Place, embedded
from aftercare.demo.processes import Child, free_port, kept, python
from aftercare.gateway import Gateway
from aftercare.messages.case import Case, Resolution
from aftercare.messages.work import Standing
from aftercare.store.tables import EvidenceRow

WAITS = {"watch": timedelta(minutes=30), "resolve_within": timedelta(minutes=30), "verify_within": timedelta(seconds=1)}
BAR, FULL_BAR = 0.7, 1.5
CASES, CONNECTIONS = 100, 16
BACKLOG = 600.0  # seconds given to deliver everything


@dataclass
class Ingested:
    """What was measured on one kind of database; rates in pieces a second."""

    pairs: list[tuple[float, float]] = field(default_factory=list)
    few: list[float] = field(default_factory=list)
    many: list[float] = field(default_factory=list)
    stored_few: int = 0
    stored_many: int = 0
    delivered: int = 0
    delivery: float = 0.0
    backlog: int = 0

    @property
    def ratio(self) -> float:
        """Ours to the bare endpoint's: the median of the pairs' ratios."""
        return median(ours / bare for ours, bare in self.pairs)

    @property
    def full_ratio(self) -> float:
        """The time of a piece in a full store to that in a nearly empty one."""
        return median(self.few) / median(self.many)

    @property
    def kept(self) -> bool:
        return self.ratio >= BAR and self.full_ratio <= FULL_BAR and self.backlog == 0


class Bench:
    """The API and the bare endpoint over one database, each in a process of its own."""

    def __init__(self, place: Place, bare: str, number: int) -> None:
        self.place, self._number, self._rounds = place, number, 0
        self._ours = Wire(place.api_address, CONNECTIONS)
        self._bare = Wire(bare, CONNECTIONS)

    async def open_cases(self) -> None:
        """Cases that are watched for longer than the bench takes."""
        gateway = Gateway(self.place.client, self.place.cases)
        for n in range(CASES):
            case = Case(id=f"ingest-{n}", agent="bench", domain="retail")
            await gateway.register(case)
            await gateway.resolve(case.id, Resolution(id="resolution", intent="question"))

    async def ours(self) -> float:
        """A round through the API."""
        return await self._round(self._ours)

    async def bare(self) -> float:
        """The same round to the bare endpoint."""
        return await self._round(self._bare)

    async def _round(self, wire: Wire) -> float:
        self._rounds += 1
        requests = _pieces(self._rounds, self._number)
        begun = time.perf_counter()
        await wire.post(requests)
        return self._number / (time.perf_counter() - begun)

    async def stored(self, standing: Standing | None = None) -> int:
        """How many pieces of feedback the inbox holds."""
        asked = select(func.count()).where(EvidenceRow.kind == "feedback")
        if standing:
            asked = asked.where(col(EvidenceRow.standing) == standing)
        async with self.place.cases.database.session() as session:
            return (await session.exec(asked)).one()

    async def delivered(self, result: Ingested) -> None:
        """Wait until nothing waits any more, and tell how fast that went."""
        begun, before = time.perf_counter(), await self.stored(Standing.WAITING)
        while (left := await self.stored(Standing.WAITING)) and time.perf_counter() - begun < BACKLOG:  # noqa: ASYNC110 - a count, not an event
            await asyncio.sleep(0.5)
        result.backlog, result.delivered = left, before - left
        result.delivery = result.delivered / max(time.perf_counter() - begun, 1e-9)


async def measure(console: Console, quick: bool, database: str = "both") -> dict[str, Any]:
    """On SQLite, and on PostgreSQL where its programs are here; a quick look on SQLite alone."""
    results: dict[str, Any] = {}
    both = ("sqlite",) if quick else ("sqlite", "postgresql")  # quick is a look, in less than a minute
    for kind in both if database == "both" else (database,):
        if kind == "postgresql" and postgres.binaries() is None:
            results[kind] = {"skipped": postgres.MISSING}
            continue
        with _server(kind) as address, console.status(f"Sending pieces, on {kind} ...") as status:
            found = await _measured(await _created(address), quick, status.update)
        results[kind] = {**vars(found), "ratio": found.ratio, "full_ratio": found.full_ratio, "kept": found.kept}
    ran = [result for result in results.values() if "kept" in result]
    return {"bar": BAR, "full_bar": FULL_BAR, **results, "kept": bool(ran) and all(r["kept"] for r in ran)}


@contextmanager
def _server(kind: str) -> Iterator[str]:
    """A PostgreSQL's address; SQLite needs none."""
    if kind == "postgresql" and (found := postgres.binaries()):
        with postgres.running(found) as address:
            yield address
    else:
        yield ""


async def _measured(database: str, quick: bool, say: Any) -> Ingested:
    rounds, number, few, many = (3, 60, 2_000, 50_000) if quick else (7, 1_000, 10_000, 1_000_000)
    result = Ingested()
    with tempfile.TemporaryDirectory(prefix="aftercare-ingest-") as folder:
        async with _bench(Path(folder), database, number) as bench:
            await bench.open_cases()
            await bench.ours(), await bench.bare()  # warm both
            for pair in range(rounds):
                first, second = (bench.ours, bench.bare) if pair % 2 else (bench.bare, bench.ours)
                one, two = await first(), await second()
                result.pairs.append((one, two) if pair % 2 else (two, one))
            say("Waiting until everything is delivered ...")
            await bench.delivered(result)
            say("Filling the store ...")
            await fill(bench.place.cases.database, few - await bench.stored(), "few")
            result.stored_few = await bench.stored()
            result.few = [await bench.ours() for _ in range(3)]
            if not quick:
                say("Waiting until everything is delivered ...")
                await bench.delivered(Ingested())
            await fill(bench.place.cases.database, many - await bench.stored(), "many")
            result.stored_many = await bench.stored()
            result.many = [await bench.ours() for _ in range(3)]
            say("Waiting until everything is delivered ...")
            rest = Ingested()
            await bench.delivered(rest)
            result.backlog += rest.backlog
    return result


@asynccontextmanager
async def _bench(folder: Path, database: str, number: int) -> AsyncIterator[Bench]:
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(embedded(folder, {}, WAITS, api=True, database=database))
        port = free_port()
        serve = python("aftercare.bench.bare_endpoint", "--database", place.database, "--port", str(port))
        await stack.enter_async_context(kept("bare", *serve, ready=_bare_ready))
        yield Bench(place, f"http://127.0.0.1:{port}", number)


async def _bare_ready(child: Child) -> None:
    await child.ready("bare ready")


def _pieces(round: int, number: int) -> Sequence[Request]:
    """Feedback, spread over the cases."""
    return [
        (
            f"/v1/cases/ingest-{n % CASES}/feedback",
            {
                "id": f"piece-{round}-{n}",
                "kind": "csat",
                "value": n % 5 + 1,
                "comment": "It was all right.",
                "unit": "1-5",
            },
        )
        for n in range(number)
    ]


async def _created(address: str) -> str:
    """A new database on a PostgreSQL; empty for SQLite, which lies in the folder of the run."""
    if not address:
        return ""
    engine = create_async_engine(address.format(name="postgres"), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text("CREATE DATABASE ingest"))
    await engine.dispose()
    return address.format(name="ingest")


def show(figures: dict[str, Any], console: Console) -> None:
    """Each database: the rates, the ratios beside their bars, and what was delivered meanwhile."""
    table = Table("", title="Pieces of feedback over HTTP, acknowledged a second", title_justify="left")
    ran = {kind: told for kind in ("sqlite", "postgresql") if (told := figures.get(kind))}
    for kind in ran:
        table.add_column(kind, justify="right")
    rows: list[tuple[str, Callable[[dict[str, Any]], str]]] = [
        ("ours", lambda told: f"{median(pair[0] for pair in told['pairs']):,.0f}"),
        ("bare endpoint", lambda told: f"{median(pair[1] for pair in told['pairs']):,.0f}"),
        (f"ratio (at least {BAR})", lambda told: f"{told['ratio']:.2f}"),
        ("ours, nearly empty", lambda told: f"{median(told['few']):,.0f} ({told['stored_few']:,} stored)"),
        ("ours, full", lambda told: f"{median(told['many']):,.0f} ({told['stored_many']:,} stored)"),
        (f"time of a piece, full to nearly empty (at most {FULL_BAR})", lambda told: f"{told['full_ratio']:.2f}"),
        ("delivered to their cases, a second", lambda told: f"{told['delivery']:,.0f} ({told['delivered']:,})"),
        ("not delivered in the end", lambda told: str(told["backlog"])),
    ]
    for name, cell in rows:
        table.add_row(name, *(told.get("skipped") or cell(told) for told in ran.values()))
    console.print(table)
