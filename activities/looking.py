"""Looking again: an activity looks once, and the server waits between the looks."""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from aftercare.messages.work import ExamineEpisode

FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(minutes=1)


def time_left(work: ExamineEpisode) -> timedelta:
    """How long there still is to look, by the server's own clock."""
    info = activity.info()
    return work.within - (info.started_time - info.scheduled_time)


def look_again(work: ExamineEpisode, why: str) -> ApplicationError:
    """Retried by the server: soon at first, then more slowly, and last at the deadline. It is waiting, not failing."""
    doubled = FIRST_PAUSE * 2 ** min(activity.info().attempt - 1, 10)
    pause = min(doubled, LONGEST_PAUSE, max(time_left(work), timedelta(milliseconds=10)))
    return ApplicationError(why, type="NotYet", next_retry_delay=pause, category=ApplicationErrorCategory.BENIGN)
