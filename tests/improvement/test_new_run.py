"""A supervisor lives for ever: before its history grows too long it begins a new run, and nothing is lost by it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from aftercare.demo.processes import TEMPORAL
from aftercare.store.database import Database
from aftercare.temporal import DATA_CONVERTER, workflow_runner
from tests.improvement.bench import BOOK, Bench, Row, bench_on
from tests.improvement.history import attributes
from worker import improvement_worker
from workflows.conventions import SEARCH_ATTRIBUTES

SOON = "limit.historyCount.suggestContinueAsNew=40"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hurried(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    """A bench whose Temporal suggests a new run after a few events, and whose supervisors look every second."""
    folder: Path = tmp_path_factory.mktemp("hurried")
    (folder / "triggers.yaml").write_text(BOOK.replace("every: PT1H, at_most: P30D", "every: PT1S, at_most: PT1S"))
    database = Database(f"sqlite+aiosqlite:///{folder}/store.db")
    await database.migrate()
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=TEMPORAL,
        dev_server_extra_args=["--dynamic-config-value", SOON],
        search_attributes=list(SEARCH_ATTRIBUTES),
        data_converter=DATA_CONVERTER,
    ) as env:
        bench = bench_on(env, database, folder)
        async with improvement_worker(env.client, bench.does(), runner=workflow_runner()):
            yield bench
            await bench.end()
    await database.close()


async def began_anew(row: Row, after: str) -> str:
    """The id of the run that follows."""
    async with asyncio.timeout(60):
        while (now := (await row.handle.describe()).run_id) == after:  # noqa: ASYNC110 - a run ends when it ends
            await asyncio.sleep(0.05)
    assert now
    return now


async def run_of(row: Row) -> str:
    return (await row.handle.describe()).run_id or ""


async def test_it_begins_a_new_run_and_goes_on_as_before(hurried: Bench) -> None:
    """Checks are counted on, a cooldown is kept, and it is found and shown as before."""
    row = await (await hurried.row("daily").goes_wrong(3)).supervised()
    await row.ended("prepared")
    first, found_by, asked = await run_of(row), await attributes(row.handle), 0
    await row.goes_wrong(3)
    while await run_of(row) == first:
        await row.checked()
        asked += 1
    assert (await row.checked()).due
    assert len(await row.firings()) == 1
    assert await attributes(row.handle) == found_by
    checks = re.search(r"(\d+) checks so far", await row.details())
    assert checks
    assert int(checks[1]) > asked


async def test_nobody_who_asks_is_left_without_an_answer(hurried: Bench) -> None:
    """Updates that come while a run ends are answered by it, or by the next."""
    row = await hurried.supervised("quick")
    before = await run_of(row)
    answers = [await asyncio.gather(*(row.checked() for _ in range(3))) for _ in range(15)]
    assert len([one for some in answers for one in some]) == 45
    await began_anew(row, before)


async def test_what_fires_while_a_run_ends_is_improved_by_the_next(hurried: Bench) -> None:
    """Each heap makes one firing and one improvement, across runs."""
    row = await hurried.supervised("quick")
    runs = set()
    for cycle in range(1, 7):
        await row.goes_wrong(3)
        await row.checked()
        runs.add(await run_of(row))
        await row.ended(*["prepared"] * cycle)
    assert [one.cases for one in await row.firings()] == [3] * 6
    assert len(runs) > 1


async def test_an_improvement_outlives_the_run_that_started_it(hurried: Bench) -> None:
    """It may take weeks: the next run waits for the same one."""
    row = hurried.row("quick")
    hurried.preparing.holds.add(row.agent)
    await (await row.goes_wrong(3)).supervised()
    await row.under_way(1)
    for _ in range(2):
        before = await run_of(row)
        while await run_of(row) == before:
            await row.checked()
    hurried.preparing.holds.clear()
    assert [one.cycle for one in await row.ended("prepared")] == [1]


async def test_a_pause_outlives_the_run(hurried: Bench) -> None:
    """By whom and why is in the store."""
    row = await hurried.supervised("quick")
    await row.paused("holidays")
    await began_anew(row, await run_of(row))
    assert (await row.checked()).pause_reason == "holidays"
