"""A bench for supervisors: agents whose cases go wrong, rows that watch them, and short ways to speak to both."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from activities.books import Books
from activities.datasets import DatasetActivities
from activities.matrices import Matrices
from aftercare.messages.base import Message
from aftercare.messages.case import Case, Step, StepKind
from aftercare.messages.improvement import (
    CheckNow,
    Fired,
    FireNow,
    Firing,
    Frozen,
    Improve,
    Pause,
    Resume,
    Supervise,
    TriggerStanding,
)
from aftercare.redaction import redactor_of
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.store.datasets import Datasets
from aftercare.store.tables import FeedbackRow
from aftercare.store.triggers import Triggers
from worker import improvement_activities
from workflows import conventions as by
from workflows.improvement import ImprovementWorkflow

BOOK = """
check: {every: PT1H, at_most: P30D}
triggers:
  daily:
    says: "People correct what the agent decides."
    evidence: {override: {at_least: 1}}
    detectors: [{detector: volume, cases: 3}]
    cooldown: P1D
    starts: {workflow: retraining, kind: intent_classifier}
  quick:
    says: "The agent gives up."
    evidence: {escalation: {at_least: 1}}
    detectors: [{detector: volume, cases: 3}]
    cooldown: PT0S
    budget: {children: 100}
    starts: {workflow: knowledge_update, kind: gap}
  thrifty:
    says: "Customers come back."
    evidence: {recontact: {at_least: 1}}
    detectors: [{detector: volume, cases: 2}]
    cooldown: PT1H
    budget: {children: 2}
    starts: {workflow: playbook_revision, kind: flow}
"""
KINDS = {"daily": "override", "quick": "escalation", "thrifty": "recontact"}
_numbers = itertools.count(1)


@dataclass
class Preparing:
    """Prepares improvements as is shipped; but it fails those of some agents, and keeps those of others at work."""

    datasets: DatasetActivities
    fails: set[str] = field(default_factory=set)
    holds: set[str] = field(default_factory=set)

    @activity.defn
    async def freeze_dataset(self, work: Improve) -> Frozen:
        agent = work.firing.agent
        while agent in self.holds:
            activity.heartbeat()
            await asyncio.sleep(0.02)
        if agent in self.fails:
            raise ApplicationError("the disk is full", non_retryable=True)
        return await self.datasets.freeze_dataset(work)


@dataclass
class Bench:
    """Supervisors at work, on a store."""

    env: WorkflowEnvironment
    database: Database
    triggers: Triggers
    matrices: Matrices
    book: Path
    preparing: Preparing
    rows: list[Row] = field(default_factory=list)

    def does(self) -> list[Callable[..., Any]]:
        """The activities as they are shipped, but for what the preparing has its say in."""
        cases = Cases(self.database)
        shipped = improvement_activities(cases, Books(cases), self.matrices, redactor_of(), self.triggers)
        return [self.preparing.freeze_dataset if does.__name__ == "freeze_dataset" else does for does in shipped]

    def row(self, trigger: str) -> Row:
        """A row of the book, for an agent of its own."""
        made = Row(self, f"agent-{next(_numbers)}", trigger)
        self.rows.append(made)
        return made

    async def supervised(self, trigger: str) -> Row:
        """The same, with its supervisor."""
        return await self.row(trigger).supervised()

    async def end(self) -> None:
        """Leave nothing behind."""
        for row in self.rows:
            if await row.status() is WorkflowExecutionStatus.RUNNING:
                await row.handle.terminate()


def bench_on(env: WorkflowEnvironment, database: Database, folder: Path) -> Bench:
    """A bench on this store, with the book in this folder."""
    cases = Cases(database)
    preparing = Preparing(DatasetActivities(Datasets(database), cases, Books(cases), redactor_of()))
    return Bench(env, database, Triggers(database), Matrices(cases, folder), folder / "triggers.yaml", preparing)


class Row:
    """One row of the matrix as it watches one agent."""

    def __init__(self, bench: Bench, agent: str, trigger: str) -> None:
        self.bench, self.agent, self.trigger = bench, agent, trigger

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        """Its supervisor."""
        return self.bench.env.client.get_workflow_handle(by.supervisor_id(self.agent, self.trigger))

    def child(self, cycle: int) -> WorkflowHandle[Any, Any]:
        """The improvement of a cycle."""
        return self.bench.env.client.get_workflow_handle(by.improvement_id(f"{self.agent}/{self.trigger}/{cycle}"))

    async def supervised(self) -> Row:
        """Start its supervisor; the one before may have been terminated."""
        await self.bench.env.client.start_workflow(
            ImprovementWorkflow.run,
            Supervise(agent=self.agent, trigger=self.trigger),
            id=by.supervisor_id(self.agent, self.trigger),
            task_queue=by.IMPROVEMENT_QUEUE,
        )
        return self

    async def status(self) -> WorkflowExecutionStatus | None:
        return (await self.handle.describe()).status

    async def terminated(self) -> Row:
        """An operator ends it, without a word."""
        await self.handle.terminate("by an operator")
        return self

    async def goes_wrong(self, times: int) -> Row:
        """So many cases of the agent that count against it."""
        cases, now = Cases(self.bench.database), datetime.now(UTC)
        for _ in range(times):
            case = Case(id=f"case-{next(_numbers)}", agent=self.agent, domain="retail")
            await cases.register(case, "a-book", now)
            await cases.add_steps(case.id, [Step(number=1, kind=StepKind.REPLY, heard="Where is my refund?")])
            kind = KINDS[self.trigger]
            piece = FeedbackRow(
                case_id=case.id,
                id=f"computed/{kind}/1",
                agent=self.agent,
                family="explicit",
                kind=kind,
                value=1,
                occurred_at=now,
                received_at=now,
            )
            await cases.keep_feedback([piece])
        return self

    async def checked(self) -> TriggerStanding:
        return await self._asked("check_now", CheckNow(by="r.meyer"))

    async def paused(self, reason: str = "") -> TriggerStanding:
        return await self._asked("pause", Pause(by="r.meyer", reason=reason))

    async def resumed(self) -> TriggerStanding:
        return await self._asked("resume", Resume(by="r.meyer"))

    async def fired(self, reason: str = "we know already") -> Fired:
        asked = FireNow(by="r.meyer", reason=reason)
        answer: Fired = await self.handle.execute_update("fire", asked, result_type=Fired)
        return answer

    async def _asked(self, update: str, message: Message) -> TriggerStanding:
        answer: TriggerStanding = await self.handle.execute_update(update, message, result_type=TriggerStanding)
        return answer

    async def standing(self) -> TriggerStanding:
        return await self.handle.query(ImprovementWorkflow.shown)

    async def details(self) -> str:
        told: str = (await self.handle.query("__temporal_workflow_metadata")).current_details
        return told

    async def firings(self) -> list[Firing]:
        """What the store knows to have fired, the first one first."""
        return (await self.bench.triggers.firings(self.agent, self.trigger))[::-1]

    async def until(self, so: Callable[[list[Firing]], bool]) -> list[Firing]:
        """The firings, once they are so."""
        async with asyncio.timeout(30):
            while not so(fired := await self.firings()):  # noqa: ASYNC110 - it is the supervisor that is waited for
                await asyncio.sleep(0.02)
        return fired

    async def under_way(self, cycle: int) -> Row:
        """Once the improvement of a cycle is at work."""
        async with asyncio.timeout(30):
            while True:
                with suppress(RPCError):
                    if (await self.child(cycle).describe()).status is WorkflowExecutionStatus.RUNNING:
                        return self
                await asyncio.sleep(0.02)

    async def ended(self, *statuses: str) -> list[Firing]:
        """The firings once they have ended like this, and the supervisor knows."""
        fired = await self.until(lambda all: [str(one.status) for one in all] == list(statuses))
        async with asyncio.timeout(30):
            while (await self.standing()).open:  # noqa: ASYNC110 - the same
                await asyncio.sleep(0.02)
        return fired

    async def later(self, **time: float) -> Row:
        """Let the supervisor's own clock go on."""
        await self.bench.env.fast_forward(self.handle, timedelta(**time))
        return self
