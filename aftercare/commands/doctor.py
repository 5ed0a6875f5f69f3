"""`aftercare doctor`: what is reachable, registered and migrated, and what to do where it is not."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from cyclopts import App
from rich.table import Table
from rich.text import Text

from aftercare.commands.answering import DONE, NO, Answer, AsJson, NotAsked, answered, safe
from aftercare.commands.checks import Check, State, problem, well
from aftercare.commands.doctor_doors import doors
from aftercare.commands.doctor_policy import books, systems
from aftercare.commands.doctor_store import store
from aftercare.commands.doctor_temporal import temporal
from aftercare.commands.door import read_settings

PACKAGES = ("temporalio", "sqlmodel", "sqlalchemy", "pydantic", "cel-expr-python", "cyclopts")
COLOURS = {State.OK: "green", State.PROBLEM: "red", State.UNTOLD: "yellow"}

doctor = App(name="doctor")


@doctor.default
async def examine(*, json: AsJson = False) -> int:
    """Say what is reachable, registered and migrated, and what to do where it is not. Nothing is changed.

    Looks at: this Python, Temporal, the worker, the store and its inbox, the policy books, the systems of record,
    the doors.
    Exit code 0: no problem was found; 1: there is one.
    """

    async def work() -> Answer:
        checks = [check async for check in _checks()]
        code = NO if any(c.state is State.PROBLEM for c in checks) else DONE
        return Answer({"ok": code == DONE, "checks": [asdict(c) for c in checks]}, [_table(checks), _sum(checks)], code)

    return await answered(json, work())


async def _checks() -> AsyncIterator[Check]:
    for check in _program():
        yield check
    try:
        settings = read_settings()
    except NotAsked as error:
        yield problem("program", "settings", "; ".join(error.reasons), "put the variable right; README lists them")
        return
    yield well("program", "settings", "they can be read")
    async for check in temporal(settings):
        yield check
    async for check in store(settings):
        yield check
    for check in books(settings):
        yield check
    async for check in systems(settings):
        yield check
    for check in doors(settings):
        yield check


def _program() -> Iterator[Check]:
    python, at = sys.version.split()[0], Path(sys.prefix).name
    if sys.version_info < (3, 11):  # noqa: UP036 - it may be run past the installer's own check
        yield problem("program", "python", python, "Aftercare needs Python 3.11 or newer")
    else:
        yield well("program", "python", f"{python} in {at}")
    found: dict[str, Any] = {name: _version(name) for name in ("aftercare", *PACKAGES)}
    if missing := [name for name, version in found.items() if version is None]:
        yield problem("program", "packages", f"missing: {', '.join(missing)}", "`make setup` installs them")
    else:
        yield well("program", "packages", ", ".join(f"{name} {version}" for name, version in found.items()))


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _table(checks: list[Check]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column("area", no_wrap=True)
    table.add_column("name", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("found", overflow="fold")
    area = ""
    for check in checks:
        told = Text(safe(check.found))
        if check.advice:
            told.append(Text(f"\n→ {safe(check.advice)}", "bold" if check.state is State.PROBLEM else "dim"))
        table.add_row(
            check.area if check.area != area else "", check.name, Text(check.state, COLOURS[check.state]), told
        )
        area = check.area
    return table


def _sum(checks: list[Check]) -> Text:
    problems, untold = (sum(c.state is s for c in checks) for s in (State.PROBLEM, State.UNTOLD))
    if problems:
        return Text(f"\n{problems} problems; {untold} cannot be told", "red")
    return Text("\nno problem was found" + (f"; {untold} cannot be told" if untold else ""), "green")
