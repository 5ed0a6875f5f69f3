"""The worker of `aftercare bench cases`, in a process of its own: the case's workflow or the bare one.

Says on its output how much processor time it has used whenever a line comes in.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from datetime import timedelta

from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.books import Books
from aftercare.bench.bare import BareCase
from aftercare.bench.orders import Orders
from aftercare.demo.processes import say
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.systems.records import Systems
from aftercare.temporal import connect, run_main
from worker import activities
from workflows.case import CaseWorkflow

WATCH = timedelta(milliseconds=50)
WORKFLOWS: dict[str, type] = {"cases": CaseWorkflow, "bare": BareCase}


async def main() -> int:
    """Work until the input ends."""
    parser = argparse.ArgumentParser(prog="python -m aftercare.bench.worker")
    for name in ("--temporal", "--database"):
        parser.add_argument(name, required=True)
    parser.add_argument("--queue", choices=list(WORKFLOWS), required=True)
    wanted = parser.parse_args()
    database = Database(wanted.database)
    cases = Cases(database)
    worker = Worker(
        await connect(wanted.temporal),
        task_queue=wanted.queue,
        workflows=[WORKFLOWS[wanted.queue]],
        activities=activities(cases, Books(cases, waits={"watch": WATCH}), Systems({"shop": Orders()})),
        workflow_runner=UnsandboxedWorkflowRunner(),  # as the worker itself
    )
    async with worker:
        say(event="ready")
        while await asyncio.to_thread(sys.stdin.readline):
            say(event="used", cpu=time.process_time())
    await database.close()
    return 0


if __name__ == "__main__":
    run_main(main())
