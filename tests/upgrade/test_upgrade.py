"""Cases that the code before began are finished by the code of today: its histories replay, its store is migrated."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from aftercare.demo.embedded import temporal_server
from aftercare.demo.processes import running
from aftercare.gateway import Gateway
from aftercare.messages.case import Escalation, Resolution, Steps
from aftercare.messages.outcome import Outcome, Settlement
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.temporal import connect
from tests.upgrade.before import CSAT, STEPS, case

ROOT = Path(__file__).parents[2]
# What histories are written by. The code before is the commit before the last one that touched any of it.
FIRST_VERTICAL = "904d018"  # cases that were begun when only retail was known, and no inbox
BEFORE_THE_DOORS = "6ed38dd"  # when agents' own messages did not go by the inbox
WRITES_HISTORIES = ("workflows", "activities", "aftercare/messages", "aftercare/lifecycle", "aftercare/temporal.py")


def git(*words: str) -> str:
    """What git says. Skips where this is no clone, or one without the commits that are asked for."""
    program = shutil.which("git")
    if program is None or not (ROOT / ".git").exists():
        pytest.skip("this is no git clone: the code before is not here")
    said = subprocess.run((program, "-C", str(ROOT), *words), capture_output=True, text=True, check=False)  # noqa: S603
    if said.returncode:
        pytest.skip(f"this clone has no such history: the code before is not here ({said.stderr.strip()[:80]})")
    return said.stdout.strip()


@pytest.fixture(params=["before the last change", "before the doors", "first vertical"])
def before(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The code before, in a folder of its own."""
    last = git("log", "-1", "--format=%H", "--", *WRITES_HISTORIES)
    named = {"first vertical": FIRST_VERTICAL, "before the doors": BEFORE_THE_DOORS}
    commit = named.get(request.param, f"{last}~1")
    packed, folder = tmp_path / "before.tar", tmp_path / "before"
    git("archive", "--output", str(packed), commit)
    with tarfile.open(packed) as archive:
        archive.extractall(folder, filter="data")
    return folder


async def test_cases_of_the_code_before_are_finished_by_the_code_of_today(before: Path, tmp_path: Path) -> None:
    """Whatever stage they were in when the worker was replaced; nothing that was acknowledged then is missing now."""
    async with temporal_server(tmp_path, ui=False) as server:
        database = Database(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}")
        env = {
            "TEMPORAL_ADDRESS": server.address,
            "AFTERCARE_DATABASE": database.url,
            "AFTERCARE_WATCH": "PT12S",
            "AFTERCARE_RESOLVE_WITHIN": "PT25S",
        }
        old = env | {"PYTHONPATH": str(before)}
        async with running("the worker before", sys.executable, str(before / "worker.py"), env=old) as old_worker:
            await old_worker.ready("worker ready")
            program = str(ROOT / "tests" / "upgrade" / "before.py")
            async with running("doors", sys.executable, program, server.address, database.url, env=old) as doors:
                await doors.ready("left open")
            old_worker.kill()
        async with running("the worker of today", sys.executable, str(ROOT / "worker.py"), env=env) as worker:
            await worker.ready("worker ready")
            gateway = Gateway(await connect(server.address), Cases(database))
            async with asyncio.timeout(120):  # a history that does not replay is tried again for ever
                await finish(gateway, again=(before / "aftercare" / "lifecycle" / "digest.py").exists())
                assert {id: (await settled(gateway, id)).outcome for id in EXPECTED} == EXPECTED
        stored = {(id, e.id): e.standing for id in EXPECTED for e in await Cases(database).inbox.of_case(id)}
        await database.close()
    assert {("early", "csat-1"), ("scored", "csat-1"), ("worked-on", "steps-1"), ("watched", "late")} <= {
        name for name, standing in stored.items() if standing == "delivered"
    }
    assert sum(standing == "refused" for standing in stored.values()) == 1


EXPECTED = {
    "early": Outcome.UNCONFIRMED,
    "registered": Outcome.UNCONFIRMED,
    "worked-on": Outcome.ESCALATED,
    "watched": Outcome.UNCONFIRMED,
    "scored": Outcome.UNCONFIRMED,
    "reopened": Outcome.REOPENED,
    "to-override": Outcome.OVERRIDDEN,
}


async def finish(gateway: Gateway, again: bool) -> None:
    """What agents and people do next, by the doors of today.

    `again` sends a message once more: what was sent before digests left out defaults is not known again.
    """
    resolution = Resolution(id="resolution", intent="question")
    await gateway.register(case("early"))
    await gateway.resolve("early", resolution)
    await gateway.resolve("registered", resolution)
    if again:
        await gateway.record_steps("worked-on", Steps(id="steps-1", steps=STEPS))  # asked again: the first receipt
    await gateway.escalate("worked-on", Escalation(id="escalation", reason="too hard"))
    await gateway.resolve("reopened", resolution.model_copy(update={"id": "resolution-2"}))
    override = {
        "id": "override-1",
        "reviewer": "r.meyer",
        "final": {"kind": "nothing_to_do"},
        "corrected_intent": "unchanged",
        "rationale": "Nothing had to be done.",
        "deciding": {"kind": "step", "step": 1},
    }
    await gateway.override("to-override", override)
    await gateway.signal("watched", "feedback", CSAT | {"id": "late"})


async def settled(gateway: Gateway, id: str) -> Settlement:
    settlement: Settlement = await gateway.handle(id).result()
    return settlement
