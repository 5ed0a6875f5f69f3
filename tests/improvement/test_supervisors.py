"""Supervisors are brought back: one for each row and each agent that has cases, whatever became of the one before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from activities.matrices import Matrices
from aftercare.messages.case import Case
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.store.triggers import Triggers
from aftercare.supervisors import Supervisors
from tests.improvement.bench import BOOK
from workflows.conventions import supervisor_id

ROWS = ("daily", "quick", "thrifty")
RUNNING = WorkflowExecutionStatus.RUNNING


class Place:
    """A store with agents, and who brings their supervisors back. No worker: what is started stays where it is."""

    def __init__(self, client: Client, database: Database, folder: Path) -> None:
        self.client, self.database, self.cases = client, database, Cases(database)
        self.book = folder / "triggers.yaml"
        self.book.write_text(BOOK)
        self.matrices = Matrices(self.cases, folder)
        self.triggers = Triggers(database)
        self.supervisors = Supervisors(client, self.triggers, self.matrices)
        self.started: list[str] = []

    async def agent(self, name: str) -> str:
        """An agent that has a case."""
        await self.cases.register(Case(id=f"case-of-{name}", agent=name, domain="retail"), "a-book", datetime.now(UTC))
        self.started.append(name)
        return name

    def handle(self, agent: str, trigger: str) -> WorkflowHandle[object, object]:
        return self.client.get_workflow_handle(supervisor_id(agent, trigger))

    async def status(self, agent: str, trigger: str) -> WorkflowExecutionStatus | None:
        try:
            return (await self.handle(agent, trigger).describe()).status
        except RPCError:
            return None

    async def running(self, agent: str, trigger: str) -> None:
        """Once its supervisor runs."""
        async with asyncio.timeout(20):
            while await self.status(agent, trigger) is not RUNNING:  # noqa: ASYNC110 - it is started elsewhere
                await asyncio.sleep(0.02)

    async def end(self) -> None:
        for agent in self.started:
            for trigger in (*ROWS, "fourth"):
                if await self.status(agent, trigger) is RUNNING:
                    await self.handle(agent, trigger).terminate()


@pytest_asyncio.fixture(loop_scope="session")
async def place(env: WorkflowEnvironment, store_url: str, tmp_path: Path) -> AsyncIterator[Place]:
    database = Database(store_url)
    await database.migrate()
    made = Place(env.client, database, tmp_path)
    yield made
    await made.end()
    await database.close()


async def test_each_agent_has_one_for_each_row(place: Place) -> None:
    """Started once, and left alone ever after."""
    for agent in ("brought-a", "brought-b"):
        await place.agent(agent)
    assert await place.supervisors.bring_back() == 6
    assert await place.supervisors.bring_back() == 0
    runs = [(await place.handle("brought-a", row).describe()).run_id for row in ROWS]
    again = Supervisors(place.client, place.triggers, place.matrices)
    assert await again.bring_back() == 6  # another worker sees to them too: they run already
    assert runs == [(await place.handle("brought-a", row).describe()).run_id for row in ROWS]


async def test_they_are_found_before_they_have_looked(place: Place) -> None:
    """By agent and target, with the row's own sentence."""
    await place.agent("brought-found")
    await place.supervisors.bring_back()
    described = await place.handle("brought-found", "thrifty").describe()
    known = {p.key.name: p.value for p in described.typed_search_attributes}
    assert known == {"AgentName": "brought-found", "ImprovementTarget": "playbook_revision/flow"}
    assert await described.static_summary() == "brought-found, thrifty: Customers come back."


async def test_one_that_was_terminated_comes_back(place: Place) -> None:
    """At the next worker's start, and within the hour otherwise."""
    await place.agent("brought-back")
    running = asyncio.create_task(place.supervisors.run(timedelta(seconds=0.05), timedelta(seconds=0.5)))
    await place.running("brought-back", "daily")
    await place.handle("brought-back", "daily").terminate()
    await place.running("brought-back", "daily")
    running.cancel()


async def test_a_new_agent_and_a_new_row_are_soon_watched(place: Place) -> None:
    """Without a restart."""
    running = asyncio.create_task(place.supervisors.run(timedelta(seconds=0.05)))
    await place.agent("brought-new")
    await place.running("brought-new", "daily")
    row = "  fourth:" + BOOK.split("  daily:")[1].split("  quick:")[0].replace("override", "reopen")
    place.book.write_text(BOOK + row)
    await place.running("brought-new", "fourth")
    running.cancel()


async def test_what_goes_wrong_is_tried_again(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """A store that is away for a moment is no reason to leave agents unwatched; the log says that it was."""
    await place.agent("brought-late")
    late = Supervisors(place.client, AwayAtFirst(place.database), place.matrices)
    running = asyncio.create_task(late.run(timedelta(seconds=0.05)))
    await place.running("brought-late", "daily")
    running.cancel()
    assert [r.__dict__["reason"] for r in caplog.records if r.msg == "supervisors_not_brought_back"] == ["OSError"]


class AwayAtFirst(Triggers):
    """A store that cannot be reached the first time."""

    tries = 0

    async def agents(self) -> list[str]:
        self.tries += 1
        if self.tries == 1:
            raise OSError("connection refused")
        return await super().agents()
