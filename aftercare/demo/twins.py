"""The twins of a run: each case played without faults before its agent acts with them; and then the truth of both."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TypeVar

import httpx
from pydantic import TypeAdapter

from aftercare.demo.faults import Faults
from aftercare.demo.recorded.format import Recorded
from aftercare.demo.shop.messages import FaultPlan, JournalEntry, Ledger
from aftercare.demo.truth import Judged
from aftercare.messages.policy import VerificationResult
from aftercare.store.cases import Cases

AT_ONCE = 8
JOURNAL = TypeAdapter(list[JournalEntry])
T = TypeVar("T")
Shops = Mapping[str, httpx.AsyncClient]


def of_interest(agents: Iterable[Recorded]) -> list[Recorded]:
    """Those whose agent claims what it did: a false claim is found too, and is no fault of the shop."""
    return [recorded for recorded in agents if not recorded.claims_only]


async def plan(agents: Sequence[Recorded], shops: Shops, faults: Faults, within: timedelta) -> None:
    """Play every twin, and plan the faults of its case."""

    async def one(recorded: Recorded) -> None:
        shop, copy = shops[recorded.case.domain], recorded.case.environment
        await _play(recorded, shop)
        operations = JOURNAL.validate_json((await _got(shop, f"/copies/{_twin(copy)}/operations")).content)
        planned = faults.plan(recorded.case.id, operations, within)
        if planned != FaultPlan():
            answer = await shop.put(f"/copies/{copy}/faults", json=planned.model_dump(mode="json"))
            answer.raise_for_status()

    await _each(agents, one)


async def judged(agents: Sequence[Recorded], shops: Shops, cases: Cases) -> list[Judged]:
    """Every case as it really was, beside its twin and what verification said of it."""

    async def one(recorded: Recorded) -> Judged:
        shop, copy = shops[recorded.case.domain], recorded.case.environment
        real, twin = [await _ledger(shop, name) for name in (copy, _twin(copy))]
        return Judged(recorded.case.id, real, twin, await _verification(cases, recorded.case.id))

    return await _each(agents, one)


async def _play(recorded: Recorded, shop: httpx.AsyncClient) -> None:
    copy = _twin(recorded.case.environment)
    for step in recorded.steps:
        if step.number in recorded.writes:
            key = {"Idempotency-Key": f"{recorded.case.id}-{step.number}"}
            await shop.post(f"/copies/{copy}/tools/{step.name}", json=step.input, headers=key)


async def _ledger(shop: httpx.AsyncClient, copy: str) -> Ledger:
    return Ledger.model_validate_json((await _got(shop, f"/copies/{copy}/faults")).content)


async def _verification(cases: Cases, case_id: str) -> VerificationResult | None:
    """Of the first episode: nothing but what the agent claimed."""
    settled = await cases.last_settlement(case_id)
    first = settled.state["episodes"][0] if settled else {}
    told = first.get("verification")
    return VerificationResult.model_validate(told) if told else None


async def _got(shop: httpx.AsyncClient, path: str) -> httpx.Response:
    answer = await shop.get(path)
    answer.raise_for_status()
    return answer


async def _each(agents: Sequence[Recorded], do: Callable[[Recorded], Awaitable[T]]) -> list[T]:
    places = asyncio.Semaphore(AT_ONCE)

    async def one(recorded: Recorded) -> T:
        async with places:
            return await do(recorded)

    return list(await asyncio.gather(*map(one, agents)))


def _twin(copy: str) -> str:
    return f"{copy}~twin"
