"""The supervisor with a step more: a change that running supervisors would not survive."""

from __future__ import annotations

from typing import Any

from temporalio import workflow

from workflows.improvement import ImprovementWorkflow


@workflow.defn(name="ImprovementWorkflow")
class LooksTwice(ImprovementWorkflow):
    """Looks, and looks again."""

    @workflow.init
    def __init__(self, given: Any) -> None:
        super().__init__(given)

    @workflow.run
    async def run(self, given: Any) -> None:
        """One look more before the first, and nothing else."""
        await self._look()
        await super().run(given)
