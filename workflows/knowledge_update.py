"""KnowledgeUpdateWorkflow: what the agent looks up is to hold what it lacked."""

from __future__ import annotations

from typing import Any

from temporalio import workflow

from aftercare.messages.improvement import FiringStatus, Improved
from aftercare.messages.triggers import KNOWLEDGE
from workflows.improving import Improving


@workflow.defn
class KnowledgeUpdateWorkflow(Improving):
    """Prepares an article, the patch of a gap, or the grounding of a clause: begin, freeze, diagnose, end."""

    work = KNOWLEDGE

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
