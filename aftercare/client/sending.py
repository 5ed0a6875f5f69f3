"""What is sent next, and what follows from the answer: the half of sending that is the same for threads and tasks."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from aftercare.client.answers import Answer, Later, RefusedForGood, Taken, meaning, pause
from aftercare.client.buffer import Buffer
from aftercare.client.problems import REFUSED, Problems
from aftercare.client.writes import Entry
from aftercare.messages.work import Standing

IDLE = 30.0  # seconds after which it is looked for what other processes left
OTHERS_SEND = 0.2
ANSWER_WITHIN = 2.0  # seconds given to a case to say that it refuses
IMPATIENT = 60.0
OVERRIDE_WITHIN = 10.0
MOST_OUTCOMES = 100
MOST_HELD = 500

PATHS = {
    "registration": ("PUT", "/v1/cases/{}"),
    "steps": ("POST", "/v1/cases/{}/steps"),
    "resolution": ("POST", "/v1/cases/{}/resolution"),
    "escalation": ("POST", "/v1/cases/{}/escalation"),
    "report": ("PUT", "/v1/cases/{}/report"),
    "proposal": ("POST", "/v1/cases/{}/proposals"),
    "override": ("POST", "/v1/cases/{}/override"),
    "feedback": ("POST", "/v1/cases/{}/feedback"),
    "recontact": ("POST", "/v1/cases/{}/recontacts"),
    "reopen": ("POST", "/v1/cases/{}/reopenings"),
}
BY_THE_CASE = ("registration", "steps", "resolution", "escalation", "report", "proposal")  # it may refuse these


@dataclass(frozen=True)
class Request:
    """One request, without the address and the key. `wait` in seconds: how long the server may take to answer."""

    method: str
    path: str
    body: str
    wait: float

    @property
    def headers(self) -> dict[str, str]:
        """Its own headers."""
        told = {"Content-Type": "application/json"}
        return told | ({"Prefer": f"wait={self.wait:g}"} if self.wait else {})


class Sending:
    """Used by one thread at a time. A case's messages go one after another; what is refused holds nothing up."""

    def __init__(
        self,
        buffer: Buffer,
        problems: Problems,
        linger: float,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._buffer, self._problems, self._linger = buffer, problems, linger
        self._clock, self._chance = clock, chance
        self._paused_until = self._impatient_until = 0.0
        self._held: dict[str, float] = {}
        self._tries: dict[str, int] = {}
        self._trouble = ""
        self.outcomes: dict[int, Standing | tuple[str, ...]] = {}

    @property
    def in_trouble(self) -> bool:
        """Whether the last try was in vain."""
        return bool(self._trouble)

    def hurry(self) -> None:
        """Try at once, whatever was to be waited for."""
        self._paused_until, self._held = 0.0, {}

    def due(self) -> Entry | float:
        """The message to send now, or how many seconds nothing is to be sent."""
        now = self._clock()
        if now < self._paused_until:
            self._buffer.rest()
            return self._paused_until - now
        self._held = {case_id: until for case_id, until in self._held.items() if until > now}
        self._buffer.close_batches(older_than=time.time() - self._linger)
        if self._buffer.next(self._held) is None:
            self._buffer.rest()
            return self._idle(now)
        if not self._buffer.may_send():
            return OTHERS_SEND
        return self._buffer.next(self._held) or 0.0  # another process may have sent it just before

    def request(self, entry: Entry) -> Request:
        """The request that sends a message; it asks for the case's own answer where that may be a refusal."""
        method, path = PATHS[entry.kind]
        wait = ANSWER_WITHIN if self._asks(entry) else OVERRIDE_WITHIN if entry.kind == "override" else 0.0
        return Request(method, path.format(entry.case_id), entry.body, wait)

    def heard(self, entry: Entry, answer: Answer) -> None:
        """Do what an answer asks for: forget the message, set it apart, or try again later."""
        match meaning(answer):
            case Taken(standing):
                self._went_well(entry, standing)
                self._buffer.sent(entry)
            case RefusedForGood(status, reasons):
                self._went_well(entry, reasons)
                self._buffer.refuse(entry, status, reasons)
                self._problems.tell(REFUSED, *reasons, case_id=entry.case_id, kind=entry.kind)
            case Later() as later:
                self._put_off(entry, later)

    def _went_well(self, entry: Entry, outcome: Standing | tuple[str, ...]) -> None:
        for who in ("", entry.case_id):
            self._tries.pop(who, None)
        self._trouble = ""
        if outcome == Standing.WAITING and self._asks(entry):  # no worker answers: ask no further for a while
            self._impatient_until = self._clock() + IMPATIENT
        if entry.kind == "override":
            self.outcomes[entry.seq] = outcome
            while len(self.outcomes) > MOST_OUTCOMES:
                del self.outcomes[next(iter(self.outcomes))]

    def _asks(self, entry: Entry) -> bool:
        return entry.kind in BY_THE_CASE and self._clock() >= self._impatient_until

    def _put_off(self, entry: Entry, later: Later) -> None:
        all_cases = later.all_cases or len(self._held) >= MOST_HELD
        who = "" if all_cases else entry.case_id
        tries = self._tries.get(who, 0)
        self._tries[who] = tries + 1
        until = self._clock() + pause(tries, later.at_least, self._chance())
        if all_cases:
            self._paused_until = until
        else:
            self._held[entry.case_id] = until
        if self._trouble != later.because:
            self._trouble = later.because
            self._problems.tell("not_sent_yet", later.because, case_id=entry.case_id, kind=entry.kind)

    def _idle(self, now: float) -> float:
        """Until a case may be tried again, or a batch is closed, or others' leavings are looked for."""
        step = self._buffer.oldest_step()
        waits = [until - now for until in self._held.values()]
        waits += [] if step is None else [step + self._linger - time.time()]
        return max(min([*waits, IDLE]), 0.01)
