"""`python -m tests.replay.record`: record the histories anew, on a real server with short waits.

Only after a change of command order that no running case can meet: before that, guard it with `workflow.patched`.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from temporalio.testing import WorkflowEnvironment

from activities.books import Books
from aftercare.demo.processes import TEMPORAL
from aftercare.gateway import Gateway
from aftercare.lifecycle.state import Refused
from aftercare.messages.case import CaseReport, Escalation, Steps
from aftercare.messages.outcome import Stage
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.systems.records import RecordsInMemory, Systems
from aftercare.temporal import DATA_CONVERTER, run_main, workflow_runner
from tests.cases.desk import Desk, Told
from worker import case_worker
from workflows.conventions import SEARCH_ATTRIBUTES

HISTORIES = Path(__file__).parent / "histories"
WAITS = {
    "watch": timedelta(seconds=2),
    "resolve_within": timedelta(seconds=8),
    "verify_within": timedelta(seconds=2),
}


async def whole_confirmed(case: Told) -> None:
    case.cancelled()
    await case.reported()


async def live_confirmed(case: Told) -> None:
    case.cancelled()
    await case.registered()
    await case.worked_on()
    await case.resolved()


async def failed(case: Told) -> None:
    await case.reported()


async def unconfirmed(case: Told) -> None:
    await case.reported(actions=())


async def abandoned(case: Told) -> None:
    await case.registered()
    await case.worked_on()


async def escalated(case: Told) -> None:
    case.cancelled()
    await case.registered()
    await case.worked_on()
    await case.escalated(case.action)


async def watched(case: Told) -> None:
    await whole_confirmed(case)
    await case.until(Stage.WATCHING)


async def reopened(case: Told) -> None:
    await watched(case)
    await case.signalled("reopen", id="back-1")


async def reopened_and_resolved(case: Told) -> None:
    await reopened(case)
    await case.until(Stage.RESOLVING, episode=2)
    await case.resolved(id="resolution-2")


async def recontacted_and_scored(case: Told) -> None:
    await watched(case)
    await case.signalled("recontact", id="mail-1")
    while not (await case.snapshot()).recontacts:  # noqa: ASYNC110 - the case is elsewhere
        await asyncio.sleep(0.02)
    await case.signalled("feedback", id="csat-1", kind="csat", value=2)


async def overridden(case: Told) -> None:
    await watched(case)
    case.put_back()
    await case.overridden()


async def reopened_and_overridden(case: Told) -> None:
    await reopened(case)
    await case.until(Stage.RESOLVING, episode=2)
    case.put_back()
    await case.signalled("override", **case.override())


async def refused_signals(case: Told) -> None:
    await watched(case)
    await case.signalled("feedback", nothing="here")
    await case.signalled("re-open", id="back-1")


async def whole_escalated(case: Told) -> None:
    case.cancelled()
    report = CaseReport(
        id="report",
        case=case.about,
        steps=case.steps,
        escalation=Escalation(id="escalation", reason="too hard", actions=(case.action,)),
    )
    await case.desk.gateway.report(report)


async def inline_steps(case: Told) -> None:
    case.cancelled()
    await case.registered()
    await case.handle.execute_update("record_steps", Steps(id="steps-1", steps=case.steps))
    await case.resolved()


async def overridden_by_actions(case: Told) -> None:
    await watched(case)
    right = {"name": "cancel_pending_order", "arguments": case.action.arguments}
    await case.overridden(final={"kind": "actions", "actions": [right]})


async def overridden_twice(case: Told) -> None:
    await watched(case)
    await case.overridden(final={"kind": "nothing_to_do"})
    await case.until(Stage.WATCHING, episode=2)
    case.put_back()
    await case.overridden(id="override-2")


async def followed_up_by_override(case: Told) -> None:
    await whole_confirmed(case)
    await case.handle.result()
    case.put_back()
    await case.overridden()


async def registered_after_a_refusal(case: Told) -> None:
    await case.signalled("feedback", id="early-1", kind="csat", value=3)
    with suppress(Refused):
        await case.desk.gateway.register(case.about.model_copy(update={"domain": "circus"}))
    await case.registered()


async def steps_while_silent(case: Told) -> None:
    await case.registered()
    await asyncio.sleep(3)
    await case.worked_on()


async def followed_up_by_reopening(case: Told) -> None:
    await whole_confirmed(case)
    await case.handle.result()
    await case.signalled("reopen", id="back-1")


async def followed_up_by_feedback(case: Told) -> None:
    await whole_confirmed(case)
    await case.handle.result()
    await case.signalled("feedback", id="csat-1", kind="csat", value=5)


PATHS: dict[str, Callable[[Told], Awaitable[None]]] = {
    path.__name__: path
    for path in (
        whole_confirmed,
        live_confirmed,
        failed,
        unconfirmed,
        abandoned,
        escalated,
        reopened,
        reopened_and_resolved,
        recontacted_and_scored,
        overridden,
        reopened_and_overridden,
        refused_signals,
        whole_escalated,
        inline_steps,
        overridden_by_actions,
        overridden_twice,
        followed_up_by_override,
        registered_after_a_refusal,
        steps_while_silent,
        followed_up_by_reopening,
        followed_up_by_feedback,
    )
}


async def main() -> int:
    """Walk every path and keep its history; the latest run's, where a case ran twice."""
    HISTORIES.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder:
        database = Database(f"sqlite+aiosqlite:///{folder}/store.db")
        await database.migrate()
        cases, shop = Cases(database), RecordsInMemory()
        async with await WorkflowEnvironment.start_local(
            dev_server_existing_path=TEMPORAL,
            search_attributes=list(SEARCH_ATTRIBUTES),
            data_converter=DATA_CONVERTER,
            identity="recorder",
        ) as env:
            desk = Desk(env, Gateway(env.client, cases), cases, shop)
            books, systems = Books(cases, waits=WAITS), Systems({"shop": shop})
            async with case_worker(env.client, cases, books, systems, runner=workflow_runner()):
                await asyncio.gather(*(_record(desk, name) for name in (sys.argv[1:] or PATHS)))
        await database.close()
    return 0


async def _record(desk: Desk, name: str) -> None:
    case = Told(desk, name)
    await PATHS[name](case)
    await case.handle.result()
    history = await case.handle.fetch_history()
    (HISTORIES / f"{name}.json").write_text(without_paths(history.to_json()), "utf-8")
    print(f"{name}: {len(history.events)} events")


def without_paths(history: str) -> str:
    """A history without stack traces: they tell of the machine it was recorded on, and replay ignores them."""
    return re.sub(r'"stackTrace": "(\\.|[^"\\])*"', '"stackTrace": ""', history)


if __name__ == "__main__":
    run_main(main())
