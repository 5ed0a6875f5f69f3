"""What a supervisor knows and does, one thing at a time: count, fire, pause. The story is in `improvement.py`."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow

from activities.triggers import TriggerActivities
from aftercare.lifecycle import improvement_story as story
from aftercare.lifecycle import supervising
from aftercare.lifecycle.intake import parse
from aftercare.lifecycle.state import Refused
from aftercare.messages.improvement import (
    CheckTrigger,
    Fired,
    FireTrigger,
    Firing,
    GiveBack,
    Pausing,
    Supervise,
    TriggerStanding,
)
from workflows import conventions as by

ROUNDS = 50  # checks on end for somebody who waits for an answer


class Supervision:
    """A row of the matrix as it watches one agent. Whoever counts, fires or pauses holds `alone`."""

    def __init__(self, given: Any) -> None:
        self.known = Supervise(agent="", trigger="")
        self.unreadable: list[str] = []
        try:
            self.known = parse(Supervise, given)
        except Refused as refused:
            self.unreadable = refused.reasons
        self.seen: TriggerStanding | None = None
        self.rest: timedelta | None = None
        self.alone = asyncio.Lock()
        self.checks = 0
        self.heard = ""  # the firing whose improvement has ended last
        self.indexed = {pair.key.name: pair.value for pair in workflow.info().typed_search_attributes}

    @property
    def row(self) -> dict[str, str]:
        """Whose row it is."""
        return {"agent": self.known.agent, "trigger": self.known.trigger}

    @property
    def standing(self) -> TriggerStanding:
        """How the row stands, as far as this run has seen it."""
        return self.seen or TriggerStanding(**self.row, at=workflow.now())

    async def _count_and_fire(self) -> TriggerStanding:
        """One check; where the row is due, and nothing speaks against it, it fires."""
        await self._count()
        if supervising.may_fire(self.known, self.standing, workflow.now()):
            await self._fire()
        return self.standing

    async def _count(self) -> None:
        self.seen = await workflow.execute_activity_method(
            TriggerActivities.check_trigger,
            CheckTrigger(**self.row, at=workflow.now()),
            summary="count what is new, see how the row stands",
            **by.TO_COUNT,
        )
        self.known = supervising.taken_up(self.known, self.seen)
        self.checks += 1
        self._index()
        self.tell()

    async def _fire(self, **asked: str) -> Fired:
        """Claim the evidence. A person's `by` and `reason` are named in the firing."""
        cycle, reason = self.standing.next_cycle, asked.get("reason")
        fired = await workflow.execute_activity_method(
            TriggerActivities.fire_trigger,
            FireTrigger(**self.row, cycle=cycle, at=workflow.now(), **asked),
            summary=story.in_line(
                f"asked to fire: {reason}" if reason else f"fire, cycle {cycle}: {self.standing.due}"
            ),
            **by.TO_COUNT,
        )
        if fired.firing:
            self._know(supervising.fired(self.standing, fired.firing))
        return fired

    async def _pause(self, paused: bool, who: str, reason: str = "") -> None:
        await workflow.execute_activity_method(
            TriggerActivities.pause_trigger,
            Pausing(**self.row, paused=paused, by=who, reason=reason, at=workflow.now()),
            summary=f"write down: {'paused' if paused else 'goes on'}, says {who}",
            **by.TO_STORE,
        )
        told = {"paused_by": who, "pause_reason": reason} if paused else {"paused_by": "", "pause_reason": ""}
        self._know(self.standing.model_copy(update=told))

    async def _give_back(self, firing: Firing, note: str) -> None:
        await workflow.execute_activity_method(
            TriggerActivities.give_back,
            GiveBack(firing=firing.id, note=note, at=workflow.now()),
            summary=f"give the evidence of cycle {firing.cycle} back",
            **by.TO_STORE,
        )

    def _know(self, standing: TriggerStanding) -> None:
        self.seen = standing
        self.known = supervising.cooled(self.known, standing)
        self.tell()

    def _index(self) -> None:
        """Let it be found by what it watches; whoever started it has usually said so already."""
        known = {by.AGENT_NAME: self.known.agent}
        if self.standing.work:
            known[by.IMPROVEMENT_TARGET] = supervising.target_of(self.standing.work)
        changed = [key.value_set(value) for key, value in known.items() if self.indexed.get(key.name) != value]
        if changed:
            workflow.upsert_search_attributes(changed)
            self.indexed |= {key.name: value for key, value in known.items()}

    def tell(self) -> None:
        """Let the operator read how the row stands."""
        workflow.set_current_details(story.tell_supervisor(self.known, self.seen, workflow.now()))
