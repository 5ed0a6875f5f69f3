"""`aftercare bench chaos`: evidence in every bad order, while worker and Temporal are killed; then a count."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from aftercare.bench.counting import Counted, counted
from aftercare.bench.through_api import ThroughApi
from aftercare.delivery import NoAnswerYet
from aftercare.demo.embedded import Place, embedded
from aftercare.gateway import Gateway
from aftercare.lifecycle.intake import digest_in_inbox
from aftercare.lifecycle.state import Refused
from aftercare.messages.case import Case, Receipt, Resolution, Step, StepKind, Steps
from aftercare.store.inbox import message_row

WAITS = {"watch": timedelta(seconds=2), "resolve_within": timedelta(seconds=20), "verify_within": timedelta(seconds=2)}
AT_ONCE = 24
SETTLING = timedelta(minutes=4)

WITHOUT_API = ("worker", "worker", "temporal", "both")
THROUGH_API = ("worker", "temporal", "api", "all")

Sending = Callable[[], Awaitable[Receipt]]


@dataclass
class Sent:
    """What was sent, and what was heard in answer: by case and id."""

    sent: dict[tuple[str, str], str] = field(default_factory=dict)
    acknowledged: set[tuple[str, str]] = field(default_factory=set)
    refused: set[tuple[str, str]] = field(default_factory=set)
    steps: Counter[str] = field(default_factory=Counter)
    pieces: int = 0
    asked_again: int = 0
    kills: Counter[str] = field(default_factory=Counter)


class Chaos:
    """Agents, customers and people who send whatever they have whenever they like, until they are answered."""

    def __init__(self, place: Place, seed: int, heard: Sent) -> None:
        self._gateway: Gateway | ThroughApi = Gateway(place.client, place.cases)
        if place.api:
            self._gateway = ThroughApi(place.api_address)
        self._inbox = place.cases.inbox
        self._seed, self._heard = seed, heard

    async def play(self, number: int) -> None:
        """One case: early evidence beside its registration, steps and resolution, evidence in time and late."""
        id, die = f"chaos-{number}", random.Random(f"{self._seed}-{number}")  # noqa: S311 - a die, not a secret
        case = Case(id=id, agent="chaos", domain="retail")
        early = [self._feedback(id, f"early-{n}", die) for n in range(die.randint(0, 2))]
        registering = self._twice(id, "registration", lambda: self._gateway.register(case), die)
        await asyncio.gather(registering, *early)
        hasty = [self._override(id, "override-0", die)] if die.random() < 0.2 else []
        await asyncio.gather(*(self._steps(id, n, die) for n in (1, 2)), *hasty)
        resolution = Resolution(id="resolution", intent="question")
        await self._twice(id, "resolution", lambda: self._gateway.resolve(id, resolution), die)
        await asyncio.gather(*self._afterwards(id, die))

    def _afterwards(self, id: str, die: random.Random) -> list[Awaitable[None]]:
        feedback = [self._feedback(id, f"csat-{n}", die, late=die.choice((0, 1, 3, 8))) for n in range(5)]
        others: list[Awaitable[None]] = [self._evidence(id, "recontact", {"id": "mail-1"}, die, die.choice((0, 2, 6)))]
        if die.random() < 0.4:
            others.append(self._evidence(id, "reopen", {"id": "back-1", "reason": "again"}, die, die.choice((0, 4, 9))))
        if die.random() < 0.5:
            others.append(self._override(id, "override-1", die, die.choice((0, 1, 7))))
        return [*feedback, *others]

    async def _steps(self, id: str, batch: int, die: random.Random) -> None:
        """Two batches, on their way at the same time."""
        numbers = range(batch * 10, batch * 10 + die.randint(1, 6))
        steps = tuple(Step(number=n, kind=StepKind.REASON, name=f"thought {n}") for n in numbers)
        brought = Steps(id=f"steps-{batch}", steps=steps)
        await self._twice(id, brought.id, lambda: self._gateway.record_steps(id, brought), die)
        if (id, brought.id) in self._heard.acknowledged:
            self._heard.steps[id] += len(steps)

    async def _feedback(self, id: str, name: str, die: random.Random, late: float = 0) -> None:
        await self._evidence(id, "feedback", {"id": name, "kind": "csat", "value": die.randint(1, 5)}, die, late)

    async def _override(self, id: str, name: str, die: random.Random, late: float = 0) -> None:
        """Refused where the agent has not decided anything yet."""
        override = {
            "id": name,
            "reviewer": "r.meyer",
            "final": {"kind": "nothing_to_do"},
            "corrected_intent": "unchanged",
            "rationale": "Nothing had to be done.",
            "deciding": {"kind": "clause", "clause": "general.1"},
        }
        await self._twice(id, name, lambda: self._gateway.override(id, override), die, late)

    async def _evidence(self, id: str, kind: str, body: dict[str, Any], die: random.Random, late: float) -> None:
        if die.random() < 0.1:
            await asyncio.sleep(late)
            await self._door_dies(id, kind, body)
        else:
            await self._twice(id, body["id"], lambda: self._gateway.signal(id, kind, body), die, late)

    async def _door_dies(self, id: str, kind: str, body: dict[str, Any]) -> None:
        """A door that is killed between its commit and its delivery: the sweeper has to do the rest."""
        self._sent(id, body["id"])
        await self._inbox.hold(message_row(id, body["id"], kind, body, digest_in_inbox(kind, body), datetime.now(UTC)))
        self._heard.acknowledged.add((id, body["id"]))

    async def _twice(self, id: str, name: str, sending: Sending, die: random.Random, late: float = 0) -> None:
        """One in five is sent twice at once, as a client does that lost patience."""
        again = die.random() < 0.2
        await asyncio.sleep(late + die.random())
        await asyncio.gather(*(self._until_answered(id, name, sending) for _ in range(1 + again)))

    async def _until_answered(self, id: str, name: str, sending: Sending) -> None:
        self._sent(id, name)
        while True:
            try:
                await sending()
                self._heard.acknowledged.add((id, name))
                return
            except Refused:
                self._heard.refused.add((id, name))
                return
            except NoAnswerYet:
                self._heard.asked_again += 1
                await asyncio.sleep(0.3)

    def _sent(self, id: str, name: str) -> None:
        self._heard.sent[id, name] = name
        self._heard.pieces += 1


async def measure(console: Console, quick: bool, seed: int = 1, by: str = "gateway") -> dict[str, Any]:
    """Send, kill, wait until everything has settled, and count. `by` the gateway, or by the HTTP `api`."""
    pieces, kills = (500, 5) if quick else (6_000, 32)
    heard = Sent()
    with tempfile.TemporaryDirectory(prefix="aftercare-chaos-") as folder:
        async with embedded(Path(folder), {}, WAITS, api=by == "api") as place:
            async with _killing(place, heard, pieces / kills, kills, seed):
                await _sending(Chaos(place, seed, heard), heard, pieces, console)
            with console.status("Waiting until every case has settled ..."):
                count = await _settled_and_counted(place, heard)
    return {
        "by": by,
        "pieces": heard.pieces,
        "different": len(heard.sent),
        "acknowledged": len(heard.acknowledged),
        "refused": len(heard.refused),
        "asked_again": heard.asked_again,
        "kills": dict(heard.kills),
        **vars(count),
        "kept": count.nothing_wrong and heard.pieces >= pieces and sum(heard.kills.values()) >= kills,
        "seed": seed,
    }


async def _sending(chaos: Chaos, heard: Sent, pieces: int, console: Console) -> None:
    """Cases, some at a time, until enough was sent."""
    places = asyncio.Semaphore(AT_ONCE)
    with Progress(console=console) as progress:
        bar = progress.add_task("pieces sent", total=pieces)

        async def one(number: int) -> None:
            async with places:
                if heard.pieces < pieces:
                    await chaos.play(number)
                    progress.update(bar, completed=heard.pieces)

        await asyncio.gather(*(one(n) for n in range(pieces // 6)))


@asynccontextmanager
async def _killing(place: Place, heard: Sent, every: float, kills: int, seed: int) -> AsyncIterator[None]:
    """SIGKILL for the worker, for Temporal, for the API, or for all, whenever so many more pieces were sent."""

    async def kill() -> None:
        die = random.Random(seed)  # noqa: S311 - a die, not a secret
        for number in range(1, kills + 1):
            while heard.pieces < number * every * 0.95 - every / 2:  # noqa: ASYNC110 - a count, not an event
                await asyncio.sleep(0.05)
            which = die.choice(THROUGH_API if place.api else WITHOUT_API)
            heard.kills[which] += 1
            for name, child in (("worker", place.worker), ("temporal", place.server), ("api", place.api)):
                if child and which in (name, "both", "all"):
                    child.kill()
            await asyncio.sleep(die.uniform(0.5, 2))

    killing = asyncio.create_task(kill())
    yield
    await killing


async def _settled_and_counted(place: Place, heard: Sent) -> Counted:
    """Count until nothing is left to wait for, or the patience is over."""
    until = datetime.now(UTC) + SETTLING
    while True:
        count = await counted(place, heard.sent, heard.acknowledged, heard.steps)
        if not count.waiting or datetime.now(UTC) > until:
            return count
        await asyncio.sleep(2)


def show(figures: dict[str, Any], console: Console) -> None:
    """What was sent, what was killed, and what is missing."""
    table = Table("", "", show_header=False, box=None)
    kills = ", ".join(f"{number} {name}" for name, number in figures["kills"].items())
    table.add_row("by", f"the {figures['by'].replace('api', 'HTTP API')}")
    table.add_row("sent", f"{figures['pieces']} pieces, {figures['different']} different, in {figures['cases']} cases")
    table.add_row("killed", f"{sum(figures['kills'].values())} times: {kills}")
    table.add_row("asked again", f"{figures['asked_again']} times, where Temporal gave no answer")
    table.add_row("acknowledged", f"{figures['acknowledged']}, refused {figures['refused']}")
    table.add_row("inbox", ", ".join(f"{number} {name}" for name, number in figures["standings"].items()))
    for name, what in (
        ("lost", "acknowledged and not stored"),
        ("twice", "taken in more than once"),
        ("never_sent", "stored and never sent"),
        ("steps_wrong", "cases with steps missing or too many"),
        ("waiting", "cases or messages still waiting"),
    ):
        wrong = figures[name]
        table.add_row(
            name.replace("_", " "), f"{'[red]' if wrong else ''}{len(wrong)}{'[/red]' if wrong else ''}  {what}"
        )
    console.print(table)
    console.print("nothing lost, nothing doubled" if figures["kept"] else "[red]the promise was not kept[/red]")
