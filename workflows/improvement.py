"""ImprovementWorkflow: supervises one row of the matrix for one agent. It watches, fires, and starts the work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    ChildWorkflowError,
    WorkflowAlreadyStartedError,
)
from temporalio.workflow import ChildWorkflowCancellationType, ParentClosePolicy

from activities.improvements import ImprovementActivities, reason_of
from aftercare.lifecycle import improvement_story as story
from aftercare.lifecycle import supervising
from aftercare.messages.improvement import Firing, FollowImprovement, Improve, Improved
from aftercare.messages.triggers import KNOWLEDGE, PLAYBOOK, RETRAINING
from workflows import conventions as by
from workflows.improvement_messages import ImprovementMessages
from workflows.knowledge_update import KnowledgeUpdateWorkflow
from workflows.playbook_revision import PlaybookRevisionWorkflow
from workflows.retraining import RetrainingWorkflow

WORK: dict[str, Any] = {
    RETRAINING: RetrainingWorkflow.run,
    KNOWLEDGE: KnowledgeUpdateWorkflow.run,
    PLAYBOOK: PlaybookRevisionWorkflow.run,
}


@workflow.defn
class ImprovementWorkflow(ImprovementMessages):
    """Supervises: look at the evidence, await the improvement that fired, cool down, rest; and again, for ever.

    It lives by what the store says. A run that follows one that was terminated takes up from there, whatever stage
    that one was in: a firing is open until its improvement has ended, and is started under an id of its own, once.
    """

    @workflow.init
    def __init__(self, given: Any) -> None:
        super().__init__(given)

    @workflow.run
    async def run(self, given: Any) -> None:
        """The table of contents of a supervisor. `given` is a Supervise as JSON."""
        self._check_id()
        while not self.has_run_long:
            await self._look()
            await self._improve()
            await self._cool_down()
            await self._rest()
        await self._begin_a_new_run()

    async def _look(self) -> None:
        """Count what is new; fire where that is due and allowed."""
        if self.busy:
            return
        async with self.alone:
            await self._count_and_fire()
        self.rest = supervising.rest_after(self.standing, self.rest, workflow.now())

    async def _improve(self) -> None:
        """Await the improvement that fired, whichever run started it. One that fails gives its evidence back."""
        firing = self.standing.open
        if firing is None:
            return
        self.rest = supervising.NOTHING
        if firing.id == self.heard:
            return await self._failed(firing, supervising.UNSAID)
        under_way = await self._under_way(firing)
        await workflow.wait_condition(lambda: under_way.done() or self.has_run_long)
        if not under_way.done():
            return  # the next run goes on waiting for it
        self.heard = firing.id
        try:
            improved = await under_way
        except (ActivityError, ChildWorkflowError) as error:
            await self._failed(firing, reason_of(error))
        else:
            self._know(supervising.ended(self.standing, firing, improved.status, improved.note))
            if not isinstance(under_way, workflow.ChildWorkflowHandle):
                await self._count_alone()  # nobody awaited it, and nobody knows whether the store heard its end

    async def _cool_down(self) -> None:
        """Sleep out what is left of the cooldown, unless a person fires meanwhile."""
        while not self.busy and not self.has_run_long and (left := supervising.cooling(self.known, workflow.now())):
            self.rest = supervising.NOTHING
            summary = story.cooldown(self.known, self.standing)
            await self._sleep(left, summary, partial(self._cools_otherwise, self.known.cool_until))

    async def _rest(self) -> None:
        """Wait for the next look, the longer the less comes."""
        if not self.busy and self.rest:
            summary = story.resting(self.standing, self.rest)
            await self._sleep(self.rest, summary, lambda: self.standing.more)

    async def _begin_a_new_run(self) -> None:
        """Everybody who asked has an answer; the rest is carried, or in the store."""
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(self.known)

    @property
    def busy(self) -> bool:
        """Whether an improvement is under way."""
        return self.standing.open is not None

    @property
    def has_run_long(self) -> bool:
        """Whether a new run is to begin, before this one's history is too long to be read."""
        return workflow.info().is_continue_as_new_suggested() or self.checks >= by.CHECKS_PER_RUN

    def _cools_otherwise(self, until: datetime | None) -> bool:
        return self.known.cool_until != until

    async def _sleep(self, time: timedelta, summary: str, woken: Callable[[], bool]) -> None:
        """Sleep, unless a person fires meanwhile, or what was slept for has changed."""
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self.busy or self.has_run_long or woken(), timeout=time, timeout_summary=summary
            )

    async def _under_way(self, firing: Firing) -> asyncio.Task[Improved]:
        """The improvement of a firing. It is started once; one that an earlier run started is looked at."""
        id = by.improvement_id(firing.id)
        try:
            return await self._child(id, firing)
        except WorkflowAlreadyStartedError:
            return workflow.start_activity_method(
                ImprovementActivities.follow_improvement,
                FollowImprovement(workflow_id=id),
                summary=f"wait for {id}, which an earlier run started",
                **by.TO_STORE,
            )

    async def _child(self, id: str, firing: Firing) -> asyncio.Task[Improved]:
        target = supervising.target_of(firing.work)
        found_by = (
            SearchAttributePair(by.AGENT_NAME, firing.agent),
            SearchAttributePair(by.IMPROVEMENT_TARGET, target),
        )
        child: asyncio.Task[Improved] = await workflow.start_child_workflow(
            WORK[firing.work.workflow],
            Improve(firing=firing),
            id=id,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            parent_close_policy=ParentClosePolicy.ABANDON,
            cancellation_type=ChildWorkflowCancellationType.ABANDON,
            search_attributes=TypedSearchAttributes(found_by),
            static_summary=story.in_line(f"{story.in_full(firing.work)}; {firing.because}"),
        )
        return child

    async def _count_alone(self) -> None:
        async with self.alone:
            await self._count()

    async def _failed(self, firing: Firing, note: str) -> None:
        """Its evidence is free again. After some failures in a row a person has to look first."""
        async with self.alone:
            await self._give_back(firing, note)
            await self._count()  # whoever closed it may have come after its last word
            self.known = supervising.failed(self.known, self.standing, firing)
            if self.known.failures >= supervising.FAILURES and not self.standing.paused_by:
                await self._pause(True, supervising.ITSELF, story.failed_too_often(note))

    def _check_id(self) -> None:
        """One supervisor per row and agent: another one would count and fire beside it."""
        if self.unreadable:
            raise ApplicationError("; ".join(self.unreadable), type="Refused", non_retryable=True)
        right = by.supervisor_id(self.known.agent, self.known.trigger)
        if workflow.info().workflow_id != right:
            raise ApplicationError(f"the supervisor of this row is {right!r}", type="WrongId", non_retryable=True)
