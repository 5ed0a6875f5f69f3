"""A run whose worker is killed again and again reports what a quiet run reports."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console

from aftercare.demo.embedded import Place, embedded
from aftercare.demo.run import Wanted, play
from aftercare.demo.story import CASES, SHOP

DATA = Path(__file__).parents[2].parent / "shared" / "data"
RECORDED, RECORDED_SHOP = DATA / "taubench_retail_cases.jsonl.gz", DATA / "taubench_retail_db.json.gz"
WAITS = {"watch": timedelta(seconds=3), "resolve_within": timedelta(seconds=30), "verify_within": timedelta(seconds=20)}
KILLS = 10  # soon after one another: together they leave less time than a watch takes
# What a watch that ended while the worker was down may change: a follow-up run, and no new episode in it.
APART = ("events", "actions", "bytes", "runs", "reopens")


async def played(file: Path, shop: Path, limit: int | None, folder: Path, kills: int) -> tuple[dict[str, Any], int]:
    folder.mkdir()  # noqa: ASYNC240 - a moment
    async with embedded(folder, {"retail": shop}, WAITS) as place:
        killing = asyncio.create_task(killed(place, kills))
        report = await play(Wanted(files=(file,), limit=limit), place, Console(quiet=True))
        killing.cancel()
        assert place.worker
        return report, place.worker.restarts


async def killed(place: Place, times: int) -> None:
    """SIGKILL at random moments, each some while after the worker is up again."""
    moments = random.Random(7)  # noqa: S311 - a die, not a secret
    assert place.worker
    for _ in range(times):
        await asyncio.sleep(moments.uniform(0.1, 0.9))
        while not place.worker.running:  # noqa: ASYNC110 - in another process
            await asyncio.sleep(0.05)
        place.worker.kill()


def told(report: dict[str, Any]) -> dict[str, Any]:
    """The report without what may differ."""
    cases = {line["case_id"]: {k: v for k, v in line.items() if k not in APART} for line in report["per_case"]}
    return {**report, "history": None, "per_case": cases}


async def test_killing_the_worker_changes_nothing_in_the_report(tmp_path: Path) -> None:
    """The same outcomes, findings and evidence, case by case, and nothing that was acknowledged is missing."""
    file, shop, limit = (RECORDED, RECORDED_SHOP, 24) if RECORDED.exists() else (CASES, SHOP, None)
    quiet, _ = await played(file, shop, limit, tmp_path / "quiet", kills=0)
    rough, restarts = await played(file, shop, limit, tmp_path / "rough", kills=KILLS)
    assert told(rough) == told(quiet)
    assert rough["evidence"]["missing"] == []
    assert restarts == KILLS
