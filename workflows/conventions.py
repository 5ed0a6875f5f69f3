"""What all workflows agree on: ids, task queues, search attributes, timeouts, retry policies."""

from __future__ import annotations

from datetime import timedelta
from typing import TypedDict

from temporalio.common import RetryPolicy, SearchAttributeKey

CASES_QUEUE = "cases"
IMPROVEMENT_QUEUE = "improvement"
DEPLOYMENT = "aftercare"  # the name under which builds of the worker are versions


def case_workflow_id(case_id: str) -> str:
    """The workflow of a case."""
    return f"case/{case_id}"


def supervisor_id(agent: str, trigger: str) -> str:
    """The workflow that watches one row of the matrix for one agent."""
    return f"improvement/{agent}/{trigger}"


def improvement_id(firing_id: str) -> str:
    """The workflow of the work that a firing starts."""
    return f"improvement/{firing_id}"


CASE_STAGE = SearchAttributeKey.for_keyword("CaseStage")
CASE_OUTCOME = SearchAttributeKey.for_keyword("CaseOutcome")
POLICY_VERDICT = SearchAttributeKey.for_keyword("PolicyVerdict")
INTENT = SearchAttributeKey.for_keyword("Intent")
AGENT_NAME = SearchAttributeKey.for_keyword("AgentName")
RELEASE_ID = SearchAttributeKey.for_keyword("ReleaseId")
IMPROVEMENT_TARGET = SearchAttributeKey.for_keyword("ImprovementTarget")
REOPEN_COUNT = SearchAttributeKey.for_int("ReopenCount")
CSAT_SCORE = SearchAttributeKey.for_int("CsatScore")
HUMAN_OVERRIDE = SearchAttributeKey.for_bool("HumanOverride")

# Everything is registered at once, whoever writes it first: a server has few places for each type.
SEARCH_ATTRIBUTES: tuple[SearchAttributeKey[str] | SearchAttributeKey[int] | SearchAttributeKey[bool], ...] = (
    CASE_STAGE,
    CASE_OUTCOME,
    POLICY_VERDICT,
    INTENT,
    AGENT_NAME,
    RELEASE_ID,
    IMPROVEMENT_TARGET,
    REOPEN_COUNT,
    CSAT_SCORE,
    HUMAN_OVERRIDE,
)

# Evidence may come before the case is registered; a run that nobody registers does not wait for ever.
REGISTRATION_WAIT = timedelta(minutes=10)


class Bounds(TypedDict):
    """How long an activity may take, and how it is tried again."""

    start_to_close_timeout: timedelta
    retry_policy: RetryPolicy


TO_STORE: Bounds = {
    "start_to_close_timeout": timedelta(seconds=30),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(milliseconds=200),
        maximum_interval=timedelta(seconds=30),
        non_retryable_error_types=["StepTaken", "PayloadsTooLarge"],
    ),
}

# A look at what is new is short. Where its worker was killed, the next one does not wait long for it.
TO_COUNT: Bounds = {"start_to_close_timeout": timedelta(seconds=10), "retry_policy": TO_STORE["retry_policy"]}
CHECKS_PER_RUN = 500  # histories stay small enough to be read


class LongBounds(Bounds):
    """The same for work that says again and again that it is at it."""

    heartbeat_timeout: timedelta


# The evidence of a big claim takes a while to freeze. After an hour or so of failing it is given back.
PREPARING: LongBounds = {
    "start_to_close_timeout": timedelta(hours=1),
    "heartbeat_timeout": timedelta(seconds=30),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=1),
        maximum_interval=timedelta(minutes=5),
        maximum_attempts=20,
        non_retryable_error_types=["PayloadsTooLarge"],
    ),
}

# One look at the systems of record. Waiting for effects is done by the server between looks.
LOOK_TIMEOUT = timedelta(seconds=30)
LOOK_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    maximum_interval=timedelta(minutes=1),
    non_retryable_error_types=["PayloadsTooLarge"],
)
LOOK_GRACE = timedelta(days=1)  # the activity judges its own deadline; this is for a worker that was away
