"""The command line."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console

from aftercare import __doc__ as purpose
from aftercare.temporal import run_main

app = App(name="aftercare", help=purpose, version="0.1.0", help_format="rst")
policy = App(name="policy", help="Look at the policy books.")
bench = App(name="bench", help="Measure; every figure beside its bar. Exit code 1 where a bar is missed.")
app.command(policy)
app.command(bench)


@app.command
async def run(
    *files: Path,
    embedded: bool = False,
    watch: timedelta | None = None,
    deadline: timedelta | None = None,
    limit: Annotated[int | None, Parameter(help="Only the first so many cases of each file.")] = None,
    concurrency: int = 8,
    report: Path | None = None,
    shop_data: Path | None = None,
) -> int:
    """Play recorded cases through the real workflows, and report what became of them.

    Parameters
    ----------
    files
        Recorded cases: our own JSONL (docs/recorded-cases.md) or tau-bench's, plain or gzipped.
    embedded
        Start a Temporal, a worker, a store and a shop of the run's own, and end them afterwards.
    watch
        How long a case is watched after its resolution; 3s unless told otherwise. Only with --embedded: elsewhere
        the worker's policy book decides.
    deadline
        How long the agent may be silent, and how long effects may take to show; 20s unless told otherwise.
    concurrency
        How many cases the agent works on at a time.
    report
        Also write the report as JSON to this file.
    shop_data
        The shop's database at the start of every case. By default the one beside the first file.
    """
    from aftercare.demo.processes import ChildFailed
    from aftercare.demo.report import complete, show
    from aftercare.demo.run import BadRun, Wanted, run_at_settings, run_embedded, shop_data_of, write

    console = Console()
    try:
        wanted = Wanted(files, shop_data or shop_data_of(files), watch, deadline, limit, concurrency)
        result = await (run_embedded if embedded else run_at_settings)(wanted, console)
    except (BadRun, ChildFailed) as error:
        console.print(f"[red]{error}[/red]")
        return 2
    show(result, console)
    if report:
        write(result, report)
    return 0 if complete(result) else 1


@app.command
async def demo(once: Annotated[bool, Parameter(negative=())] = False) -> int:
    """Show what Aftercare does: a shop, an agent, about twenty cases, told as a story; then left running.

    Parameters
    ----------
    once
        End when the story is told, instead of leaving everything running until Ctrl-C.
    """
    from aftercare.demo.processes import ChildFailed
    from aftercare.demo.story import tell_story

    console = Console()
    try:
        return await tell_story(console, once)
    except ChildFailed as error:
        console.print(f"[red]{error}[/red]")
        return 2


@policy.command(name="check")
def policy_check(folder: Path | None = None) -> int:
    """Check every policy book: its files, its rules, and its worked examples."""
    from aftercare.policy_check import check

    return check(folder, Console())


@bench.command(name="history")
async def bench_history(json: Path | None = None, quick: Annotated[bool, Parameter(negative=())] = False) -> int:
    """What a case costs in history events, billable actions and bytes, and what each message adds.

    Parameters
    ----------
    json
        Also write the figures to this file.
    quick
        The same: it takes well under a minute.
    """
    from aftercare.demo.bench_history import bench as measure
    from aftercare.demo.bench_history import show
    from aftercare.demo.run import write

    console = Console()
    figures = await measure(console)
    show(figures, console)
    if json:
        write(figures, json)
    return 0 if all(figures["within_budget"].values()) else 1


def main() -> None:
    """Run a command and leave with its true exit code."""

    async def command() -> int:
        result = await app.run_async(sys.argv[1:], exit_on_error=True, result_action="return_value")
        return result if isinstance(result, int) else 0

    run_main(command())
