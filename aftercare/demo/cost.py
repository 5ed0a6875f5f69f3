"""What a case costs in Temporal: history events, bytes, and billable actions, counted from the history itself.

Actions are counted by Temporal's published rules: a workflow start, an accepted Update, a Signal, a timer, an activity
(and each retry of it), an upsert of search attributes cost one each; all local activities of one workflow task
together cost one. Queries are counted by nobody's history and are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from temporalio.api.enums.v1 import EventType as E

_ONE_ACTION = frozenset(
    {
        E.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
        E.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
        E.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
        E.EVENT_TYPE_TIMER_STARTED,
        E.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
    }
)


@dataclass(frozen=True)
class Cost:
    """Of one run's history: how many events, actions, and bytes (the events' own encoding)."""

    events: int
    actions: int
    bytes: int


def cost_of(events: Sequence[Any]) -> Cost:
    """Count the events of one history."""
    return Cost(len(events), _actions(events), sum(e.ByteSize() for e in events))


def _actions(events: Sequence[Any]) -> int:
    single: int = sum(e.event_type in _ONE_ACTION for e in events)
    # An activity's started event carries how often it was tried.
    tries: int = sum(
        e.activity_task_started_event_attributes.attempt
        for e in events
        if e.event_type == E.EVENT_TYPE_ACTIVITY_TASK_STARTED
    )
    local = {
        e.marker_recorded_event_attributes.workflow_task_completed_event_id
        for e in events
        if e.event_type == E.EVENT_TYPE_MARKER_RECORDED
        and e.marker_recorded_event_attributes.marker_name == "core_local_activity"
    }
    return single + tries + len(local)
