"""A running case survives a new version of the code: every committed history replays, or the change is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from aftercare.temporal import DATA_CONVERTER, workflow_runner
from tests.replay import record_improvements
from tests.replay.audit_first import AuditFirst
from tests.replay.looks_twice import LooksTwice
from tests.replay.record import HISTORIES, PATHS
from tests.replay.record_improvements import IMPROVEMENTS
from worker import WORKFLOWS

INSTRUCTIONS = """
The history {name} no longer replays: {error}

Cases, supervisors or improvements that are running now would get stuck. Either
  - guard the change: `if workflow.patched("what-changed"): new order, else: old order`, and keep these histories; or
  - if none of the old order can be running any more, which of a supervisor is never so, record anew:
    `.venv/bin/python -m tests.replay.record {name}`, or `record_improvements`.
"""
EVERY = [HISTORIES / f"{name}.json" for name in PATHS]
EVERY += [IMPROVEMENTS / f"{name}.json" for name in record_improvements.PATHS]


def named(path: Path) -> str:
    return path.stem if path.parent == HISTORIES else f"{path.parent.name}/{path.stem}"


async def replayed(path: Path, *workflows: type) -> None:
    """Replay one history, or say what to do."""
    replayer = Replayer(
        workflows=workflows or WORKFLOWS, data_converter=DATA_CONVERTER, workflow_runner=workflow_runner()
    )
    text = path.read_text("utf-8")  # noqa: ASYNC240
    id = json.loads(text)["events"][0]["workflowExecutionStartedEventAttributes"]["workflowId"]
    history = WorkflowHistory.from_json(id, text)
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    if result.replay_failure:
        raise AssertionError(INSTRUCTIONS.format(name=path.stem, error=result.replay_failure))


@pytest.mark.parametrize("path", EVERY, ids=named)
async def test_every_committed_history_replays(path: Path) -> None:
    """The commands of today are those the history holds."""
    await replayed(path)


def test_every_path_has_a_history_and_no_history_is_left_over() -> None:
    """What is recorded is what is replayed."""
    assert set(HISTORIES.rglob("*.json")) == set(EVERY)


async def test_a_changed_order_of_commands_fails_with_instructions() -> None:
    """Whoever exchanges two steps is told what to do about the cases that are running."""
    with pytest.raises(AssertionError, match=r"that are running now(.|\n)*workflow\.patched(.|\n)*replay\.record"):
        await replayed(HISTORIES / "whole_confirmed.json", AuditFirst)


async def test_another_step_of_a_supervisor_fails_with_instructions() -> None:
    """The same for those that live for ever."""
    with pytest.raises(AssertionError, match=r"workflow\.patched"):
        await replayed(IMPROVEMENTS / "spoken_to.json", LooksTwice)


@pytest.mark.parametrize("path", EVERY, ids=named)
def test_a_history_tells_nothing_of_the_machine_it_was_recorded_on(path: Path) -> None:
    """No stack trace, and so no path, is committed."""
    assert "site-packages" not in path.read_text("utf-8")
