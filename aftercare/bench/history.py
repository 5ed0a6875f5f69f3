"""`aftercare bench history`: what a case costs in Temporal, and what each message adds, counted on a real server."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from aftercare.demo.agent import Agent
from aftercare.demo.cost import Cost, cost_of
from aftercare.demo.embedded import Place, embedded
from aftercare.demo.recorded.files import read
from aftercare.demo.recorded.format import Recorded
from aftercare.demo.shops import spoken_to
from aftercare.demo.story import CASES, SHOP
from aftercare.gateway import Gateway
from aftercare.messages.case import Step, StepKind, Steps
from aftercare.messages.outcome import Stage

BUDGETS = {"whole": Cost(32, 8, 8_000), "live": Cost(44, 12, 8_000)}
WAITS = {"watch": timedelta(seconds=3), "resolve_within": timedelta(seconds=3), "verify_within": timedelta(seconds=3)}
OVERRIDE: dict[str, Any] = {
    "id": "override-1",
    "reviewer": "bench",
    "final": {"kind": "nothing_to_do"},
    "corrected_intent": "unchanged",
    "rationale": "To see what it costs.",
    "deciding": {"kind": "step", "step": 1},
}


@dataclass(frozen=True)
class Bench:
    """One quiet case, played again and again with a message more."""

    gateway: Gateway
    agent: Agent
    quiet: Recorded

    async def play(self, name: str, reported: str) -> str:
        """The quiet case under a name of its own; gives its id once it is watched."""
        case = self.quiet.case.model_copy(update={"id": f"bench-{name}", "environment": f"bench-{name}"})
        await self.agent.play(self.quiet.model_copy(update={"case": case, "reported": reported}))
        return case.id

    async def watched(self, name: str) -> str:
        id = await self.play(name, "whole")
        while (await self.gateway.snapshot(id)).stage is not Stage.WATCHING:  # noqa: ASYNC110 - in another process
            await asyncio.sleep(0.05)
        return id

    async def cost(self, case_id: str) -> Cost:
        handle = self.gateway.handle(case_id)
        await handle.result()
        return cost_of((await handle.fetch_history()).events)

    async def whole(self) -> Cost:
        return await self.cost(await self.play("whole", "whole"))

    async def live(self) -> Cost:
        return await self.cost(await self.play("live", "live"))

    async def another_batch(self) -> Cost:
        """The quiet case live, with one more batch of steps before its own."""
        id = "bench-another-batch"
        await self.gateway.register(self.quiet.case.model_copy(update={"id": id, "environment": id}))
        step = Step(number=99, kind=StepKind.REASON, name="think")
        await self.gateway.record_steps(id, Steps(id="one-more", steps=(step,)))
        return await self.cost(await self.play("another-batch", "live"))

    async def signalled(self, kind: str, /, **body: Any) -> Cost:
        """Sent as any Temporal SDK sends it: our gateway would refuse some of it before the case ever saw it."""
        id = await self.watched(f"{kind}-{body.get('id', 'refused')}")
        await self.gateway.handle(id).signal(kind, body)
        return await self.cost(id)

    async def overridden(self) -> Cost:
        id = await self.watched("override")
        await self.gateway.override(id, OVERRIDE)
        return await self.cost(id)

    async def followed_up(self) -> Cost:
        """The run of its own that feedback starts after the end."""
        id = await self.play("late", "whole")
        await self.gateway.handle(id).result()
        await self.gateway.signal(id, "feedback", {"id": "late-1", "kind": "csat", "value": 5})
        return await self.cost(id)


ROWS: dict[str, tuple[str | None, Callable[[Bench], Awaitable[Cost]]]] = {
    "whole": (None, Bench.whole),
    "live": (None, Bench.live),
    "+ another batch of steps": ("live", Bench.another_batch),
    "+ feedback": ("whole", lambda b: b.signalled("feedback", id="csat-1", kind="csat", value=5)),
    "+ a second contact": ("whole", lambda b: b.signalled("recontact", id="mail-1")),
    "+ a signal that is refused": ("whole", lambda b: b.signalled("feedback", nothing="here")),
    "+ a reopening nobody answers": ("whole", lambda b: b.signalled("reopen", id="back-1")),
    "+ an override": ("whole", Bench.overridden),
    "feedback after the end (a run of its own)": (None, Bench.followed_up),
}


async def measure(console: Console, quick: bool) -> dict[str, Any]:
    """Play every row, and compare with the budgets. `quick` changes nothing: it takes well under a minute."""
    with tempfile.TemporaryDirectory(prefix="aftercare-bench-") as folder, console.status("Playing cases ..."):
        async with embedded(Path(folder), {"retail": SHOP}, WAITS) as place, spoken_to(place.shops) as shops:
            costs = await _played(place, shops)
    within = {n: all(getattr(costs[n], f) <= getattr(b, f) for f in vars(b)) for n, b in BUDGETS.items()}
    return {
        "rows": {name: vars(cost) for name, cost in costs.items()},
        "marginal": {name: vars(_less(costs[name], costs[base])) for name, (base, _) in ROWS.items() if base},
        "budgets": {name: vars(budget) for name, budget in BUDGETS.items()},
        "within_budget": within,
        "kept": all(within.values()),
    }


async def _played(place: Place, shops: Mapping[str, httpx.AsyncClient]) -> dict[str, Cost]:
    gateway = Gateway(place.client, place.cases)
    quiet = next(c.agent for c in read(CASES) if c.agent.ending == "resolves" and len(c.agent.writes) == 1)
    playing = Bench(gateway, Agent(gateway, shops, tell=lambda **_: None), quiet)
    results = await asyncio.gather(*(row(playing) for _, row in ROWS.values()))
    return dict(zip(ROWS, results, strict=True))


def show(figures: dict[str, Any], console: Console) -> None:
    """The table, with what each message adds."""
    table = Table("A quiet case", title="What a case costs, and what each message adds", title_justify="left")
    for column in ("events", "actions", "bytes"):
        table.add_column(column, justify="right")
        table.add_column("", justify="right")
    for name, cost in figures["rows"].items():
        more = figures["marginal"].get(name, {})
        cells = ((str(cost[f]), f"{more[f]:+}" if more else "") for f in ("events", "actions", "bytes"))
        table.add_row(name, *(cell for pair in cells for cell in pair))
    console.print(table)
    for name, budget in figures["budgets"].items():
        told = "kept" if figures["within_budget"][name] else "[red]missed[/red]"
        console.print(f"budget, {name}: {budget['events']} events, {budget['actions']} actions, 8 kB: {told}")


def _less(cost: Cost, base: Cost) -> Cost:
    return Cost(cost.events - base.events, cost.actions - base.actions, cost.bytes - base.bytes)
