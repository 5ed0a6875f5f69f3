"""`python -m tests.replay.record_improvements`: the same for supervisors, and for what they start.

A supervisor lives for ever and goes on under each new build: a changed order of its commands is always guarded.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from aftercare.demo.processes import TEMPORAL
from aftercare.store.database import Database
from aftercare.temporal import DATA_CONVERTER, run_main, workflow_runner
from tests.improvement.bench import BOOK, Bench, Row, bench_on
from tests.replay.record import HISTORIES, without_paths
from worker import improvement_worker
from workflows.conventions import SEARCH_ATTRIBUTES

IMPROVEMENTS = HISTORIES / "improvements"
SOON = ["--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=120"]
Recorded = WorkflowHandle[Any, Any]


async def fired(bench: Bench, trigger: str) -> Row:
    """A row that has fired, and whose improvement has ended."""
    row = await (await bench.row(trigger).goes_wrong(3)).supervised()
    await row.ended("prepared")
    return row


async def cooling_down(bench: Bench) -> Recorded:
    row = await fired(bench, "daily")
    await row.goes_wrong(1)
    await row.checked()
    return row.handle


async def retraining(bench: Bench) -> Recorded:
    return (await fired(bench, "daily")).child(1)


async def knowledge_update(bench: Bench) -> Recorded:
    return (await fired(bench, "quick")).child(1)


async def playbook_revision(bench: Bench) -> Recorded:
    return (await fired(bench, "thrifty")).child(1)


async def failing(bench: Bench) -> Row:
    """A row whose improvements have failed until it paused itself."""
    row = bench.row("quick")
    bench.preparing.fails.add(row.agent)
    await (await row.goes_wrong(3)).supervised()
    await row.ended("failed", "failed", "failed")
    return row


async def failed_thrice_and_resumed(bench: Bench) -> Recorded:
    row = await failing(bench)
    await row.checked()
    bench.preparing.fails.discard(row.agent)
    await row.resumed()
    await row.ended("failed", "failed", "failed", "prepared")
    return row.handle


async def failed(bench: Bench) -> Recorded:
    return (await failing(bench)).child(1)


async def spoken_to(bench: Bench) -> Recorded:
    row = await bench.supervised("daily")
    await row.checked()
    await row.paused("holidays")
    await row.goes_wrong(1)
    await row.resumed()
    await row.fired()
    await row.ended("prepared")
    return row.handle


async def taken_up(bench: Bench) -> Recorded:
    row = bench.row("quick")
    bench.preparing.holds.add(row.agent)
    await (await row.goes_wrong(3)).supervised()
    await (await row.under_way(1)).terminated()
    await row.supervised()
    await row.checked()
    bench.preparing.holds.discard(row.agent)
    await row.ended("prepared")
    await row.checked()
    return row.handle


async def began_a_new_run(bench: Bench) -> Recorded:
    row = await fired(bench, "quick")
    run = (await row.handle.describe()).run_id
    while (await row.handle.describe()).run_id == run:
        await row.checked()
    return bench.env.client.get_workflow_handle(row.handle.id, run_id=run)


PATHS: dict[str, Callable[[Bench], Awaitable[Recorded]]] = {
    path.__name__: path
    for path in (
        cooling_down,
        failed_thrice_and_resumed,
        spoken_to,
        taken_up,
        began_a_new_run,
        retraining,
        knowledge_update,
        playbook_revision,
        failed,
    )
}


async def main() -> int:
    """Walk every path and keep its history."""
    IMPROVEMENTS.mkdir(exist_ok=True)
    for name in sys.argv[1:] or PATHS:
        with TemporaryDirectory() as folder:
            await _record(name, Path(folder))
    return 0


async def _record(name: str, folder: Path) -> None:
    (folder / "triggers.yaml").write_text(BOOK)
    database = Database(f"sqlite+aiosqlite:///{folder}/store.db")
    await database.migrate()
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=TEMPORAL,
        dev_server_extra_args=SOON if name == began_a_new_run.__name__ else [],
        search_attributes=list(SEARCH_ATTRIBUTES),
        data_converter=DATA_CONVERTER,
        identity="recorder",
    ) as env:
        bench = bench_on(env, database, folder)
        async with improvement_worker(env.client, bench.does(), runner=workflow_runner()):
            history = await (await PATHS[name](bench)).fetch_history()
            await bench.end()
    await database.close()
    (IMPROVEMENTS / f"{name}.json").write_text(without_paths(history.to_json()), "utf-8")
    print(f"{name}: {len(history.events)} events")


if __name__ == "__main__":
    run_main(main())
