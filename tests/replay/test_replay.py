"""A running case survives a new version of the code: every committed history replays, or the change is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from aftercare.temporal import DATA_CONVERTER, workflow_runner
from tests.replay.audit_first import AuditFirst
from tests.replay.record import HISTORIES, PATHS
from worker import WORKFLOWS

INSTRUCTIONS = """
The history {name} no longer replays: {error}

Cases that are running now would get stuck. Either
  - guard the change: `if workflow.patched("what-changed"): new order, else: old order`, and keep these histories; or
  - if no case of the old order can be running any more, record anew: `.venv/bin/python -m tests.replay.record {name}`.
"""


async def replayed(path: Path, *workflows: type) -> None:
    """Replay one history, or say what to do."""
    replayer = Replayer(
        workflows=workflows or WORKFLOWS, data_converter=DATA_CONVERTER, workflow_runner=workflow_runner()
    )
    history = WorkflowHistory.from_json(f"case/{path.stem}", path.read_text("utf-8"))  # noqa: ASYNC240
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    if result.replay_failure:
        raise AssertionError(INSTRUCTIONS.format(name=path.stem, error=result.replay_failure))


@pytest.mark.parametrize("name", PATHS)
async def test_every_committed_history_replays(name: str) -> None:
    """The commands of today are those the history holds."""
    await replayed(HISTORIES / f"{name}.json")


def test_every_path_has_a_history_and_no_history_is_left_over() -> None:
    """What is recorded is what is replayed."""
    assert {p.stem for p in HISTORIES.glob("*.json")} == set(PATHS)


async def test_a_changed_order_of_commands_fails_with_instructions() -> None:
    """Whoever exchanges two steps is told what to do about the cases that are running."""
    with pytest.raises(
        AssertionError, match=r"Cases that are running now(.|\n)*workflow\.patched(.|\n)*replay\.record"
    ):
        await replayed(HISTORIES / "whole_confirmed.json", AuditFirst)


@pytest.mark.parametrize("name", PATHS)
def test_a_history_tells_nothing_of_the_machine_it_was_recorded_on(name: str) -> None:
    """No stack trace, and so no path, is committed."""
    assert "site-packages" not in (HISTORIES / f"{name}.json").read_text("utf-8")
