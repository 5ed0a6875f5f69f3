"""Both examples run as they are shipped, against any Aftercare, and say what to do where there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aftercare.messages.case import StepKind
from tests.client.twin import Twin

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))


def run(example: Path, url: str, home: Path) -> subprocess.CompletedProcess[str]:
    """One example, in a process and a home of its own, without a key of anybody's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI", "AFTERCARE"))}
    env = {**kept, "AFTERCARE_URL": url, "AFTERCARE_KEY": "ak_1_key", "AFTERCARE_HOME": str(home)}
    command = [sys.executable, str(example)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env, timeout=100)  # noqa: S603


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_tells_a_whole_case(example: Path, tmp_path: Path) -> None:
    """What the customer said, what was looked up, done and said, and a claim with the shop's receipt."""
    twin = Twin(key="ak_1_key")
    with twin.served() as url:
        told = run(example, url, tmp_path)
    assert (told.returncode, told.stderr) == (0, "")
    assert "is watching" in told.stdout
    case_id = twin.taken[0].case_id
    steps = twin.steps(case_id)
    assert {StepKind.RETRIEVE, StepKind.ACT, StepKind.REPLY} <= {s.kind for s in steps}
    assert [s.heard for s in steps if s.heard] == ["Please cancel #A101.", "Yes, please."]
    [claim] = twin.of("resolution", case_id)
    [action] = claim.body["actions"]
    assert (action["name"], action["receipt"]) == ("cancel_pending_order", "cancel-A101")
    assert twin.of("feedback", case_id)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_says_what_to_start_and_loses_nothing(example: Path, tmp_path: Path) -> None:
    """The agent does its work all the same, and the next run sends it."""
    told = run(example, "http://127.0.0.1:1", tmp_path)
    assert told.returncode == 1
    assert "aftercare dev" in told.stdout
    assert list((tmp_path / "client").glob("example-*.db"))


def test_both_examples_are_there() -> None:
    """A plain loop, and the OpenAI Agents SDK."""
    assert [path.stem for path in EXAMPLES] == ["openai_agents", "plain_loop"]
