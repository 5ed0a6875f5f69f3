"""What the recorded cases must come to, and runs that cannot be played. All of them are played in `tests/matrix`."""

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
