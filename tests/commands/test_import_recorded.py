"""Recorded incidents and thumbs, imported as docs/reports.md says: reports tell what the files themselves tell."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from aftercare.store.database import Database
from tests.commands.conftest import Terminal

DATA = Path(__file__).parents[2].parent / "shared" / "data"
INCIDENTS = DATA / "incidents_servicenow_summary.csv.gz"
THUMBS = [DATA / f"agent_step_thumbs_{what}.jsonl.gz" for what in ("coffee_tm4", "movies_tm3")]
pytestmark = pytest.mark.skipif(
    not all(file.exists() for file in (INCIDENTS, *THUMBS)), reason="the recorded incidents and thumbs are not here"
)
AS_HISTORY = ("--map", "resolved_at=first_resolved_event_at,customer=caller_id", "--zone", "UTC")
AS_FEEDBACK = (
    "--map",
    "value=thumb,step=#context",
    "--set",
    "kind=thumbs,at=2022-12-01T00:00Z",
    "--values",
    "1=up,0=down",
)


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def store(bare: Terminal) -> None:
    """An empty store, at which commands are typed."""
    database = Database(f"sqlite+aiosqlite:///{bare.folder / 'store.db'}")
    await database.migrate()
    await database.close()
    bare.env.setenv("AFTERCARE_DATABASE", database.url)


async def figures(bare: Terminal, source: str, *typed: str) -> list[dict[str, tuple[Any, int]]]:
    """Value and n of every figure, group by group."""
    report = (await bare.types("report", "--of", f"history:{source}", *typed, "--json")).json
    return [{f["name"]: (f["value"], f["n"]) for f in group["figures"]} for group in report["groups"]]


async def test_the_share_reopened_within_a_day_is_that_of_the_file(bare: Terminal) -> None:
    """By the file's own derived column, over all incidents and in the largest category."""
    with gzip.open(INCIDENTS, "rt") as lines:
        incidents = list(csv.DictReader(lines))
    imported = await bare.types("import", "history", INCIDENTS, *AS_HISTORY, "--source", "incidents", "--json")
    assert imported.json["files"][0]["new"] == len(incidents) == 12_862
    (told,) = await figures(bare, "incidents")
    in_a_day = sum(incident["reopened_within_24h"] == "1" for incident in incidents)
    assert told["reopened_24h"] == (in_a_day / len(incidents), len(incidents))
    assert told["reopened"] == (sum(bool(i["reopened_at"]) for i in incidents) / len(incidents), len(incidents))
    of_42 = [incident["reopened_within_24h"] == "1" for incident in incidents if incident["category"] == "42"]
    first = (await figures(bare, "incidents", "--by", "intent"))[0]
    assert first["reopened_24h"] == (sum(of_42) / len(of_42), len(of_42))


async def test_the_same_incidents_again_change_nothing(bare: Terminal) -> None:
    """All of them are as they were."""
    typed = ("import", "history", INCIDENTS, *AS_HISTORY, "--json")
    await bare.types(*typed)
    again = (await bare.types(*typed)).json["files"][0]
    assert (again["rows"], again["same"]) == (12_862, 12_862)


async def test_the_share_of_thumbs_is_that_of_the_files(bare: Terminal) -> None:
    """Each file by its own name; and again, nothing is new."""
    typed = ("import", "feedback", *THUMBS, *AS_FEEDBACK, "--json")
    assert [told["new"] for told in (await bare.types(*typed)).json["files"]] == [1_628, 1_862]
    assert [told["same"] for told in (await bare.types(*typed)).json["files"]] == [1_628, 1_862]
    for file in THUMBS:
        with gzip.open(file, "rt") as lines:
            thumbs = [json.loads(line)["thumb"] for line in lines]
        (told,) = await figures(bare, file.name.removesuffix(".jsonl.gz"))
        assert told["thumbs"] == (thumbs.count(1) / len(thumbs), len(thumbs))


async def test_two_imports_are_compared(bare: Terminal) -> None:
    """The two kinds of recorded agents differ, and it is said by how much."""
    await bare.types("import", "feedback", *THUMBS, *AS_FEEDBACK)
    sides = ("--a", "history:agent_step_thumbs_coffee_tm4", "--b", "history:agent_step_thumbs_movies_tm3")
    told = (await bare.types("report", "compare", *sides, "--figure", "thumbs", "--json")).json["figures"][0]
    assert told["finding"] == "higher"
    assert told["difference"]["low"] > 0.6
