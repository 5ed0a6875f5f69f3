"""`aftercare run` on all recorded retail cases: each settles as what the recording knows says it must."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).parents[2].parent / "shared" / "data"
FILE = DATA / "taubench_retail_cases.jsonl.gz"
AFTERCARE = str(Path(sys.executable).parent / "aftercare")
needs_recordings = pytest.mark.skipif(not FILE.exists(), reason=f"the recorded cases are not here: {FILE.name}")


def must_be(row: dict[str, Any]) -> str:
    """The outcome that what the recording knows must lead to."""
    if row["crashed"] or row["ended_by"] == "step_limit":
        return "abandoned"
    if row["human_transfer"]:
        return "escalated"
    if row["outcome"]["db_match"] is False:
        return "overridden"
    if row["outcome"]["outputs_ok"] is False:
        return "reopened"
    return "confirmed" if row["actual"]["writes"] else "unconfirmed"


@pytest.fixture(scope="module")
def rows() -> dict[str, dict[str, Any]]:
    with gzip.open(FILE, "rt", encoding="utf-8") as lines:
        return {row["case_id"]: row for row in map(json.loads, lines)}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One run of all 228 cases, from another folder."""
    folder = tmp_path_factory.mktemp("run")
    command = [AFTERCARE, "run", str(FILE), "--embedded", "--watch", "3s", "--report", "report.json"]
    ended = subprocess.run(command, cwd=folder, timeout=280, check=False, capture_output=True, text=True)  # noqa: S603
    assert ended.returncode == 0, ended.stdout + ended.stderr
    report: dict[str, Any] = json.loads((folder / "report.json").read_text("utf-8"))
    return report


@needs_recordings
def test_every_case_settles_with_the_outcome_its_recording_must_lead_to(
    report: dict[str, Any], rows: dict[str, dict[str, Any]]
) -> None:
    """All 228, one by one."""
    came = {line["case_id"]: line["outcome"] for line in report["per_case"]}
    assert came == {id: must_be(row) for id, row in rows.items()}
    assert report["settled"] == report["cases"] == 228


@needs_recordings
def test_everything_acknowledged_is_stored(report: dict[str, Any]) -> None:
    """Counted by the senders from their receipts, and by what lies in the store."""
    assert report["evidence"]["stored"] == report["evidence"]["acknowledged"] > 228
    assert report["evidence"]["missing"] == []


@needs_recordings
def test_every_claim_of_a_finished_agent_is_verified(report: dict[str, Any]) -> None:
    """No fault was injected, so whatever was claimed is there; where nothing was claimed, nobody can say."""
    assert report["verification"].get("failed", 0) == 0
    claimed = [line for line in report["per_case"] if line["outcome"] == "confirmed"]
    assert {line["verification"] for line in claimed} == {"verified"}


@needs_recordings
def test_every_correction_is_verified_in_the_records(report: dict[str, Any]) -> None:
    """What the person said was done instead is what the shop shows."""
    overridden = [line for line in report["per_case"] if line["outcome"] == "overridden"]
    assert len(overridden) == 62
    assert {line["correction"] for line in overridden} == {"verified"}


@needs_recordings
def test_quiet_cases_stay_within_their_budget(report: dict[str, Any]) -> None:
    """The medians over recorded cases as they are."""
    whole, live = report["history"]["whole"], report["history"]["live"]
    assert (whole["events_median"], whole["actions_median"]) <= (32, 8)
    assert (live["events_median"], live["actions_median"]) <= (44, 12)
    assert max(whole["bytes_median"], live["bytes_median"]) <= 8_192


@needs_recordings
def test_about_half_of_the_cases_are_reported_live(report: dict[str, Any]) -> None:
    """By hash of the id, and all of those without a resolution."""
    live = [line for line in report["per_case"] if line["reported"] == "live"]
    assert 100 < len(live) < 150
    assert all(line["reported"] == "live" for line in report["per_case"] if line["outcome"] == "abandoned")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere.jsonl", "--embedded"], "there is no file"),
        ([], "name at least one file"),
        (["broken.jsonl", "--embedded", "--shop-data", "broken.jsonl"], "broken.jsonl, case 1"),
        (["broken.jsonl", "--watch", "3s", "--shop-data", "broken.jsonl"], "go with --embedded"),
    ],
)
def test_a_run_that_cannot_be_played_says_why(tmp_path: Path, arguments: list[str], told: str) -> None:
    """Before anything is started, with exit code 2."""
    (tmp_path / "broken.jsonl").write_text("{nonsense\n", "utf-8")
    command = [AFTERCARE, "run", *arguments]
    ended = subprocess.run(command, cwd=tmp_path, timeout=60, check=False, capture_output=True, text=True)  # noqa: S603
    assert ended.returncode == 2
    assert told in " ".join(ended.stdout.split())
