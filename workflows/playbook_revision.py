"""PlaybookRevisionWorkflow: how the agent goes about its work is to change."""

from __future__ import annotations

from typing import Any

from temporalio import workflow

from aftercare.messages.improvement import FiringStatus, Improved
from aftercare.messages.triggers import PLAYBOOK
from workflows.improving import Improving


@workflow.defn
class PlaybookRevisionWorkflow(Improving):
    """Prepares a revised flow, tone, or budget of steps and calls: begin, freeze, diagnose, end."""

    work = PLAYBOOK

    @workflow.init
    def __init__(self, given: Any) -> None:
        super().__init__(given)

    @workflow.run
    async def run(self, given: Any) -> Improved:
        """The table of contents. `given` is an Improve as JSON."""
        await self._begin()
        await self._freeze_evidence()
        await self._diagnose()
        return await self._end(FiringStatus.PREPARED)
