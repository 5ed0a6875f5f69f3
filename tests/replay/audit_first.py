"""The case with two of its steps exchanged: a change that running cases would not survive."""

from __future__ import annotations

from typing import Any

from temporalio import workflow

from aftercare.messages.outcome import Settlement
from workflows.case import CaseWorkflow


@workflow.defn(name="CaseWorkflow")
class AuditFirst(CaseWorkflow):
    """Audits before it verifies."""

    @workflow.init
    def __init__(self, given: Any) -> None:
        super().__init__(given)

    @workflow.run
    async def run(self, given: Any) -> Settlement:
        """The steps are exchanged, and nothing else."""
        self._verify, self._audit = self._audit, self._verify  # type: ignore[method-assign]
        return await super().run(given)
