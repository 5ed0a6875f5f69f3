"""What doors of the code before did, run with that code: cases in every stage, left open for the code of today.

Run as a program: `python before.py TEMPORAL DATABASE`. Uses only what both have.
"""

from __future__ import annotations

import asyncio
import sys

from aftercare.gateway import Gateway
from aftercare.messages.case import Case, CaseReport, Resolution, Step, StepKind, Steps
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.temporal import connect, run_main

STEPS = tuple(Step(number=n, kind=StepKind.REASON, name=f"thought {n}") for n in (1, 2))
CSAT = {"id": "csat-1", "kind": "csat", "value": 4}


def case(id: str) -> Case:
    """A case that acts on nothing."""
    return Case(id=id, agent="upgrade", domain="retail")


async def main() -> int:
    """Leave each case in a stage of its own."""
    temporal, database = sys.argv[1:]
    gateway = Gateway(await connect(temporal), Cases(Database(database)))
    await gateway.signal("early", "feedback", CSAT)
    await gateway.register(case("registered"))
    await gateway.register(case("worked-on"))
    await gateway.record_steps("worked-on", Steps(id="steps-1", steps=STEPS))
    for id in ("watched", "scored", "reopened", "to-override"):
        resolution = Resolution(id="resolution", intent="question")
        await gateway.report(CaseReport(id="report", case=case(id), steps=STEPS, resolution=resolution))
        while (await gateway.snapshot(id)).stage != "watching":  # noqa: ASYNC110 - in another process
            await asyncio.sleep(0.05)
    await gateway.signal("scored", "feedback", CSAT)
    await gateway.handle("scored").signal("feedback", {"id": "of-no-kind"})
    await gateway.signal("reopened", "reopen", {"id": "back-1"})
    while len((await gateway.snapshot("reopened")).episodes) < 2:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    print("left open", flush=True)
    return 0


if __name__ == "__main__":
    run_main(main())
