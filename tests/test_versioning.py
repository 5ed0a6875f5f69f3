"""Worker versioning: a case stays with the build that began it; a supervisor goes on under each new build."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from temporalio.client import Client

from aftercare.demo.embedded import temporal_server
from aftercare.demo.processes import TEMPORAL, Child, start
from aftercare.gateway import Gateway
from aftercare.messages.case import Case, CaseReport, Resolution
from aftercare.messages.improvement import CheckNow, Supervise, TriggerStanding
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.temporal import connect
from workflows.conventions import IMPROVEMENT_QUEUE, supervisor_id


async def build(name: str, address: str, database: str) -> Child:
    """A worker of this build, made current as an operator makes it current."""
    env = {
        "TEMPORAL_ADDRESS": address,
        "AFTERCARE_DATABASE": database,
        "AFTERCARE_WATCH": "PT4S",
        "AFTERCARE_BUILD_ID": name,
    }
    worker = await start(name, sys.executable, "-m", "worker", env=env)
    await worker.ready("worker ready")
    words = ("worker", "deployment", "set-current-version", "--deployment-name", "aftercare", "--build-id", name, "-y")
    for _ in range(40):  # the server hears of a build with the worker's first poll
        if subprocess.run((TEMPORAL, *words, "--address", address), capture_output=True, check=False).returncode == 0:  # noqa: S603, ASYNC221
            return worker
        await asyncio.sleep(0.25)
    raise AssertionError(f"{name} did not become the current build")


async def build_of(client: Client, id: str) -> str:
    """The build that a workflow is with."""
    described = await client.get_workflow_handle(id).describe()
    version = described.raw_description.workflow_execution_info.versioning_info.deployment_version
    return version.build_id


async def test_a_case_stays_with_the_build_that_began_it(tmp_path: Path) -> None:
    """The old build finishes its own case while the new one takes the next; each is asked for nothing else."""
    async with temporal_server(tmp_path, ui=False) as server:
        database = Database(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}")
        client = await connect(server.address)
        gateway = Gateway(client, Cases(database))

        async def reported(id: str) -> None:
            case = Case(id=id, agent="retail", domain="retail")
            await gateway.report(CaseReport(id="report", case=case, resolution=Resolution(id="r")))

        old = await build("b1", server.address, database.url)
        await reported("old")
        new = await build("b2", server.address, database.url)
        await reported("new")
        async with asyncio.timeout(timedelta(minutes=1).total_seconds()):
            assert (await gateway.handle("old").result()).outcome == "unconfirmed"
            assert (await gateway.handle("new").result()).outcome == "unconfirmed"
        assert [await build_of(client, f"case/{id}") for id in ("old", "new")] == ["b1", "b2"]
        await asyncio.gather(old.stop(), new.stop())
        await database.close()


async def test_a_supervisor_goes_on_under_each_new_build(tmp_path: Path) -> None:
    """It lives for ever: no old build has to be kept for it."""
    async with temporal_server(tmp_path, ui=False) as server:
        client = await connect(server.address)
        database = f"sqlite+aiosqlite:///{tmp_path / 'store.db'}"
        supervisor = client.get_workflow_handle(supervisor_id("retail", "override"))

        async def checked_by() -> str:
            told = await supervisor.execute_update("check_now", CheckNow(by="r.meyer"), result_type=TriggerStanding)
            assert told.book
            return await build_of(client, supervisor.id)

        old = await build("b1", server.address, database)
        given = Supervise(agent="retail", trigger="override")
        await client.start_workflow("ImprovementWorkflow", given, id=supervisor.id, task_queue=IMPROVEMENT_QUEUE)
        async with asyncio.timeout(timedelta(minutes=1).total_seconds()):
            assert await checked_by() == "b1"
            new = await build("b2", server.address, database)
            while await checked_by() != "b2":  # noqa: ASYNC110 - its queues hear of it in time
                await asyncio.sleep(0.2)
        await asyncio.gather(old.stop(), new.stop())
