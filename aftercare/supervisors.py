"""Brings supervisors back: one for each row of the matrix and each agent, whatever became of the one before.

It runs in every worker, from the worker's first moment on. Several may do so at once: a supervisor that runs is left
alone, and one that was terminated takes up what the store knows.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from temporalio.client import Client
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.service import RPCError, RPCStatusCode

from activities.matrices import Matrices
from aftercare.lifecycle.improvement_story import supervisor_summary
from aftercare.lifecycle.supervising import target_of
from aftercare.messages.improvement import Supervise, Work
from aftercare.messages.triggers import TriggerRow
from aftercare.store.triggers import Triggers
from workflows import conventions as by
from workflows.improvement import ImprovementWorkflow

EVERY = timedelta(seconds=15)  # a new agent, or a new row of the book
ALL_EVERY = timedelta(hours=1)  # one that was terminated
AWAY = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)

log = logging.getLogger(__name__)


class Supervisors:
    """The supervisors of this deployment."""

    def __init__(self, client: Client, triggers: Triggers, matrices: Matrices) -> None:
        self._client, self._triggers, self._matrices = client, triggers, matrices
        self._running: set[tuple[str, str]] = set()

    async def run(self, every: timedelta = EVERY, all_every: timedelta = ALL_EVERY) -> None:
        """Bring back until cancelled: all of them now and then, and in between those that nobody has started yet."""
        clock = asyncio.get_running_loop()
        again = clock.time()
        while True:
            if clock.time() >= again:
                self._running.clear()
                again = clock.time() + all_every.total_seconds()
            try:
                await self.bring_back()
            except Exception as error:  # a store or a Temporal that is away must not end the bringing back
                log.warning("supervisors_not_brought_back", extra={"reason": type(error).__name__})
            await asyncio.sleep(every.total_seconds())

    async def bring_back(self) -> int:
        """Start those that this process has not seen running; gives how many that were."""
        brought = 0
        matrix = (await self._matrices.now()).matrix
        for agent in await self._triggers.agents():
            for trigger, row in matrix.triggers.items():
                if (agent, trigger) not in self._running and await self._brought(agent, trigger, row):
                    self._running.add((agent, trigger))
                    brought += 1
        return brought

    async def _brought(self, agent: str, trigger: str, row: TriggerRow) -> bool:
        """Whether it runs now. One that cannot be started must not keep the others from it."""
        try:
            await self._start(agent, trigger, row)
        except RPCError as error:
            if error.status in AWAY:
                raise
            told = {"agent": agent, "trigger": trigger, "reason": error.status.name}
            log.warning("supervisor_not_started", extra=told)
            return False
        return True

    async def _start(self, agent: str, trigger: str, row: TriggerRow) -> None:
        target = target_of(Work(workflow=row.starts.workflow, kind=row.starts.kind))
        found_by = (SearchAttributePair(by.AGENT_NAME, agent), SearchAttributePair(by.IMPROVEMENT_TARGET, target))
        await self._client.start_workflow(
            ImprovementWorkflow.run,
            Supervise(agent=agent, trigger=trigger),
            id=by.supervisor_id(agent, trigger),
            task_queue=by.IMPROVEMENT_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            search_attributes=TypedSearchAttributes(found_by),
            static_summary=supervisor_summary(agent, trigger, row.says),
        )
