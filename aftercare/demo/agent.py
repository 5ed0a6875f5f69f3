"""The agent of a run, in a process of its own: it does what a recorded agent did, and knows no more than that one.

Reads recorded cases from its input, a line each; performs the writes on the case's own copy of the shop; reports
live or whole. Says on its output what was acknowledged.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping

import httpx

from aftercare.demo.client import client_at
from aftercare.demo.processes import say
from aftercare.demo.recorded.format import Recorded
from aftercare.demo.shops import from_argument, spoken_to
from aftercare.gateway import Gateway
from aftercare.lifecycle.state import Refused
from aftercare.messages.case import Action, CaseReport, Escalation, Receipt, Resolution, Step, Steps
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.temporal import run_main

BATCH = 100


class Agent:
    """Plays recorded cases through the gateway, each on the shop of its line of business."""

    def __init__(
        self, gateway: Gateway, shops: Mapping[str, httpx.AsyncClient], tell: Callable[..., None] = say
    ) -> None:
        self._gateway, self._shops, self._tell = gateway, shops, tell

    async def play(self, recorded: Recorded) -> None:
        """One case, from first contact to what the agent made of it."""
        if recorded.reported == "whole":
            await self._whole(recorded)
        else:
            await self._live(recorded)
        self._tell(event="reported", case=recorded.case.id, domain=recorded.case.domain, ending=recorded.ending)

    async def _live(self, recorded: Recorded) -> None:
        id = recorded.case.id
        await self._acknowledged(self._gateway.register(recorded.case))
        steps = await self._act(recorded)
        for number, first in enumerate(range(0, len(steps), BATCH), 1):
            batch = Steps(id=f"{id}.steps-{number}", steps=tuple(steps[first : first + BATCH]))
            await self._acknowledged(self._gateway.record_steps(id, batch))
        if recorded.ending == "resolves":
            await self._acknowledged(self._gateway.resolve(id, _resolution(recorded, steps)))
        elif recorded.ending == "escalates":
            await self._acknowledged(self._gateway.escalate(id, _escalation(recorded, steps)))

    async def _whole(self, recorded: Recorded) -> None:
        steps = await self._act(recorded)
        resolves = recorded.ending == "resolves"
        report = CaseReport(
            id=f"{recorded.case.id}.report",
            case=recorded.case,
            steps=tuple(steps),
            resolution=_resolution(recorded, steps) if resolves else None,
            escalation=None if resolves else _escalation(recorded, steps),
        )
        await self._acknowledged(self._gateway.report(report))

    async def _act(self, recorded: Recorded) -> list[Step]:
        """Perform the writes, in order; each keeps the receipt that the shop gave for it."""
        return [await self._take(recorded, s) if s.number in recorded.writes else s for s in recorded.steps]

    async def _take(self, recorded: Recorded, step: Step) -> Step:
        answer = await self._shops[recorded.case.domain].post(
            f"/copies/{recorded.case.environment}/tools/{step.name}",
            json=step.input,
            headers={"Idempotency-Key": f"{recorded.case.id}-{step.number}"},
        )
        return step.model_copy(update={"receipt": answer.json().get("operation")})

    async def _acknowledged(self, sending: Awaitable[Receipt]) -> None:
        receipt = await sending
        self._tell(event="acknowledged", case=receipt.case_id, id=receipt.id)


def claimed(recorded: Recorded, steps: list[Step]) -> tuple[Action, ...]:
    """What the agent says it did: its writes that were not refused, and whatever else it claims."""
    return tuple(
        Action(name=s.name, arguments=s.input, step=s.number, receipt=s.receipt)
        for s in steps
        if s.number in recorded.claims_only or (s.number in recorded.writes and s.error is None)
    )


def attempted(recorded: Recorded) -> str:
    """The agent's intent, as far as it shows: the last write it attempted or claims, else the case's own."""
    acts = {*recorded.writes, *recorded.claims_only}
    return next((s.name for s in reversed(recorded.steps) if s.number in acts), recorded.case.intent)


def _resolution(recorded: Recorded, steps: list[Step]) -> Resolution:
    return Resolution(
        id=f"{recorded.case.id}.resolution",
        intent=attempted(recorded),
        confidence=recorded.confidence,
        actions=claimed(recorded, steps),
    )


def _escalation(recorded: Recorded, steps: list[Step]) -> Escalation:
    return Escalation(
        id=f"{recorded.case.id}.escalation",
        reason=recorded.reason or "The agent handed over.",
        intent=attempted(recorded),
        confidence=recorded.confidence,
        actions=claimed(recorded, steps),
    )


async def main() -> int:
    """Play every case that comes in, so many at a time."""
    parser = argparse.ArgumentParser(prog="python -m aftercare.demo.agent")
    for name in ("--temporal", "--database"):
        parser.add_argument(name, required=True)
    parser.add_argument("--shop", action="append", type=from_argument, default=[], metavar="DOMAIN=ADDRESS")
    parser.add_argument("--concurrency", type=int, default=8)
    wanted = parser.parse_args()
    database = Database(wanted.database)
    async with spoken_to(dict(wanted.shop)) as shops:
        agent = Agent(Gateway(await client_at(wanted.temporal), Cases(database)), shops)
        places = asyncio.Semaphore(wanted.concurrency)

        async def play(line: str) -> None:
            recorded = Recorded.model_validate_json(line)
            async with places:
                try:
                    await agent.play(recorded)
                except Refused as refused:
                    say(event="refused", case=recorded.case.id, reasons=refused.reasons)

        async with asyncio.TaskGroup() as tasks:
            while line := await asyncio.to_thread(sys.stdin.readline):
                tasks.create_task(play(line))
    await database.close()
    return 0


if __name__ == "__main__":
    run_main(main())
