"""The commands as processes of their own: their exit codes, and what they leave on each stream."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

AFTERCARE = str(Path(sys.executable).parent / "aftercare")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One command where nothing runs."""
    env = {**os.environ, "AFTERCARE_HOME": str(folder / "home"), "TEMPORAL_ADDRESS": "127.0.0.1:1"}
    env.pop("AFTERCARE_DATABASE", None)
    return subprocess.run([AFTERCARE, *arguments], capture_output=True, text=True, check=False, env=env)  # noqa: S603


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("policy", "explain", "cancel.1"), 0),
        (("doctor",), 1),
        (("case", "list"), 2),
        (("nonsense",), 2),
    ],
)
def test_a_verb_ends_with_its_own_code(tmp_path: Path, arguments: tuple[str, ...], code: int) -> None:
    """Without a traceback; as JSON it is one document on the standard output, and the same code."""
    told = run(tmp_path, *arguments, "--json")
    assert told.returncode == code
    assert "Traceback" not in told.stderr
    if arguments != ("nonsense",):
        json.loads(told.stdout)
        assert told.stderr == ""


def test_people_read_errors_beside_the_answer(tmp_path: Path) -> None:
    """The standard output stays empty where there is no answer."""
    said = run(tmp_path, "case", "show", "x")
    assert (said.returncode, said.stdout) == (2, "")
    assert "there is no store" in said.stderr


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    """`| head` ends quietly."""
    command = f"{AFTERCARE} policy explain --json | head -1; exit ${{PIPESTATUS[0]}}"
    said = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)  # noqa: S603, S607
    assert (said.returncode, said.stdout, said.stderr) == (0, "{\n", "")
