"""The supervisor where builds of the worker are versions: it lives for ever, and so goes on under each new build.

A server takes that word only from a worker that is a version; without versions the plain one runs. What a supervisor
starts stays with the build that began it, as cases do.
"""

from __future__ import annotations

from typing import Any

from temporalio import workflow
from temporalio.common import VersioningBehavior

from workflows.improvement import ImprovementWorkflow


@workflow.defn(name="ImprovementWorkflow", versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class UpgradingImprovement(ImprovementWorkflow):
    """The same story. A changed order of its commands is guarded by `workflow.patched`, always."""

    @workflow.init
    def __init__(self, given: Any) -> None:
        super().__init__(given)

    @workflow.run
    async def run(self, given: Any) -> None:
        """See `improvement.py`."""
        await super().run(given)
