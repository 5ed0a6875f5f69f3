"""What is started wrongly ends at once and says why, so that nothing counts or claims beside the one that may."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError

from aftercare.messages.improvement import Firing, Work
from tests.improvement.bench import Bench
from workflows.conventions import IMPROVEMENT_QUEUE

FIRING = Firing(
    id="retail/daily/1",
    agent="retail",
    trigger="daily",
    cycle=1,
    work=Work(workflow="retraining", kind="intent_classifier"),
    because="so it is",
    at=datetime(2026, 1, 1, tzinfo=UTC),
).model_dump(mode="json")


async def refused(bench: Bench, workflow: str, given: Any, id: str) -> str:
    """Why a workflow ended."""
    with pytest.raises(WorkflowFailureError) as error:
        await bench.env.client.execute_workflow(workflow, given, id=id, task_queue=IMPROVEMENT_QUEUE)
    return str(error.value.cause)


async def test_a_supervisor_under_another_id_ends(bench: Bench) -> None:
    """Two that watch the same row would count and fire beside each other."""
    told = await refused(bench, "ImprovementWorkflow", {"agent": "retail", "trigger": "daily"}, "mine")
    assert told == "WrongId: the supervisor of this row is 'improvement/retail/daily'"


async def test_a_supervisor_of_nothing_ends(bench: Bench) -> None:
    """What is missing is named."""
    assert await refused(bench, "ImprovementWorkflow", {"agent": "x"}, "improvement/x/y") == "Refused: missing: trigger"
    assert "a JSON object is expected" in await refused(bench, "ImprovementWorkflow", 7, "improvement/x/y")


async def test_an_improvement_under_another_id_ends(bench: Bench) -> None:
    """One improvement for a firing."""
    told = await refused(bench, "RetrainingWorkflow", {"firing": FIRING}, "improvement/retail/daily/2")
    assert told == "WrongId: the workflow of this firing is 'improvement/retail/daily/1'"


async def test_an_improvement_of_another_kind_ends(bench: Bench) -> None:
    """A firing is answered with the work that it names."""
    told = await refused(bench, "PlaybookRevisionWorkflow", {"firing": FIRING}, "improvement/retail/daily/1")
    assert told == "Refused: this is no work for playbook_revision: retraining: intent classifier"


async def test_an_improvement_of_nothing_ends(bench: Bench) -> None:
    """What is missing is named."""
    assert await refused(bench, "RetrainingWorkflow", {}, "improvement/x/y/1") == "Refused: missing: firing"
