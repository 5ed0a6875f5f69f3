"""A look at an improvement that is under way: whether it has ended, and how."""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.service import RPCError, RPCStatusCode

from aftercare.messages.improvement import FollowImprovement, Improved

FIRST, LONGEST = timedelta(seconds=2), timedelta(minutes=5)
SHOWN = 500


class ImprovementActivities:
    """What a supervisor asks about work that an earlier run of it started."""

    @activity.defn
    async def follow_improvement(self, asked: FollowImprovement) -> Improved:
        """How it ended. Fails for good where it failed, and is asked again by the server while it is under way."""
        handle = activity.client().get_workflow_handle(asked.workflow_id, result_type=Improved)
        try:
            if (await handle.describe()).status is WorkflowExecutionStatus.RUNNING:
                raise _under_way(asked.workflow_id)
            improved: Improved = await handle.result()
        except WorkflowFailureError as error:
            raise ApplicationError(reason_of(error), type="ImprovementFailed", non_retryable=True) from error
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            gone = f"nobody knows what became of {asked.workflow_id}"
            raise ApplicationError(gone, type="ImprovementGone", non_retryable=True) from error
        return improved


def reason_of(error: BaseException) -> str:
    """Why it failed, in the words of what failed first."""
    while cause := getattr(error, "cause", None):
        error = cause
    return (str(error) or type(error).__name__)[:SHOWN]


def _under_way(id: str) -> ApplicationError:
    again = min(FIRST * activity.info().attempt, LONGEST)
    return ApplicationError(
        f"{id} is under way",
        type="UnderWay",
        next_retry_delay=again,
        category=ApplicationErrorCategory.BENIGN,
    )
