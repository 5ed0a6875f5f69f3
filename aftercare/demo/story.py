"""`aftercare demo`: everything on one machine, the built-in cases told as they settle, and then left running."""

from __future__ import annotations

import asyncio
import signal
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from aftercare.demo.embedded import Place, embedded
from aftercare.demo.recorded.files import read
from aftercare.demo.report import CaseLine, complete, show
from aftercare.demo.run import Wanted, play
from aftercare.demo.telling import COLOURS, what_happened
from aftercare.lifecycle.state import CaseState
from aftercare.messages.outcome import Outcome
from policies.book import PolicyBook, load
from workflows.conventions import case_workflow_id

CASES = Path(__file__).parent / "cases" / "demo_cases.yaml"
SHOP = CASES.with_name("shop.json")
WATCH, DEADLINE = timedelta(seconds=8), timedelta(seconds=6)
WAITS = {"watch": WATCH, "resolve_within": DEADLINE, "verify_within": DEADLINE}
TELLING = (Outcome.OVERRIDDEN, Outcome.FAILED, Outcome.REOPENED, Outcome.ABANDONED)
CORRECTED = 'CaseOutcome="overridden"'
INTERRUPTED = 130

T = TypeVar("T")


async def tell_story(console: Console, once: bool) -> int:
    """The demo from start to end. The exit code says whether all that was to be seen was seen."""
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    with tempfile.TemporaryDirectory(prefix="aftercare-demo-") as folder:
        async with AsyncExitStack() as stack:
            place = await _started(console, stack, Path(folder))
            report = await _unless(stop, _told(console, place))
            if report is None:
                return INTERRUPTED
            await _look_there(console, place, report)
            if not once:
                console.print("\nEverything is left running. [bold]Ctrl-C[/bold] stops it.")
                await stop.wait()
    return 0 if complete(report) and not _unseen(report) else 1


async def _started(console: Console, stack: AsyncExitStack, folder: Path) -> Place:
    console.print("[bold]Aftercare[/bold] follows every case an agent resolves until it is known how it really ended.")
    console.print(
        f"Here a day's watch takes {WATCH.total_seconds():g} seconds, and whatever was promised has "
        f"{DEADLINE.total_seconds():g} to show.\n"
    )
    with console.status("Starting a Temporal server, a shop, a store and a worker, all on this machine ..."):
        place = await stack.enter_async_context(embedded(folder, {"retail": SHOP}, WAITS, ui=True))
    console.print(f"Temporal, a shop, a store and a worker are running; watch along at {place.ui}", soft_wrap=True)
    return place


async def _told(console: Console, place: Place) -> dict[str, Any]:
    titles = {case.agent.case.id: case.title for case in read(CASES)}
    book = load("retail")
    console.print(
        f"An agent takes up {len(titles)} cases; the first settle in about {WATCH.total_seconds() + 2:g} s.\n"
    )

    async def told(line: CaseLine) -> None:
        await _tell_case(console, place, titles[line.case_id], line, book)

    report = await play(Wanted((CASES,), SHOP), place, console, told)
    console.print()
    show(report, console)
    return report


async def _tell_case(console: Console, place: Place, title: str, line: CaseLine, book: PolicyBook) -> None:
    settled = await place.cases.last_settlement(line.case_id)
    if settled is None or line.outcome is None:
        console.print(f"[red]{title}: not settled[/red]")
        return
    state = CaseState.model_validate(settled.state)
    told = Table.grid(Column(width=12), Column())
    told.add_row(Text(line.outcome, COLOURS[line.outcome]), Text(title, "bold"))
    told.add_row("", Text(what_happened(state, line.outcome, book)))
    console.print(told)


async def _look_there(console: Console, place: Place, report: dict[str, Any]) -> None:
    """Where to look, and at what."""
    if unseen := _unseen(report):
        console.print(f"[red]Not seen in this run: {', '.join(unseen)}[/red]")
    workflows = f"{place.ui}/namespaces/{place.client.namespace}/workflows"
    links = {
        "All cases, in Temporal's own UI": workflows,
        f"Those a person corrected: {CORRECTED}": f"{workflows}?query={quote(CORRECTED)}",
    }
    cases = report["per_case"]
    for outcome in TELLING:
        if case := next((c for c in cases if c["outcome"] == outcome), None):
            links[f"{case['case_id']}: {outcome}"] = await _address(place, workflows, case["case_id"])
    console.print("\n[bold]Look around[/bold]")
    for what, where in links.items():
        console.print(f"  {what}\n    [cyan]{where}[/cyan]", soft_wrap=True, highlight=False)
    console.print(
        "\nIn a case, the tab User Metadata tells it in words, as it stands; the tab Timeline shows each wait, and what"
        " was waited for."
    )


async def _address(place: Place, workflows: str, case_id: str) -> str:
    """Where the UI tells a case in words: of its latest run."""
    id = case_workflow_id(case_id)
    latest = await place.client.get_workflow_handle(id).describe()
    return f"{workflows}/{quote(id, safe='')}/{latest.run_id}/user-metadata"


def _unseen(report: dict[str, Any]) -> list[str]:
    return [str(outcome) for outcome in Outcome if str(outcome) not in report["outcomes"]]


async def _unless(stop: asyncio.Event, working: Coroutine[Any, Any, T]) -> T | None:
    """What the work gives, or None when it was told to stop before."""
    work, stopped = asyncio.create_task(working), asyncio.create_task(stop.wait())
    await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if work.done():
        return work.result()
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    return None
