"""What a supervisor hears: a person asks for a check, pauses it, lets it go on, or fires it; and how it answers."""

from __future__ import annotations

from typing import Any, TypeVar

from temporalio import workflow

from aftercare.lifecycle import supervising
from aftercare.lifecycle.intake import parse
from aftercare.lifecycle.state import Refused
from aftercare.messages.base import Message
from aftercare.messages.improvement import CheckNow, Fired, FireNow, Pause, Resume, TriggerStanding
from workflows.refusals import refusals
from workflows.supervision import ROUNDS, Supervision

M = TypeVar("M", bound=Message)


class ImprovementMessages(Supervision):
    """The handlers. Each waits for its turn, does what it was asked, and answers with how the row stands then."""

    @workflow.update(description="Count what is new now, and fire where that is due")
    async def check_now(self, raw: Any) -> TriggerStanding:
        """Takes a CheckNow as JSON. Goes on while evidence is left, within reason; `counted` is what came in all."""
        async with self.alone:
            counted, rounds = (await self._count_and_fire()).counted, 1
            while self.standing.more and rounds < ROUNDS:
                counted, rounds = counted + (await self._count_and_fire()).counted, rounds + 1
            return self.standing.model_copy(update={"counted": counted})

    @check_now.validator
    def _check_check_now(self, raw: Any) -> None:
        self._heard(CheckNow, raw)

    @workflow.update(description="Start nothing until somebody says so")
    async def pause(self, raw: Any) -> TriggerStanding:
        """Takes a Pause as JSON. Evidence is still counted, and an improvement that is under way goes on."""
        asked = self._heard(Pause, raw)
        async with self.alone:
            await self._know_the_store()
            with refusals():
                supervising.check_pause(self.standing)
            await self._pause(True, asked.by, asked.reason)
            return self.standing

    @pause.validator
    def _check_pause(self, raw: Any) -> None:
        self._heard(Pause, raw)
        with refusals():
            supervising.check_pause(self.standing)

    @workflow.update(description="Go on after a pause")
    async def resume(self, raw: Any) -> TriggerStanding:
        """Takes a Resume as JSON. What became due meanwhile fires at once, where cooldown and budget allow it."""
        asked = self._heard(Resume, raw)
        async with self.alone:
            await self._know_the_store()
            with refusals():
                supervising.check_resume(self.standing)
            await self._pause(False, asked.by)
            self.known = self.known.model_copy(update={"failures": 0})
            return await self._count_and_fire()

    @resume.validator
    def _check_resume(self, raw: Any) -> None:
        self._heard(Resume, raw)
        with refusals():
            supervising.check_resume(self.seen)

    @workflow.update(description="Fire now, with what evidence there is, whatever cooldown and budget say")
    async def fire(self, raw: Any) -> Fired:
        """Takes a FireNow as JSON. Refused while an improvement is under way, and where no evidence is unclaimed."""
        asked = self._heard(FireNow, raw)
        async with self.alone:
            await self._count()
            with refusals():
                supervising.check_fire(self.standing)
                fired = await self._fire(by=asked.by, reason=asked.reason)
                if fired.firing is None:
                    raise Refused([fired.note])
            return fired

    @fire.validator
    def _check_fire(self, raw: Any) -> None:
        self._heard(FireNow, raw)
        with refusals():
            supervising.check_fire(self.standing)

    @workflow.query(name="standing", description="How the row stands: each statistic against its threshold")
    def shown(self) -> TriggerStanding:
        """As the last check left it."""
        return self.standing

    async def _know_the_store(self) -> None:
        """Only the store knows what an earlier run was told."""
        if self.seen is None:
            await self._count()

    def _heard(self, model: type[M], raw: Any) -> M:
        """The message in raw JSON: what is missing is named in plain words."""
        with refusals():
            return parse(model, raw)
