"""The customer and the support person of a run, in a process of their own.

They alone may read what came of a recorded case, and only after its resolution: a case's answers are opened when its
name comes in, never before.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import httpx

from aftercare.delivery import NoAnswerYet
from aftercare.demo.client import client_at
from aftercare.demo.processes import say
from aftercare.demo.recorded.files import answers
from aftercare.demo.recorded.format import Afterwards, Correction
from aftercare.demo.shops import from_argument, spoken_to
from aftercare.gateway import Gateway
from aftercare.lifecycle.state import Refused
from aftercare.messages.outcome import Stage
from aftercare.messages.override import Actions, FinalAction
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.temporal import run_main

LOOK_EVERY = 0.2
CONFLICT = 409


class ByHand:
    """A support person at the shop's own screen."""

    def __init__(self, case_id: str, shop: httpx.AsyncClient, reason: str) -> None:
        self._case_id, self._shop, self._reason = case_id, shop, reason

    async def correct(self, correction: Correction, key: str) -> str | None:
        """Put one record right; gives the shop's name for the first operation.

        A record that a fault left otherwise than recorded may not have the place for a correction. Then the person
        corrects what can be corrected, field by field, and says what could not.
        """
        answer = await self._send(correction, key)
        if answer.status_code != CONFLICT:
            answer.raise_for_status()
            return str(answer.json()["operation"])
        if len(correction.fields) == 1:
            reason = answer.json()["detail"]
            say(event="not_corrected", case=self._case_id, record=correction.record, reason=reason)
            return None
        each = (correction.model_copy(update={"fields": {field: v}}) for field, v in correction.fields.items())
        operations = [await self.correct(one, f"{key}.{number}") for number, one in enumerate(each, 1)]
        return next(filter(None, operations), None)

    async def _send(self, correction: Correction, key: str) -> httpx.Response:
        return await self._shop.post(
            f"/copies/{self._case_id}/staff/correct",
            json={**correction.model_dump(mode="json"), "by": "support-1", "reason": self._reason},
            headers={"Idempotency-Key": f"{self._case_id}-correction-{key}"},
        )


class People:
    """Whoever is on the other side of a case."""

    def __init__(self, gateway: Gateway, shops: Mapping[str, httpx.AsyncClient]) -> None:
        self._gateway, self._shops = gateway, shops

    async def respond(self, case_id: str, domain: str, afterwards: Afterwards) -> None:
        """Rate it, ask again, come back, put the records right, and say so, as it went."""
        if afterwards != Afterwards():
            await self._until_watched(case_id)
        if afterwards.csat is not None:
            csat = {"kind": "csat", "value": afterwards.csat, "unit": "of 5", "source": "survey"}
            told = {"comment": afterwards.comment} if afterwards.comment else {}
            await self._signal(case_id, "feedback", f"{case_id}.csat", {**csat, **told})
        if afterwards.asks_again:
            again = {"same_issue": afterwards.asks_again == "same_issue", "reason": afterwards.says}
            await self._signal(case_id, "recontact", f"{case_id}.recontact", again)
        if afterwards.comes_back:
            await self._signal(case_id, "reopen", f"{case_id}.reopen", {"reason": afterwards.says})
        if afterwards.final:
            await self._override(case_id, domain, afterwards)

    async def _override(self, case_id: str, domain: str, afterwards: Afterwards) -> None:
        receipt = await self._correct(case_id, domain, afterwards)
        override = {
            "id": f"{case_id}.override",
            "reviewer": "support-1",
            "final": _final(afterwards.final, receipt),
            "corrected_intent": afterwards.corrected_intent,
            "rationale": afterwards.rationale,
            "deciding": afterwards.deciding.model_dump(mode="json") if afterwards.deciding else None,
        }
        taken = await self._gateway.override(case_id, override)
        say(event="acknowledged", case=case_id, id=taken.id)

    async def _correct(self, case_id: str, domain: str, afterwards: Afterwards) -> str | None:
        """Bring the records to the right state; gives the shop's name for the first operation."""
        by_hand = ByHand(case_id, self._shops[domain], afterwards.rationale[:200])
        operations = [await by_hand.correct(c, str(number)) for number, c in enumerate(afterwards.corrections, 1)]
        return next(filter(None, operations), None)

    async def _until_watched(self, case_id: str) -> None:
        """People notice a case once the agent's own part in it is over, and ask again where nobody answers."""
        while True:
            with suppress(NoAnswerYet):
                if (await self._gateway.snapshot(case_id)).stage in (Stage.WATCHING, Stage.SETTLED):
                    return
            await asyncio.sleep(LOOK_EVERY)

    async def _signal(self, case_id: str, kind: str, id: str, body: dict[str, object]) -> None:
        await self._gateway.signal(case_id, kind, {"id": id, **body})
        say(event="acknowledged", case=case_id, id=id)


def _final(final: FinalAction | None, receipt: str | None) -> dict[str, object] | None:
    if isinstance(final, Actions):
        done = tuple(a.model_copy(update={"receipt": receipt}) for a in final.actions)
        final = final.model_copy(update={"actions": done})
    return final.model_dump(mode="json") if final else None


async def main() -> int:
    """Respond to every case whose name comes in, with its line of business."""
    parser = argparse.ArgumentParser(prog="python -m aftercare.demo.people")
    for name in ("--temporal", "--database"):
        parser.add_argument(name, required=True)
    parser.add_argument("--shop", action="append", type=from_argument, default=[], metavar="DOMAIN=ADDRESS")
    parser.add_argument("files", nargs="+", type=Path)
    wanted = parser.parse_args()
    database = Database(wanted.database)
    async with spoken_to(dict(wanted.shop)) as shops:
        people = People(Gateway(await client_at(wanted.temporal), Cases(database)), shops)

        async def respond(case_id: str, domain: str) -> None:
            try:
                await people.respond(case_id, domain, answers(wanted.files, case_id))
                say(event="responded", case=case_id)
            except Refused as refused:
                say(event="refused", case=case_id, reasons=refused.reasons)

        async with asyncio.TaskGroup() as tasks:
            while line := await asyncio.to_thread(sys.stdin.readline):
                told = json.loads(line)
                tasks.create_task(respond(told["case"], told["domain"]))
    await database.close()
    return 0


if __name__ == "__main__":
    run_main(main())
