"""What a supervisor's history shows."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHandle

from tests.improvement.bench import Row

TIMER = EventType.EVENT_TYPE_TIMER_STARTED


async def events(row: Row, kind: EventType.ValueType | None = None) -> list[HistoryEvent]:
    """The events of the current run, those of one kind or all."""
    history = await row.handle.fetch_history()
    return [e for e in history.events if kind is None or e.event_type == kind]


async def timers(row: Row) -> list[int]:
    """How many hours each of its timers was set to, in order."""
    return [
        round(e.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta() / timedelta(hours=1))
        for e in await events(row, TIMER)
    ]


async def accepted(row: Row) -> int:
    """How many Updates got into its history."""
    return len(await events(row, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED))


async def activities(row: Row) -> Counter[str]:
    """How often each activity was called."""
    scheduled = await events(row, EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
    return Counter(e.activity_task_scheduled_event_attributes.activity_type.name for e in scheduled)


async def attributes(handle: WorkflowHandle[Any, Any]) -> dict[str, object]:
    """What a workflow is found by."""
    described = await handle.describe()
    return {p.key.name: p.value for p in described.typed_search_attributes if p.key.name != "BuildIds"}


def summary(payload: Payload) -> str:
    """A summary as the timeline shows it."""
    return str(json.loads(payload.data)) if payload.data else ""
