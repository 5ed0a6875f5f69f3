"""`aftercare bench NAME`: prints its figures, writes them with --json, and ends with exit code 1 if a bar is missed."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter
from rich.console import Console

from aftercare.demo.run import write

bench = App(name="bench", help="Measure; every figure beside its bar. Exit code 1 where a bar is missed.")

Json = Annotated[Path | None, Parameter(help="Also write the figures to this file.")]
Quick = Annotated[bool, Parameter(negative=(), help="A smaller measurement, in less than a minute.")]


@bench.command(name="history")
async def history(json: Json = None, quick: Quick = False) -> int:
    """What a case costs in history events, billable actions and bytes, and what each message adds."""
    from aftercare.bench import history as measured

    return await _measured(measured, json, quick)


@bench.command(name="cases")
async def cases(json: Json = None, quick: Quick = False) -> int:
    """Whole cases a second, beside a bare workflow with the same update, activities and timer, as a ratio."""
    from aftercare.bench import cases as measured

    return await _measured(measured, json, quick)


@bench.command(name="chaos")
async def chaos(json: Json = None, quick: Quick = False, by: Literal["gateway", "api"] = "gateway") -> int:
    """Evidence in every bad order, while worker and Temporal are killed: is anything lost or doubled?

    Parameters
    ----------
    by
        Through the gateway, or through the HTTP API, which is killed too.
    """
    from aftercare.bench import chaos as measured

    return await _measured(measured, json, quick, by=by)


@bench.command(name="ingest")
async def ingest(
    json: Json = None, quick: Quick = False, database: Literal["both", "sqlite", "postgresql"] = "both"
) -> int:
    """Pieces of feedback a second over HTTP, beside a bare endpoint, and in a store that holds a million."""
    from aftercare.bench import ingest as measured

    return await _measured(measured, json, quick, database=database)


@bench.command(name="checks")
async def checks(
    json: Json = None, quick: Quick = False, database: Literal["both", "sqlite", "postgresql"] = "both"
) -> int:
    """What a check of the triggers costs in a store that holds a million pieces of feedback, beside ten thousand."""
    from aftercare.bench import checks as measured

    return await _measured(measured, json, quick, database=database)


@bench.command(name="triggers")
async def triggers(json: Json = None, quick: Quick = False) -> int:
    """How often each trigger cries wolf, and how soon it sees what became worse; beside a window and a bound."""
    from aftercare.bench import triggers as measured

    return await _measured(measured, json, quick)


async def _measured(module: ModuleType, json: Path | None, quick: bool, **more: Any) -> int:
    console = Console()
    figures = await module.measure(console, quick, **more)
    module.show(figures, console)
    if json:
        write(figures, json)
    return 0 if figures["kept"] else 1
