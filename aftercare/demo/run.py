"""`aftercare run`: recorded cases played through the real workflows by an agent, a customer and a support person."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from temporalio.client import WorkflowFailureError, WorkflowHandle

from aftercare.demo import twins
from aftercare.demo.client import client_at
from aftercare.demo.cost import cost_of
from aftercare.demo.embedded import Place, embedded
from aftercare.demo.faults import Faults
from aftercare.demo.processes import Child, ChildFailed, python, running
from aftercare.demo.recorded.files import BadRecording, read
from aftercare.demo.recorded.format import Recorded
from aftercare.demo.report import CaseLine, FindingLine, report_of
from aftercare.demo.score import score
from aftercare.demo.shops import SYSTEMS, as_arguments, data_beside, shop_addresses, spoken_to
from aftercare.lifecycle.intake import EVIDENCE
from aftercare.messages.outcome import Settlement
from aftercare.settings import Settings
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.temporal import LOCAL

WATCH = timedelta(seconds=3)
DEADLINE = timedelta(seconds=20)


Told = Callable[[CaseLine], Awaitable[None]]
Follow = Callable[[Recorded], Awaitable[CaseLine]]


class BadRun(ValueError):
    """A run that cannot be played as it was asked for, and what to do."""


@dataclass(frozen=True)
class Wanted:
    """What to play, and how. Without `shop_data`, each shop begins with the database beside its first file."""

    files: tuple[Path, ...]
    shop_data: Path | None = None
    watch: timedelta | None = None
    deadline: timedelta | None = None
    limit: int | None = None
    concurrency: int = 8
    faults: Faults | None = None


@dataclass
class Heard:
    """What the children said: what was acknowledged, what was refused, who has been responded to."""

    acknowledged: set[tuple[str, str]] = field(default_factory=set)
    refused: dict[str, list[str]] = field(default_factory=dict)
    responded: dict[str, asyncio.Event] = field(default_factory=dict)
    not_corrected: list[dict[str, str]] = field(default_factory=list)

    def take(self, event: dict[str, Any]) -> None:
        case = event["case"]
        if event["event"] == "acknowledged":
            self.acknowledged.add((case, event["id"]))
            return
        if event["event"] == "not_corrected":
            self.not_corrected.append({"case_id": case, "record": event["record"], "reason": event["reason"]})
        if event["event"] == "refused":
            self.refused[case] = event["reasons"]
        if event["event"] in ("responded", "refused"):
            self.responded[case].set()


async def run_embedded(wanted: Wanted, console: Console) -> dict[str, Any]:
    """Play the files on an embedded Temporal with a worker, a store and shops of its own."""
    deadline = wanted.deadline or DEADLINE
    waits = {"watch": wanted.watch or WATCH, "resolve_within": deadline, "verify_within": deadline}
    data = shop_data(wanted, check(wanted))
    with tempfile.TemporaryDirectory(prefix="aftercare-run-") as folder:
        async with embedded(Path(folder), data, waits) as place:
            return await play(wanted, place, console)


async def run_at_settings(wanted: Wanted, console: Console) -> dict[str, Any]:
    """Play the files on the Temporal, the store and the shops of the settings, where a worker is running."""
    if wanted.watch or wanted.deadline:
        raise BadRun("--watch and --deadline go with --embedded; a running worker waits as its policy book says")
    if wanted.faults:
        raise BadRun("--faults goes with --embedded: only the run's own shops have faults on demand")
    played, settings = check(wanted), Settings()
    shops = shop_addresses(settings.systems)
    if missing := [SYSTEMS[domain] for domain in played if domain not in shops]:
        told = f'AFTERCARE_SYSTEMS names no "{missing[0]}" for the agent to act on'
        raise BadRun(f"{told}; set it, or run with --embedded")
    store = Database(settings.database_url)
    address = os.environ.get("TEMPORAL_ADDRESS", LOCAL)
    try:
        place = Place(
            client=await client_at(),
            cases=Cases(store),
            temporal=address,
            database=settings.database_url,
            shops=shops,
        )
        return await play(wanted, place, console)
    except RuntimeError as error:
        raise BadRun(f"Temporal does not answer at {address}; start it, or run with --embedded ({error})") from error
    finally:
        await store.close()


def check(wanted: Wanted) -> dict[str, Path]:
    """Every file is there and can be read to its end, before anything is started. Raises BadRun.

    Gives the lines of business that are played, each with the first file that has a case of it.
    """
    if not wanted.files:
        raise BadRun("name at least one file of recorded cases")
    _must_be_there(*wanted.files)
    try:
        cases = [(case.agent.case, path) for path in wanted.files for case in read(path, wanted.limit)]
    except (BadRecording, OSError, EOFError) as error:
        raise BadRun(str(error)) from error
    ids = Counter(case.id for case, _ in cases)
    if twice := [id for id, number in ids.items() if number > 1]:
        raise BadRun(f"case ids must be unique; {twice[0]!r} comes {ids[twice[0]]} times")
    if wanted.faults and len({(case.domain, case.environment) for case, _ in cases}) < len(cases):
        raise BadRun("with --faults every case needs a copy of the shop of its own: name it in `case.environment`")
    played = {case.domain: path for case, path in reversed(cases)}
    if strange := sorted(played.keys() - SYSTEMS):
        raise BadRun(f"there is no shop for the domain {strange[0]!r}; there are {', '.join(SYSTEMS)}")
    return played


def shop_data(wanted: Wanted, played: Mapping[str, Path]) -> dict[str, Path]:
    """What the shop of each line of business begins with: what was named, or what lies beside its first file."""
    if wanted.shop_data and len(played) > 1:
        raise BadRun(f"--shop-data is for cases of one domain, and these are of {', '.join(sorted(played))}")
    data = {}
    for domain, path in played.items():
        found = wanted.shop_data or data_beside(path)
        if found is None:
            raise BadRun(f"no database can be looked for beside {path}; name it with --shop-data")
        data[domain] = found
    _must_be_there(*data.values())
    return data


def _must_be_there(*paths: Path) -> None:
    for path in paths:
        if not path.is_file():
            raise BadRun(f"there is no file {path}")


async def play(wanted: Wanted, place: Place, console: Console, told: Told | None = None) -> dict[str, Any]:
    """Play the files at a place, wait for every case to settle, and report. `told` hears of each as it settles."""
    agents = [case.agent for path in wanted.files for case in read(path, wanted.limit)]
    if wanted.faults:
        await _plan_faults(agents, place, wanted.faults, wanted.deadline or DEADLINE)
    heard = Heard(responded={a.case.id: asyncio.Event() for a in agents})
    async with _players(wanted, place) as players:
        with _progress(console) as progress:
            bar = progress.add_task("cases settled", total=len(agents))

            async def follow(recorded: Recorded) -> CaseLine:
                line = await _settled(recorded, place, heard)
                if told:
                    await told(line)
                progress.advance(bar)
                return line

            lines = await _all_settled(agents, follow, players, heard)
    stored = {(a.case.id, e.id) for a in agents for e in await place.cases.inbox.of_case(a.case.id) if e.accepted}
    report: dict[str, Any] = report_of(lines, heard.acknowledged, stored)
    if wanted.faults:
        report["faults"] = await _scored(agents, place, wanted.faults)
    unusual = {"refused": heard.refused, "not_corrected": heard.not_corrected}
    return {**report, **{name: what for name, what in unusual.items() if what}}


async def _plan_faults(agents: Sequence[Recorded], place: Place, faults: Faults, within: timedelta) -> None:
    async with spoken_to(place.shops) as shops:
        await twins.plan(twins.of_interest(agents), shops, faults, within)


async def _scored(agents: Sequence[Recorded], place: Place, faults: Faults) -> dict[str, Any]:
    async with spoken_to(place.shops) as shops:
        return score(await twins.judged(twins.of_interest(agents), shops, place.cases), faults)


async def _all_settled(
    agents: Sequence[Recorded], follow: Follow, players: tuple[Child, Child], heard: Heard
) -> list[CaseLine]:
    """Let the players play, and hear them out. Raises ChildFailed where one ends before every case has settled."""
    agent, people = players
    listening = [asyncio.create_task(ear) for ear in (_listen_to_agent(agent, people, heard), _listen(people, heard))]
    feeding = asyncio.create_task(_feed(agent, agents))
    following = asyncio.gather(*map(follow, agents))
    either: list[asyncio.Future[Any]] = [following, *listening]
    try:
        done, _ = await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if following not in done:
            raise ChildFailed("the agent's or the people's process ended before every case had settled")
        lines = following.result()
        agent.no_more()
        people.no_more()
        await asyncio.gather(feeding, *listening)
        return lines
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


@asynccontextmanager
async def _players(wanted: Wanted, place: Place) -> AsyncIterator[tuple[Child, Child]]:
    at = ("--temporal", place.temporal, "--database", place.database, *as_arguments(place.shops))
    agent = python("aftercare.demo.agent", *at, "--concurrency", str(wanted.concurrency))
    people = python("aftercare.demo.people", *at, *map(str, wanted.files))
    async with running("agent", *agent) as first, running("people", *people) as second:
        yield first, second


async def _feed(agent: Child, agents: Sequence[Recorded]) -> None:
    """The agent gets what it did itself, and nothing of what came of it."""
    for recorded in agents:
        await agent.tell(recorded.model_dump(mode="json"))


async def _listen_to_agent(agent: Child, people: Child, heard: Heard) -> None:
    """People hear of a case when the agent has reported its end, and not before."""
    async for event in agent.events():
        if event["event"] == "reported":
            if event["ending"] == "falls_silent":
                heard.responded[event["case"]].set()
            else:
                await people.tell({"case": event["case"], "domain": event["domain"]})
        else:
            heard.take(event)


async def _listen(people: Child, heard: Heard) -> None:
    async for event in people.events():
        heard.take(event)


async def _settled(recorded: Recorded, place: Place, heard: Heard) -> CaseLine:
    """Wait until people have responded and no run of the case is open, then read what became of it."""
    case_id = recorded.case.id
    await heard.responded[case_id].wait()
    handle: WorkflowHandle[Any, Any] = place.client.get_workflow_handle(f"case/{case_id}", result_type=Settlement)
    try:
        settlement: Settlement = await handle.result()
    except WorkflowFailureError:
        settlement = Settlement(case_id=case_id, outcome=None)  # told in the report, and by the exit code
    latest = await place.cases.last_settlement(case_id)
    episodes = latest.state["episodes"] if latest else []
    by_person = [e for e in episodes if e["handled_by"] == "human"]
    runs = [r async for r in place.client.list_workflows(f'WorkflowId = "case/{case_id}"')]
    cost = cost_of((await handle.fetch_history()).events)
    return CaseLine(
        case_id=case_id,
        outcome=settlement.outcome if latest else None,
        reported=recorded.reported,
        resolved=any(e["number"] == 1 and e["ending"] == "resolved" for e in episodes),
        verification=settlement.verification,
        policy_verdict=settlement.policy_verdict,
        correction=by_person[-1]["verification"]["status"] if by_person else None,
        findings=await _findings(place.cases, case_id),
        overrides=settlement.overrides,
        reopens=settlement.reopens,
        events=cost.events,
        actions=cost.actions,
        bytes=cost.bytes,
        runs=max(len(runs), 1),
        came_in=sum(e.kind in EVIDENCE for e in await place.cases.inbox.of_case(case_id)),
    )


async def _findings(cases: Cases, case_id: str) -> tuple[FindingLine, ...]:
    return tuple(
        FindingLine(rule=f.rule, clause=f.clause, verdict=f.verdict, step=f.step) for f in await cases.findings(case_id)
    )


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console)


def write(report: dict[str, Any], path: Path) -> None:
    """Keep the report for machines."""
    path.write_text(json.dumps(report, indent=1, default=str) + "\n", "utf-8")
