"""The demo as people start it: a process of its own, from any folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from aftercare.messages.outcome import Outcome

AFTERCARE = Path(sys.executable).parent / "aftercare"


@pytest.mark.timeout(240)
def test_the_demo_shows_every_outcome_and_ends_well(tmp_path: Path) -> None:
    """`aftercare demo --once` settles every case, loses nothing, shows all seven outcomes, and exits with 0."""
    done = subprocess.run(  # noqa: S603 - our own command
        [AFTERCARE, "demo", "--once"], cwd=tmp_path, capture_output=True, text=True, timeout=220, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    starts = {line.split(" ", 1)[0] for line in done.stdout.splitlines()}
    assert set(map(str, Outcome)) <= starts
    assert "not settled" not in done.stdout
    assert "/namespaces/default/workflows/case%2F" in done.stdout
