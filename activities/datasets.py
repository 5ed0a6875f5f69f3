"""Activities on datasets: freeze the evidence of a firing, and say what it tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.books import Books
from aftercare.learning.datasets.diagnosing import Diagnosing
from aftercare.learning.datasets.diagnosis import Diagnosis
from aftercare.learning.datasets.freezing import Became, Freezing, Row
from aftercare.learning.datasets.material import Claimed, Clauses, Material, Unreadable
from aftercare.learning.datasets.problems import Akin, Problems, marks_of
from aftercare.messages.improvement import Diagnosed, Firing, Frozen, Improve
from aftercare.redaction import Known, Redactor
from aftercare.store.cases import Cases
from aftercare.store.datasets import Datasets, GivenBack, Overtaken, Staging, Whole, in_chunks
from aftercare.store.tables import ExampleRow
from policies.book import BookInvalid

CASES = 20  # read and redacted at a time
ROWS = 50  # read and counted at a time
TRIES = 5  # before the server is asked to try again
BEAT = 5.0  # seconds

ByCase = tuple[str, Sequence[Claimed]]


@dataclass(frozen=True, slots=True)
class _Taken:
    """What an attempt has taken of its claim so far."""

    freezing: Freezing = field(default_factory=Freezing)
    problems: Problems = field(default_factory=Problems)
    akin: Akin = field(default_factory=Akin)


class DatasetActivities:
    """What an improvement asks of the evidence. Both take long for large claims, and send heartbeats meanwhile."""

    def __init__(self, datasets: Datasets, cases: Cases, books: Books, redactor: Redactor) -> None:
        self._datasets, self._cases, self._books, self._redactor = datasets, cases, books, redactor

    @activity.defn
    async def freeze_dataset(self, work: Improve) -> Frozen:
        """Freeze what the firing claimed, once: the same firing again gives the same dataset."""
        why = ""
        async with _beating():
            for _ in range(TRIES):
                try:
                    if await self._datasets.find(work.firing.id) is None:
                        await self._freeze(work.firing)
                except Overtaken as error:
                    why = str(error)
                except GivenBack as error:
                    raise ApplicationError(str(error), type="GivenBack", non_retryable=True) from error
                if frozen := await self._datasets.frozen(work.firing.id):
                    return frozen
        raise ApplicationError(why, type="Overtaken")

    @activity.defn
    async def diagnose(self, work: Improve) -> Diagnosed:
        """Say what the dataset tells, and keep it with it."""
        async with _beating():
            for _ in range(TRIES):
                dataset = await self._datasets.find(work.firing.id)
                if dataset is None:
                    told = f"no dataset {work.firing.id!r} in the store"
                    raise ApplicationError(told, type="DatasetMissing", non_retryable=True)
                told_of = await self._diagnosed(dataset.id)
                diagnosis = told_of.model_dump(mode="json", exclude_defaults=True)
                if await self._datasets.keep_diagnosis(dataset.id, dataset.digest, diagnosis):
                    return Diagnosed(dataset=dataset.id, headline=told_of.headline)
        raise ApplicationError("somebody was erased meanwhile", type="Overtaken")

    async def _freeze(self, firing: Firing) -> None:
        """One attempt. Raises Overtaken."""
        claimed = await self._datasets.claimed(firing.id)
        staging = await self._datasets.begin(firing.id)
        taken = _Taken()
        for some in in_chunks(claimed, CASES):
            await self._stage(staging, some, taken)
        async for marks in self._datasets.audited(firing.agent, taken.akin):
            taken.problems.add_audited(marks)
        whole = Whole(
            agent=firing.agent,
            trigger=firing.trigger,
            rows=taken.freezing.rows,
            problems=taken.problems.parted(),
            accounts=taken.freezing.accounts,
            redaction=self._redactor.mode,
            at=datetime.now(UTC),
        )
        await self._datasets.freeze(staging, whole)

    async def _stage(self, staging: Staging, some: Sequence[ByCase], taken: _Taken) -> None:
        """Fetch some cases, make rows of them, and write these."""
        known = await self._datasets.materials([case_id for case_id, _ in some])
        books = {material.book for material in known.values() if isinstance(material, Material)}
        clauses = {book: await self._clauses(book) for book in books}

        def made() -> list[Row]:
            rows = [self._row(pieces, case_id, known, clauses, taken) for case_id, pieces in some]
            return [row for row in rows if row]

        await self._datasets.stage(staging, await asyncio.to_thread(made), self._redactor.mode)

    def _row(
        self,
        pieces: Sequence[Claimed],
        case_id: str,
        known: Mapping[str, Material | Unreadable | None],
        clauses: Mapping[str, Clauses],
        taken: _Taken,
    ) -> Row | None:
        material = known.get(case_id)
        if isinstance(material, Material):
            try:
                return self._taken(material, pieces, clauses[material.book], taken)
            except ValueError as error:  # its text quotes what people said
                material = Unreadable(type(error).__name__)
        if material:
            _warn_of(case_id, material.why)
            taken.freezing.account(pieces, Became.UNREADABLE)
        else:
            taken.freezing.account(pieces, Became.ERASED if case_id in known else Became.UNKNOWN)
        return None

    def _taken(self, known: Material, pieces: Sequence[Claimed], clauses: Clauses, taken: _Taken) -> Row | None:
        about = (known.case, known.steps, known.seen.overrides)
        marks, people = marks_of(*about), Known.of(known.case, known.steps)
        row = taken.freezing.take(known, pieces, clauses, lambda body: self._redactor.redacted(body, people))
        if known.steps:
            taken.problems.add(marks)
            taken.akin.add(*about)
        return row

    async def _clauses(self, digest: str) -> Clauses:
        """What each clause of a pinned book says; nothing where the book cannot be read any more."""
        if await self._cases.book(digest) is None:
            return {}
        try:
            return {id: clause.says for id, clause in (await self._books.kept(digest)).clauses.items()}
        except BookInvalid:
            return {}

    async def _diagnosed(self, dataset: str) -> Diagnosis:
        diagnosing = Diagnosing()
        some: list[ExampleRow] = []

        def count() -> None:
            for row in some:
                if why := diagnosing.take_row(row.number, row.case_id, row.problem, row.side, row.body):
                    _warn_of(row.case_id, why)

        async for row in self._datasets.rows(dataset):
            some.append(row)
            if len(some) == ROWS:
                await asyncio.to_thread(count)
                some = []
        await asyncio.to_thread(count)
        return diagnosing.made()


def _warn_of(case_id: str, why: str) -> None:
    """Say that a case could not be read, and nothing of what it says."""
    activity.logger.warning("case_unreadable", extra={"case_id": case_id, "reason": why})


@asynccontextmanager
async def _beating() -> AsyncIterator[None]:
    """Say every few seconds that the work goes on."""

    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(BEAT)

    beating = asyncio.create_task(beat()) if activity.in_activity() else None
    try:
        yield
    finally:
        if beating:
            beating.cancel()
