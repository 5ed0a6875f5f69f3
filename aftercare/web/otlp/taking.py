"""Takes what an export tells to its cases: each registered once, each span taken once, in the order they come."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from weakref import WeakValueDictionary

from aftercare.lifecycle.state import Refused
from aftercare.messages.case import Case, Escalation, Resolution, Step, Steps
from aftercare.web.otlp.bounds import cut
from aftercare.web.otlp.cases import CaseTrace, Export
from aftercare.web.otlp.endings import Ending

ATTEMPTS = 5
MOST_STEPS = 500  # in one message
LARGEST_BATCH = 2 * 1024 * 1024  # bytes of JSON in one message: half of what the gateway takes
LONGEST_MESSAGE = 2_000
LATE = "the ending of the case was reported before they came"


Told = Case | Steps | Resolution | Escalation


class Take(Protocol):
    """Hands a message about a case on; it is durable when this returns.

    `kind` is `registration`, `steps`, `resolution` or `escalation`, and `by` whoever `may_write` found to be asking.
    Raises Refused where the case, or the key, would not have it, and then nothing has changed; any other error fails
    the export, which its sender repeats.
    """

    async def __call__(self, case_id: str, kind: str, message: Told, by: Any) -> Any: ...


@dataclass(frozen=True)
class KnownCase:
    """What is there of a case: whether it was registered, or its registration is held; every step that is held.

    `episode_from` is the number of the first step of the episode that is under way, and `ended` whether its ending was
    reported, so that no more steps are taken.
    """

    registered: bool = False
    steps: tuple[Step, ...] = ()
    episode_from: int = 1
    ended: bool = False

    @property
    def last(self) -> int:
        """The highest number that is in use."""
        return max((step.number for step in self.steps), default=0)


class Known(Protocol):
    """Looks a case up, whether anybody has heard of it or not."""

    async def __call__(self, case_id: str) -> KnownCase: ...


class Crowded(Exception):
    """Other exports about the same case came in at the same time, again and again. Sent once more, this one fits."""


@dataclass
class Taken:
    """By source, the spans that were not taken in, each with the reason; and how many had no valid id."""

    rejected: dict[str, str] = field(default_factory=dict)
    nameless: int = 0

    @property
    def count(self) -> int:
        """How many spans were not taken in."""
        return len(self.rejected) + self.nameless

    @property
    def message(self) -> str:
        """Why, for the one who set up the exporter; empty where everything was taken in."""
        reasons = Counter(self.rejected.values()) + Counter({"no valid trace or span id": self.nameless})
        return cut("; ".join(f"{n} spans: {reason}" for reason, n in reasons.most_common()), LONGEST_MESSAGE)


class Taking:
    """Takes exports in. What came before is not taken again, however often it is sent."""

    def __init__(self, take: Take, known: Known) -> None:
        self._take, self._known = take, known
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def take_in(self, export: Export, by: Any) -> Taken:
        """Everything an export tells, case by case. Raises Crowded, and whatever the port raises but Refused."""
        taken = Taken(dict(export.rejected))
        for trace in export.cases:
            lock = self._locks.setdefault(trace.case_id, asyncio.Lock())
            async with lock:
                taken.rejected |= await self._case(trace, by)
        return taken

    async def _case(self, trace: CaseTrace, by: Any) -> Mapping[str, str]:
        known = await self._known(trace.case_id)
        reasons: list[str] = []
        if not known.registered:
            if trace.case is None:
                missing = f"case {trace.case_id!r} is not registered: set {' and '.join(trace.missing)}"
                return dict.fromkeys(_sources(trace), missing)
            try:
                await self._take(trace.case_id, "registration", trace.case, by)
            except Refused as refused:  # perhaps somebody registers it at this moment; its steps will tell
                reasons = refused.reasons
        known, rejected = await self._steps(trace, known, by)
        if trace.ending:
            rejected |= await self._ending(trace.case_id, trace.ending, known, by)
        because = "; ".join(reasons)
        return {source: f"{because}; {reason}" if because else reason for source, reason in rejected.items()}

    async def _steps(self, trace: CaseTrace, known: KnownCase, by: Any) -> tuple[KnownCase, dict[str, str]]:
        """Take the steps that are new; gives what is then known, and the spans whose steps were refused for good."""
        for _ in range(ATTEMPTS):
            there = {step.source for step in known.steps}
            new = [step for step in trace.steps if step.source not in there]
            if known.ended:
                return known, {step.source: LATE for step in new}
            try:
                for batch in batches(new, known.last):
                    await self._take(trace.case_id, "steps", _message(batch), by)
                    known = replace(known, steps=(*known.steps, *batch))
                return known, {}
            except Refused as refused:
                now = await self._known(trace.case_id)
                if now.last == known.last:  # nobody took the numbers: it is these steps that the case will not have
                    there = {step.source for step in now.steps}
                    return now, {s.source: str(refused) for s in new if s.source not in there}
                known = now
        raise Crowded(f"other exports about case {trace.case_id!r} come in all the time; send this one again")

    async def _ending(self, case_id: str, ending: Ending, known: KnownCase, by: Any) -> dict[str, str]:
        message = ending.message([step for step in known.steps if step.number >= known.episode_from])
        try:
            await self._take(case_id, "resolution" if ending.resolved else "escalation", message, by)
        except Refused as refused:
            return {ending.source: str(refused)}
        return {}


def batches(steps: Sequence[Step], after: int) -> Iterator[tuple[Step, ...]]:
    """Steps with the numbers that follow, in as many messages as their size asks for."""
    batch: list[Step] = []
    size = 0
    for number, step in enumerate(steps, after + 1):
        numbered = step.model_copy(update={"number": number})
        bytes_more = len(numbered.model_dump_json().encode())
        if batch and (len(batch) == MOST_STEPS or size + bytes_more > LARGEST_BATCH):
            yield tuple(batch)
            batch, size = [], 0
        batch.append(numbered)
        size += bytes_more
    if batch:
        yield tuple(batch)


def _message(batch: tuple[Step, ...]) -> Steps:
    """The same spans are the same message, whenever they are sent and in whichever order."""
    told = "\n".join(sorted(step.source for step in batch))
    return Steps(id=f"otlp-{hashlib.sha256(told.encode()).hexdigest()[:32]}", steps=batch)


def _sources(trace: CaseTrace) -> list[str]:
    return [*(step.source for step in trace.steps), *([trace.ending.source] if trace.ending else [])]
