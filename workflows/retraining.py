"""RetrainingWorkflow: a model is to decide better what it decided wrongly."""

from __future__ import annotations

from typing import Any

from temporalio import workflow

from aftercare.messages.improvement import FiringStatus, Improved
from aftercare.messages.triggers import RETRAINING
from workflows.improving import Improving


@workflow.defn
class RetrainingWorkflow(Improving):
    """Prepares what an intent classifier or a reasoning model is to learn from: begin, freeze, diagnose, end."""

    work = RETRAINING

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
