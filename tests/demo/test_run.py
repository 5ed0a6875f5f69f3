"""`aftercare run` on all recorded cases, retail and airline at once: each settles as its recording says it must."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).parents[2].parent / "shared" / "data"
FILES = {domain: DATA / f"taubench_{domain}_cases.jsonl.gz" for domain in ("retail", "airline")}
AFTERCARE = str(Path(sys.executable).parent / "aftercare")
needs_recordings = pytest.mark.skipif(
    not all(file.exists() for file in FILES.values()), reason="the recorded tau-bench cases are not here"
)
each_domain = pytest.mark.parametrize("domain", list(FILES))
# What a person says was right here cannot be told from the records as the agent found them.
CANNOT_BE_TOLD = {
    # Two changes of the same flights, one after the other: the price of the second follows from the first.
    *(f"airline-tc-t022-r{trial}" for trial in range(4)),
    # A booking that is taken back: before it there was no record to compare with.
    "airline-tc-t004-r2",
}


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


def rows(domain: str) -> dict[str, dict[str, Any]]:
    with gzip.open(FILES[domain], "rt", encoding="utf-8") as lines:
        return {row["case_id"]: row for row in map(json.loads, lines)}


def lines_of(domain: str, report: dict[str, Any]) -> list[dict[str, Any]]:
    return [line for line in report["per_case"] if line["case_id"].startswith(f"{domain}-")]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One run of all 340 cases of two lines of business, from another folder."""
    folder = tmp_path_factory.mktemp("run")
    files = [str(file) for file in FILES.values()]
    command = [AFTERCARE, "run", *files, "--embedded", "--watch", "3s", "--report", "report.json"]
    ended = subprocess.run(command, cwd=folder, timeout=280, check=False, capture_output=True, text=True)  # noqa: S603
    assert ended.returncode == 0, ended.stdout + ended.stderr
    report: dict[str, Any] = json.loads((folder / "report.json").read_text("utf-8"))
    return report


@needs_recordings
@pytest.mark.parametrize(("domain", "cases"), [("retail", 228), ("airline", 112)])
def test_every_case_settles_with_the_outcome_its_recording_must_lead_to(
    report: dict[str, Any], domain: str, cases: int
) -> None:
    """All of them, one by one."""
    came = {line["case_id"]: line["outcome"] for line in lines_of(domain, report)}
    assert came == {id: must_be(row) for id, row in rows(domain).items()}
    assert len(came) == cases


@needs_recordings
def test_no_case_is_lost_between_two_lines_of_business(report: dict[str, Any]) -> None:
    """Every case of every file settles, and nothing was refused."""
    assert report["settled"] == report["cases"] == 228 + 112
    assert "refused" not in report


@needs_recordings
def test_everything_acknowledged_is_stored(report: dict[str, Any]) -> None:
    """Counted by the senders from their receipts, and by what lies in the store."""
    assert report["evidence"]["stored"] == report["evidence"]["acknowledged"] > 340
    assert report["evidence"]["missing"] == []


@needs_recordings
@each_domain
def test_every_claim_of_a_finished_agent_is_verified(report: dict[str, Any], domain: str) -> None:
    """No fault was injected, so whatever was claimed is there; where nothing was claimed, nobody can say."""
    assert "failed" not in {line["verification"] for line in lines_of(domain, report)}
    claimed = [line for line in lines_of(domain, report) if line["outcome"] == "confirmed"]
    assert {line["verification"] for line in claimed} == {"verified"}


@needs_recordings
@pytest.mark.parametrize(("domain", "overrides"), [("retail", 62), ("airline", 55)])
def test_every_correction_is_verified_in_the_records(report: dict[str, Any], domain: str, overrides: int) -> None:
    """What the person said was done instead is what the shop shows."""
    overridden = [line for line in lines_of(domain, report) if line["outcome"] == "overridden"]
    assert len(overridden) == overrides
    assert {line["case_id"] for line in overridden if line["correction"] != "verified"} <= CANNOT_BE_TOLD


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
    assert 150 < len(live) < 225
    assert all(line["reported"] == "live" for line in report["per_case"] if line["outcome"] == "abandoned")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere.jsonl", "--embedded"], "there is no file"),
        ([], "name at least one file"),
        (["broken.jsonl", "--embedded", "--shop-data", "broken.jsonl"], "broken.jsonl, case 1"),
        (["broken.jsonl", "--watch", "3s", "--shop-data", "broken.jsonl"], "go with --embedded"),
        (["flight.jsonl", "shop.jsonl", "--embedded", "--shop-data", "broken.jsonl"], "for cases of one domain"),
        (["flight.jsonl", "--embedded"], "name it with --shop-data"),
        (["flight_cases.jsonl", "--embedded"], "there is no file flight_db.json"),
        (["bank.jsonl", "--embedded", "--shop-data", "broken.jsonl"], "there is no shop for the domain 'bank'"),
        (["flight.jsonl"], 'AFTERCARE_SYSTEMS names no "airline"'),
    ],
)
def test_a_run_that_cannot_be_played_says_why(tmp_path: Path, arguments: list[str], told: str) -> None:
    """Before anything is started, with exit code 2."""
    (tmp_path / "broken.jsonl").write_text("{nonsense\n", "utf-8")
    for name, domain in {"flight": "airline", "flight_cases": "airline", "shop": "retail", "bank": "bank"}.items():
        case = {"agent": {"case": {"id": name, "agent": "a", "domain": domain}, "ending": "resolves"}}
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(case), "utf-8")
    command = [AFTERCARE, "run", *arguments]
    ended = subprocess.run(command, cwd=tmp_path, timeout=60, check=False, capture_output=True, text=True)  # noqa: S603
    assert ended.returncode == 2
    assert told in " ".join(ended.stdout.split())
