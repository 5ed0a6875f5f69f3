"""What people ask of a supervisor: by an Update of its workflow, answered in words or refused in words."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from temporalio.client import (
    RPCTimeoutOrCancelledError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from aftercare.commands.answering import DOCTOR, NotAsked
from aftercare.commands.door import PATIENCE, store, temporal
from aftercare.commands.known import no_agent
from aftercare.commands.trigger_book import in_force
from aftercare.lifecycle.state import Refused
from aftercare.messages.base import Message
from aftercare.messages.improvement import Fired, TriggerStanding
from aftercare.settings import Settings
from aftercare.store.triggers import Triggers
from workflows.conventions import supervisor_id

T = TypeVar("T", Fired, TriggerStanding)
GONE = "AcceptedUpdateCompletedWorkflow"


async def ask(settings: Settings, agent: str, trigger: str, update: str, message: Message, answer: type[T]) -> T:
    """Ask the supervisor of a row. Raises Refused, in its words or because there is none, and NotAsked."""
    # By name: what a supervisor does, and all that it needs, is imported where it runs.
    supervisor = (await temporal()).get_workflow_handle(supervisor_id(agent, trigger))
    try:
        async with asyncio.timeout(PATIENCE):
            told: T = await supervisor.execute_update(update, message, result_type=answer)
            return told
    except WorkflowUpdateFailedError as error:
        raise _refused(error) from None
    except (TimeoutError, RPCTimeoutOrCancelledError, WorkflowUpdateRPCTimeoutOrCancelledError):
        raise _no_answer(agent, trigger) from None
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
    raise Refused(await _missing(settings, agent, trigger))


def _refused(error: WorkflowUpdateFailedError) -> Exception:
    cause = error.cause
    if isinstance(cause, ApplicationError) and cause.type == "Refused":
        return Refused([str(reason) for reason in cause.details[0]] if cause.details else [cause.message])
    if isinstance(cause, ApplicationError) and cause.type == GONE:
        return NotAsked("no_answer_yet", ["the supervisor was beginning a new run; ask again"])
    return NotAsked("temporal", [str(cause or error), DOCTOR])


def _no_answer(agent: str, trigger: str) -> NotAsked:
    told = f"no answer within {PATIENCE:.0f} s: no worker may be running, or it is counting much evidence"
    again = f"`aftercare trigger standing --agent {agent} --trigger {trigger}` shows what came of it; look before again"
    return NotAsked("no_answer_yet", [told, again, DOCTOR])


async def _missing(settings: Settings, agent: str, trigger: str) -> list[str]:
    """Why there may be no supervisor, and what to do."""
    reasons = [f"no supervisor watches {trigger} for agent {agent}"]
    async with store(settings) as cases:
        rows = (await in_force(cases, settings)).loaded.matrix.triggers
        agents = await Triggers(cases.database).agents()
    if trigger not in rows:
        reasons.append(f"the book in force has no row {trigger}; there are {', '.join(rows)}")
    if agent not in agents:
        reasons.append(no_agent(agent, agents))
    if trigger in rows and agent in agents:
        reasons.append("a worker brings missing supervisors back within the hour, or when it starts: is one running?")
        reasons.append(DOCTOR)
    return reasons
