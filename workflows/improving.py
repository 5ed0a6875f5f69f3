"""The form that all improvements share: the evidence is frozen and diagnosed, and how it ended is written down."""

from __future__ import annotations

from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.datasets import DatasetActivities
from activities.triggers import TriggerActivities
from aftercare.lifecycle import improvement_story as story
from aftercare.lifecycle.intake import parse
from aftercare.lifecycle.state import Refused
from aftercare.messages.improvement import Diagnosed, EndFiring, Firing, FiringStatus, Frozen, Improve, Improved
from aftercare.messages.triggers import KINDS_OF_WORK
from workflows import conventions as by


class Improving:
    """What every improvement does. The stories are in the files of their kinds."""

    work: str

    def __init__(self, given: Any) -> None:
        self.improve: Improve | None = None
        self.unreadable: list[str] = []
        try:
            self.improve = parse(Improve, given)
        except Refused as refused:
            self.unreadable = refused.reasons
        self.frozen: Frozen | None = None
        self.diagnosed: Diagnosed | None = None

    @property
    def firing(self) -> Firing:
        """What called for this improvement."""
        if self.improve is None:
            raise ApplicationError("; ".join(self.unreadable), type="Refused", non_retryable=True)
        return self.improve.firing

    async def _begin(self) -> None:
        """One workflow per firing, and of the kind that the firing asked for."""
        work, right = self.firing.work, by.improvement_id(self.firing.id)
        if workflow.info().workflow_id != right:
            raise ApplicationError(f"the workflow of this firing is {right!r}", type="WrongId", non_retryable=True)
        if work.workflow != self.work or work.kind not in KINDS_OF_WORK[self.work]:
            told = f"this is no work for {self.work}: {story.in_full(work)}"
            raise ApplicationError(told, type="Refused", non_retryable=True)
        workflow.set_current_details(story.tell_improvement(self.firing))

    async def _freeze_evidence(self) -> None:
        """Everything the firing claimed becomes a dataset that no longer changes."""
        self.frozen = await workflow.execute_activity_method(
            DatasetActivities.freeze_dataset,
            Improve(firing=self.firing),
            summary=f"freeze the evidence of {self.firing.cases} cases",
            **by.PREPARING,
        )
        workflow.set_current_details(story.tell_improvement(self.firing, self.frozen))

    async def _diagnose(self) -> None:
        """What the evidence has in common."""
        self.diagnosed = await workflow.execute_activity_method(
            DatasetActivities.diagnose,
            Improve(firing=self.firing),
            summary=f"say what {self.frozen.rows if self.frozen else 0} rows tell",
            **by.PREPARING,
        )

    async def _end(self, status: FiringStatus) -> Improved:
        """Write down how it ended: the firing's last word, and so this workflow's last step."""
        note = self.diagnosed.headline if self.diagnosed else ""
        await workflow.execute_activity_method(
            TriggerActivities.end_firing,
            EndFiring(firing=self.firing.id, status=status, note=note, at=workflow.now()),
            summary=story.in_line(f"write down: {status}, {note}"),
            **by.TO_STORE,
        )
        dataset = self.frozen.dataset if self.frozen else ""
        improved = Improved(firing=self.firing.id, status=status, dataset=dataset, note=note)
        workflow.set_current_details(story.tell_improvement(self.firing, self.frozen, self.diagnosed, improved))
        return improved
