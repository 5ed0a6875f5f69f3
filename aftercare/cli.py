"""The command line."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from cyclopts import App, CycloptsError, Parameter, validators
from rich.console import Console

from aftercare import __doc__ as purpose
from aftercare.temporal import run_main

app = App(name="aftercare", help=purpose, version="0.1.0", help_format="rst")
ANSWER_IN_JSON = ("case", "policy", "doctor", "codec", "report", "import", "erase", "review", "trigger")
# Named by path, so that what they need is imported only when they are asked for.
app.command("aftercare.commands.case:case", name="case", help="Report a case, correct it, look at it.")
app.command("aftercare.commands.policy:policy", name="policy", help="Check, explain and replay the policy books.")
app.command("aftercare.commands.trigger:trigger", name="trigger", help="What starts improvements: look, try, fire.")
app.command("aftercare.commands.codec:codec", name="codec", help="Make keys that encrypt Temporal's histories.")
app.command("aftercare.commands.api:api", name="api", help="Serve the HTTP API.")
app.command("aftercare.commands.key:key", name="key", help="Make, list and revoke API keys.")
app.command("aftercare.commands.report:report", name="report", help="Figures, each with an interval; and comparisons.")
app.command("aftercare.commands.importing:importing", name="import", help="Import the time before, to compare with it.")
app.command("aftercare.commands.review:review", name="review", help="List, show and decide what people are to judge.")
app.command("aftercare.commands.erase:erase", name="erase", help="Erase a customer's every trace.")
app.command("aftercare.commands.doctor:doctor", name="doctor", help="Say what is reachable, and what to do where not.")
app.command("aftercare.bench.commands:bench", name="bench", help="Measure; every figure beside its bar.")


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
    faults: str | None = None,
    seed: int = 1,
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
        The shop's database at the start of every case, where all are of one domain. By default the one beside the
        first file of each domain.
    faults
        Faults in the shops, by kind and share: drop=0.15,wrong=0.15,eventual=0.1 of the writes, slow=0.1,down=0.05 of
        the cases (docs/faults.md). Only with --embedded. Exit code 1 where one is missed or found where there is none.
    seed
        Which faults are drawn: the same for the same seed.
    """
    from aftercare.codec import BadKeys
    from aftercare.demo.faults import BadFaults, drawn
    from aftercare.demo.processes import ChildFailed
    from aftercare.demo.report import complete, show
    from aftercare.demo.run import BadRun, Wanted, run_at_settings, run_embedded, write

    console = Console()
    try:
        rates = drawn(faults, seed) if faults is not None else None
        wanted = Wanted(files, shop_data, watch, deadline, limit, concurrency, rates)
        result = await (run_embedded if embedded else run_at_settings)(wanted, console)
    except (BadRun, BadFaults, BadKeys, ChildFailed) as error:
        console.print(f"[red]{error}[/red]")
        return 2
    show(result, console)
    if report:
        write(result, report)
    return 0 if complete(result) else 1


@app.command
async def dev(port: Annotated[int, Parameter(validator=validators.Number(gte=0, lte=65535))] = 0) -> int:
    """Everything on this machine, kept between starts: Temporal with its UI, a store, a worker, and the HTTP API.

    Parameters
    ----------
    port
        The API's port; 8080 unless told otherwise, or another where that is taken.
    """
    from aftercare.demo.dev import develop
    from aftercare.demo.processes import ChildFailed

    console = Console()
    try:
        return await develop(console, port)
    except ChildFailed as error:
        console.print(f"[red]{error}[/red]")
        return 2


@app.command
async def demo(once: Annotated[bool, Parameter(negative=())] = False) -> int:
    """Show what Aftercare does: a shop, an agent, about twenty cases, told as a story; then left running.

    Parameters
    ----------
    once
        End when the story is told, instead of leaving everything running until Ctrl-C.
    """
    from aftercare.codec import BadKeys
    from aftercare.demo.processes import ChildFailed
    from aftercare.demo.story import tell_story

    console = Console()
    try:
        return await tell_story(console, once)
    except (BadKeys, ChildFailed) as error:
        console.print(f"[red]{error}[/red]")
        return 2


def main() -> None:
    """Run a command and leave with its true exit code."""

    run_main(command(sys.argv[1:]))


async def command(arguments: list[str]) -> int:
    """Run a command; its exit code. A command line that cannot be read is 2."""
    as_json = "--json" in arguments and arguments[0] in ANSWER_IN_JSON
    try:
        result = await app.run_async(
            arguments, exit_on_error=False, print_error=not as_json, result_action="return_value"
        )
    except CycloptsError as error:
        if as_json:
            from aftercare.commands.answering import misused

            misused(str(error))
        return 2
    return result if isinstance(result, int) else 0
