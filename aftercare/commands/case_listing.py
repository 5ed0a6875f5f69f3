"""Finding cases by Temporal's visibility: a query built from values that are checked and quoted, and a table of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from rich.table import Table
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus
from temporalio.common import SearchAttributeKey

from aftercare.commands.answering import safe, wrong
from aftercare.commands.case_story import coloured, local
from aftercare.messages.base import Id, Message, Name
from aftercare.messages.outcome import Outcome
from aftercare.messages.policy import Verdict
from workflows import conventions as by

# What a case is found by: it is written at the start, once on entering the watch, and where the end is not quiet.
Indexed = Literal["resolving", "watching", "settled"]
CASE = re.compile(re.escape(by.case_workflow_id("")) + r"[\w.:\-]{1,120}", re.ASCII)
TOGETHER = 50
MOST = 1_000
FURTHER = (("began", 11, 96), ("agent", 14, 112))  # a column, its width, and the terminal's that it needs


class Wanted(Message):
    """Which cases to list."""

    outcome: Outcome | None = None
    stage: Indexed | None = None
    agent: Id | None = None
    verdict: Verdict | None = None
    intent: Name | None = None


@dataclass(frozen=True)
class Line:
    """One case in the list, by its latest run."""

    case_id: str
    stage: str
    outcome: str | None
    verdict: str | None
    agent: str | None
    intent: str | None
    began: datetime


def query_of(wanted: Wanted) -> str:
    """The visibility query. No value can become part of the query itself: each is quoted, or refused."""
    asked = ["WorkflowType = 'CaseWorkflow'"]
    given = (
        (by.CASE_OUTCOME, wanted.outcome),
        (by.AGENT_NAME, wanted.agent),
        (by.POLICY_VERDICT, wanted.verdict),
        (by.INTENT, wanted.intent),
    )
    asked += [f"{key.name} = {quoted(value)}" for key, value in given if value]
    match wanted.stage:
        case "settled":  # a quiet case is settled by its workflow's end; its stage is not written again
            asked.append("ExecutionStatus = 'Completed'")
        case str(stage):
            asked.append(f"{by.CASE_STAGE.name} = {quoted(stage)} AND ExecutionStatus = 'Running'")
    return " AND ".join(asked)


def quoted(value: str) -> str:
    """A value in a visibility query. Raises NotAsked for one that Temporal finds nothing by, however it is quoted."""
    if not value.isprintable() or "\\" in value or '"' in value:
        raise wrong(f"{value!r} cannot be looked for: Temporal finds no backslash, double quote or control character")
    return "'" + value.replace("'", "''") + "'"


async def found(client: Client, wanted: Wanted, limit: int) -> list[Line]:
    """The cases whose latest run is as wanted, the newest first."""
    lines: list[Line] = []
    seen: set[str] = set()
    waiting: list[WorkflowExecution] = []
    async for run in client.list_workflows(query_of(wanted), limit=MOST + limit):
        if run.id in seen or not CASE.fullmatch(run.id):
            continue
        seen.add(run.id)
        waiting.append(run)
        if len(waiting) >= min(limit, TOGETHER):
            lines += await _latest(client, waiting)
            waiting = []
        if len(lines) >= limit:
            break
    return (lines + await _latest(client, waiting))[:limit]


async def _latest(client: Client, runs: Sequence[WorkflowExecution]) -> list[Line]:
    """Those of the runs that no later run of the same case has followed."""
    if not runs:
        return []
    ids = ", ".join(quoted(run.id) for run in runs)
    latest: dict[str, WorkflowExecution] = {}
    async for run in client.list_workflows(f"WorkflowId IN ({ids})"):
        if run.id not in latest or run.start_time > latest[run.id].start_time:
            latest[run.id] = run
    return [_line(run) for run in runs if latest.get(run.id, run).run_id == run.run_id]


def _line(run: WorkflowExecution) -> Line:
    def known(key: SearchAttributeKey[str]) -> str | None:
        return run.typed_search_attributes.get(key)

    over = run.status is WorkflowExecutionStatus.COMPLETED
    running = run.status is WorkflowExecutionStatus.RUNNING
    state = run.status.name.lower() if run.status else "unknown"
    return Line(
        case_id=run.id.removeprefix(by.case_workflow_id("")),
        stage="settled" if over else known(by.CASE_STAGE) or "resolving" if running else state,
        outcome=known(by.CASE_OUTCOME),
        verdict=known(by.POLICY_VERDICT),
        agent=known(by.AGENT_NAME),
        intent=known(by.INTENT),
        began=run.start_time,
    )


def table(lines: Sequence[Line], columns: int) -> Table:
    """The cases, a line each, within so many columns: a case's id is whole before an agent or a time is told."""
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    shown.add_column("case", overflow="fold", min_width=16)
    for name, width in (("stage", 9), ("outcome", 11), ("verdict", 12)):
        shown.add_column(name, no_wrap=True, width=width)
    shown.add_column("intent", overflow="ellipsis", no_wrap=True, max_width=14)
    further = [(name, width) for name, width, needed in FURTHER if columns >= needed]
    for name, width in further:
        shown.add_column(name, overflow="ellipsis", no_wrap=True, max_width=width)
    for line in lines:
        known = (safe(line.case_id), line.stage, coloured(line.outcome), coloured(line.verdict))
        more = {"began": local(line.began)[5:16], "agent": safe(line.agent or "-")}
        shown.add_row(*known, safe(line.intent or "-"), *(more[name] for name, _ in further))
    return shown


def document(lines: Sequence[Line]) -> list[dict[str, object]]:
    """The same for machines."""
    return [asdict(line) | {"began": line.began.isoformat()} for line in lines]
