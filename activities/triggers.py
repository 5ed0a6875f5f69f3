"""Activities on triggers: check a row, fire it, give back what a failed improvement had claimed, pause, end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.matrices import InForce, Matrices
from aftercare.messages.improvement import (
    CheckTrigger,
    EndFiring,
    Fired,
    FireTrigger,
    FiringStatus,
    GiveBack,
    Pausing,
    TriggerStanding,
)
from aftercare.messages.triggers import TriggerRow
from aftercare.store.datasets import Datasets
from aftercare.store.triggers import FiringEnded, NoSuchFiring, Triggers


class TriggerActivities:
    """What a supervisor asks of the store, by the book in force."""

    def __init__(self, triggers: Triggers, matrices: Matrices, datasets: Datasets) -> None:
        self._triggers, self._matrices, self._datasets = triggers, matrices, datasets

    @activity.defn
    async def check_trigger(self, asked: CheckTrigger) -> TriggerStanding:
        """Count what is new, and say how the row stands. One that the book does not have stands still, and says so."""
        book, at = await self._matrices.now(), asked.at or _now()
        row = book.matrix.triggers.get(asked.trigger)
        if row:
            found = await self._triggers.check(asked.agent, asked.trigger, row, book.digest, at)
        else:
            found = await self._triggers.standing(asked.agent, asked.trigger, None, at)
        return found.model_copy(update=_told(book, found))

    @activity.defn
    async def fire_trigger(self, asked: FireTrigger) -> Fired:
        """Claim the evidence, and write the firing of this cycle down.

        What an improvement froze before it failed may still be there, if its evidence was given back by a worker that
        broke off then: it goes first.
        """
        row = await self._row(asked.trigger)
        if row is None:
            return Fired(note=f"the book has no row {asked.trigger!r}")
        for earlier in await self._triggers.firings(asked.agent, asked.trigger):
            if earlier.status is FiringStatus.FAILED:
                await self._datasets.let_go(earlier.id)
        return await self._triggers.fire(asked, row, asked.at or _now())

    @activity.defn
    async def give_back(self, asked: GiveBack) -> None:
        """Let the evidence of an improvement that failed go, so that its trigger is due again.

        What it froze goes too: no evidence stands in two datasets of one row. A store that was restored from before
        the firing has nothing to give back.
        """
        firing = await self._triggers.firing(asked.firing)
        if firing is None:
            return
        row = await self._row(firing.trigger)
        given_back = await self._triggers.give_back(asked.firing, row, asked.at or _now(), asked.note)
        if given_back.status is FiringStatus.FAILED:
            await self._datasets.let_go(asked.firing)

    @activity.defn
    async def pause_trigger(self, asked: Pausing) -> None:
        """Write down that a row is paused, or that it goes on."""
        await self._triggers.pause(asked, asked.at or _now())

    @activity.defn
    async def end_firing(self, asked: EndFiring) -> None:
        """Write down how an improvement ended."""
        try:
            await self._triggers.end(asked, asked.at or _now())
        except (NoSuchFiring, FiringEnded, ValueError) as error:
            raise _final(error) from error

    async def _row(self, trigger: str) -> TriggerRow | None:
        return (await self._matrices.now()).matrix.triggers.get(trigger)


def _told(book: InForce, standing: TriggerStanding) -> dict[str, Any]:
    return {
        "book": book.digest,
        "problem": "; ".join(filter(None, (book.problem, standing.problem))),
        "check_every": book.matrix.check.every,
        "check_at_most": book.matrix.check.at_most,
    }


def _final(error: Exception) -> ApplicationError:
    return ApplicationError(str(error), type=type(error).__name__, non_retryable=True)


def _now() -> datetime:
    return datetime.now(UTC)
