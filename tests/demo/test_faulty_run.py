"""`aftercare run --faults`: every dropped or wrong fact is found and no other; late is verified, down unverifiable."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aftercare.demo.story import CASES, SHOP

DATA = Path(__file__).parents[2].parent / "shared" / "data"
RECORDED = [DATA / f"taubench_{domain}_cases.jsonl.gz" for domain in ("retail", "airline")]
AFTERCARE = str(Path(sys.executable).parent / "aftercare")
RATES = "drop=0.15,wrong=0.15,slow=0.1,eventual=0.1,down=0.05"
needs_recordings = pytest.mark.skipif(
    not all(file.exists() for file in RECORDED), reason="the recorded tau-bench cases are not here"
)


def run(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [AFTERCARE, "run", *map(str, arguments), "--report", "report.json"]
    return subprocess.run(command, cwd=folder, timeout=280, check=False, capture_output=True, text=True)  # noqa: S603


def report(folder: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((folder / "report.json").read_text("utf-8"))
    return told


def assert_sound(ended: subprocess.CompletedProcess[str], told: dict[str, Any]) -> None:
    faults = told["faults"]
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert (faults["missed"], faults["alarms"], faults["misjudged"]) == ([], [], [])
    assert faults["injected"] == faults["found"] > 0
    assert faults["false_alarms"] == 0
    kinds = faults["by_kind"]
    assert all(kinds[kind]["writes"] for kind in ("drop", "wrong", "eventual"))
    assert set(kinds["slow"]["verification"]) | set(kinds["eventual"]["verification"]) == {"verified"}
    assert set(kinds["down"]["verification"]) == {"unverifiable"}


def test_faults_in_the_built_in_cases_are_all_found(tmp_path: Path) -> None:
    """The demo's own twenty cases, with more faults than any shop has."""
    rates = "drop=0.3,wrong=0.3,eventual=0.2,slow=0.2,down=0.2"
    waits = ("--watch", "2s", "--deadline", "10s")
    ended = run(tmp_path, CASES, "--shop-data", SHOP, "--embedded", "--faults", rates, "--seed", "2", *waits)
    told = report(tmp_path)
    assert_sound(ended, told)
    assert told["settled"] == told["cases"] == 20
    assert f"{told['faults']['found']} found, 0 false alarms" in ended.stdout


@needs_recordings
def test_faults_in_recorded_cases_are_all_found(tmp_path: Path) -> None:
    """Both lines of business, the first forty cases of each."""
    ended = run(
        tmp_path, *RECORDED, "--limit", "40", "--embedded", "--faults", RATES, "--seed", "1", "--deadline", "12s"
    )
    told = report(tmp_path)
    assert_sound(ended, told)
    assert told["settled"] == told["cases"] == 80
    assert told["evidence"]["missing"] == []


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--faults", "drop=0.1"], "--faults goes with --embedded"),
        (["--embedded", "--faults", "lost=0.1"], "there is no fault 'lost'"),
        (["--embedded", "--faults", "drop=0.9,wrong=0.9"], "their shares come to 1.8"),
    ],
)
def test_faults_that_cannot_be_played_are_refused(tmp_path: Path, arguments: list[str], why: str) -> None:
    """Before anything is started, with exit code 2."""
    ended = run(tmp_path, CASES, "--shop-data", SHOP, *arguments)
    assert ended.returncode == 2
    assert why in " ".join(ended.stdout.split())
