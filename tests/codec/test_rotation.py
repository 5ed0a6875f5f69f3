"""Keys change while cases run; a worker that lacks one waits with a case, and loses nothing of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.books import Books
from aftercare.codec import codec_of, new_key
from aftercare.demo.processes import TEMPORAL
from aftercare.gateway import Gateway
from aftercare.messages.case import Case, Steps
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.systems.records import Systems
from aftercare.temporal import DATA_CONVERTER, data_converter
from worker import case_worker
from workflows.conventions import SEARCH_ATTRIBUTES

OLD, NEW = new_key("old"), new_key("new")
CASE = Case(id="rotated", agent="retail", domain="retail", customer="ann")


class Deployment:
    """A Temporal and a store, with workers and doors that have the keys they are given."""

    def __init__(self, env: WorkflowEnvironment, cases: Cases) -> None:
        self._env, self._cases = env, cases

    def client(self, *keys: str) -> Client:
        return Client(self._env.client.service_client, data_converter=data_converter(codec_of(",".join(keys))))

    def worker(self, *keys: str) -> Worker:
        return case_worker(self.client(*keys), self._cases, Books(self._cases), Systems({}))

    def door(self, *keys: str) -> Gateway:
        return Gateway(self.client(*keys), self._cases)


@pytest_asyncio.fixture(loop_scope="session")
async def deployment(tmp_path: Path) -> AsyncIterator[Deployment]:
    """With an empty store, and nobody at work yet."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}")
    await database.migrate()
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=TEMPORAL,
        dev_server_log_level="never",
        data_converter=DATA_CONVERTER,
        search_attributes=list(SEARCH_ATTRIBUTES),
    ) as env:
        yield Deployment(env, Cases(database))
    await database.close()


async def test_keys_rotate_under_a_running_case(deployment: Deployment) -> None:
    """First the new key is there to read with, then it is the first, then the old one still opens what it sealed."""
    before, during, after = (OLD,), (OLD, NEW), (NEW, OLD)
    async with deployment.worker(*before):
        await deployment.door(*before).register(CASE)
    async with deployment.worker(*during):
        await deployment.door(*before).record_steps(CASE.id, Steps(id="steps-1"))
        await deployment.door(*after).record_steps(CASE.id, Steps(id="steps-2"))
    async with deployment.worker(*after):
        await deployment.door(*during).record_steps(CASE.id, Steps(id="steps-3"))
        seen = await deployment.door(*after).snapshot(CASE.id)
    assert seen.case
    assert seen.case.customer == CASE.customer


async def test_a_worker_without_the_key_loses_nothing(deployment: Deployment) -> None:
    """Its tasks fail, and the next worker that has the key goes on where the case stood."""
    async with deployment.worker(OLD):
        registering = asyncio.create_task(deployment.door(NEW).register(CASE))
        await failed(deployment)
    async with deployment.worker(NEW, OLD):
        assert (await registering).accepted
        assert (await deployment.door(NEW).snapshot(CASE.id)).refused == ()


async def failed(deployment: Deployment) -> None:
    """Wait until a task of the case has failed."""
    handle = deployment.client().get_workflow_handle(f"case/{CASE.id}")
    async with asyncio.timeout(20):
        while True:
            try:
                events = (await handle.fetch_history()).events
            except RPCError:
                events = []  # not even started
            if any(e.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED for e in events):
                return
            await asyncio.sleep(0.05)
