"""What both clients offer, and what they share: nothing here touches the network."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

from aftercare.client.answers import Answer, reasons_of
from aftercare.client.bounded import bounded
from aftercare.client.buffer import Buffer, BufferFull
from aftercare.client.case import Trace
from aftercare.client.fields import About, Correction, check
from aftercare.client.places import IN_THE_USERS_FOLDER, address, buffer_file, readable_key
from aftercare.client.problems import AftercareError, Problem, Problems
from aftercare.client.sending import Sending
from aftercare.client.tools import tool
from aftercare.client.writes import RefusedWrite, Write, claimed, exact, fitted, new_id, write
from aftercare.messages.base import NOT_REPORTED, Confidence
from aftercare.messages.case import Action, CaseReport, Proposal
from aftercare.messages.case import Case as Particulars
from aftercare.messages.evidence import Feedback, Recontact, Reopen
from aftercare.messages.kinds import KINDS
from aftercare.messages.outcome import Snapshot
from aftercare.messages.override import Override
from aftercare.messages.work import Standing

LIMIT = 64 * 1024 * 1024
LAST_TRY = 0.5
T = TypeVar("T")
R = TypeVar("R")  # what a write gives: nothing, or something to await
Transport = TypeVar("Transport")


class Surface(ABC, Generic[R, Transport]):
    """A connection to Aftercare for one agent; make one per process and keep it."""

    tool = staticmethod(tool)

    def __init__(
        self,
        url: str | None = None,
        *,
        key: str | None = None,
        agent: str | None = None,
        domain: str | None = None,
        release: str | None = None,
        buffer: str | Path | None = IN_THE_USERS_FOLDER,
        limit: int = LIMIT,
        batch: int = 50,
        linger: float = 10.0,
        timeout: float = 10.0,
        error_text: bool = False,
        on_problem: Callable[[Problem], object] | None = None,
        transport: Transport | None = None,
    ) -> None:
        """`url` and `key` come from AFTERCARE_URL and AFTERCARE_KEY where not given.

        `agent`, `domain` and `release` are those of every case that names no others. `buffer` is the file in which
        writes wait, made where it is missing: in the user's own folder where not given; None keeps them in memory,
        where a crash loses them. It takes no more once it has `limit` bytes. Steps go in batches of `batch`, or once
        the first has waited `linger` seconds. `timeout` in seconds bounds every request. `error_text` sends what
        exceptions say, and not their types alone. `on_problem` is called with every Problem, from any thread.
        `transport` takes the network's place in tests.

        Raises AftercareError where it is told something that can never work. Where the buffer cannot be used, it
        goes on in memory and says so.
        """
        self._url, self._key = address(url), readable_key(key)
        self._of_every_case = {"agent": agent, "domain": domain, "release": release}
        self._timeout, self._transport, self.error_text = timeout, transport, error_text
        self.problems_told = Problems(on_problem)
        self._buffer = self._opened(buffer, limit, min(max(batch, 1), 500))
        self._sending = Sending(self._buffer, self.problems_told, linger)
        self._traces: WeakValueDictionary[str, Trace] = WeakValueDictionary()
        self._lock = Lock()
        self._start()

    @abstractmethod
    def _start(self) -> None:
        """Get ready to send; what an earlier process left is sent at once."""

    @abstractmethod
    def keep(self, work: Callable[[Buffer], object], case_id: str, kind: str) -> R:
        """Write into the buffer and have it sent. What cannot be written is told as a problem, never raised."""

    def feedback(
        self,
        case_id: str,
        kind: str,
        value: float | None = None,
        *,
        comment: str = "",
        step: int | None = None,
        source: str = "",
        payload: Mapping[str, Any] | None = None,
        id: str | None = None,
        at: datetime | None = None,
    ) -> R:
        """One piece of feedback: `csat` 5, `thumbs` -1 on a reply (`step`), ...: kinds in `aftercare.messages.kinds`.

        Every call is another piece; give an `id` where the same one may come twice. Raises AftercareError where it
        is no feedback.
        """
        told: dict[str, Any] = {"kind": kind, "value": value, "comment": comment, "step": step, "source": source}
        if known := KINDS.get(kind):
            told |= {"family": known.family, "unit": known.unit}
        return self._said(case_id, "feedback", Feedback, id, at, {**told, "payload": bounded(dict(payload or {}))})

    def thumbs(self, case_id: str, step: int, *, up: bool, comment: str = "", id: str | None = None) -> R:
        """The customer's thumb on one reply, by the number of its step."""
        return self.feedback(case_id, "thumbs", 1 if up else -1, step=step, comment=comment, id=id)

    def recontact(
        self, case_id: str, *, same_issue: bool = True, channel: str = "", reason: str = "", id: str | None = None
    ) -> R:
        """The customer wrote again. Raises AftercareError where a part does not fit."""
        told = {"same_issue": same_issue, "channel": channel, "reason": reason}
        return self._said(case_id, "recontact", Recontact, id, None, told)

    def reopen(self, case_id: str, *, reason: str = "", source: str = "", id: str | None = None) -> R:
        """The case was opened again. Raises AftercareError where a part does not fit."""
        return self._said(case_id, "reopen", Reopen, id, None, {"reason": reason, "source": source})

    def propose(
        self,
        case_id: str,
        *,
        intent: str = "",
        actions: Iterable[Action] = (),
        reply: str = "",
        confidence: Confidence = NOT_REPORTED,
        id: str | None = None,
    ) -> R:
        """What the agent would have done in a case that a person handles. Raises AftercareError."""
        told = {"intent": intent, "actions": claimed(actions), "reply": reply, "confidence": confidence}
        return self._said(case_id, "proposal", Proposal, id, None, told)

    def report(self, report: CaseReport) -> R:
        """A whole case in one message, from an agent that has already finished. Raises AftercareError."""
        written = write(report.case.id, "report", report)
        return self.keep(lambda buffer: buffer.add(written), report.case.id, "report")

    def refused(self) -> tuple[RefusedWrite, ...]:
        """What Aftercare would not take, with its reasons: the latest thousand, for a week."""
        return self._buffer.refused()

    def problems(self) -> tuple[Problem, ...]:
        """The latest hundred things that did not go as they should; see docs/client.md for their names."""
        return self.problems_told.latest()

    def trace_of(self, case_id: str) -> Trace:
        """How far a case has come in this process."""
        with self._lock:
            return self._traces.setdefault(case_id, Trace())

    def _particulars(self, case_id: str, about: Mapping[str, Any]) -> Particulars:
        """Raises AftercareError where the id, the agent or the domain cannot be."""
        check("a case", about, About)
        told = {name: value for name, value in {**self._of_every_case, **about}.items() if value is not None}
        particulars, reasons = fitted(Particulars, {"id": case_id, **told})
        if reasons:
            self.problems_told.tell("does_not_fit", *reasons, case_id=case_id, kind="registration")
        return particulars

    def _said(self, case_id: str, kind: str, model: Any, id: str | None, at: datetime | None, told: Any) -> R:
        written = self._written(case_id, kind, model, {**told, "id": id, "at": at})
        return self.keep(lambda buffer: buffer.add(written), case_id, kind)

    def _written(self, case_id: str, kind: str, model: Any, told: Mapping[str, Any]) -> Write:
        """The message with its id. When it was is not told under a given id: the same again must be the same."""
        exact(Particulars, {"id": case_id, "agent": "a", "domain": "d"})
        known = {name: value for name, value in told.items() if value not in (None, "")}
        if "id" not in known:
            known = {"id": new_id(kind), "at": datetime.now(UTC), **known}
        return write(case_id, kind, exact(model, known))

    def _override(self, case_id: str, correction: Mapping[str, Any]) -> Write:
        check("an override", correction, Correction)
        return self._written(case_id, "override", Override, correction)

    def _kept(self, seq: int | None) -> int:
        if seq is None:
            raise AftercareError("it could not be kept; see problems()")
        return seq

    def _outcome(self, seq: int) -> Standing | None:
        """What became of an override; None while it waits. Raises AftercareError where it was refused."""
        waits = self._buffer.holds(seq)  # asked first: the outcome is noted before the message leaves
        outcome = self._sending.outcomes.pop(seq, None)
        if isinstance(outcome, tuple):
            raise AftercareError(*outcome)
        if outcome is None and not waits:
            return Standing.WAITING  # another process has sent it, and knows the answer
        return outcome

    def _guarded(self, work: Callable[[Buffer], T], case_id: str, kind: str) -> T | None:
        """Do it in the buffer; None where that fails."""
        try:
            return work(self._buffer)
        except BufferFull:
            self.problems_told.tell("buffer_full", "nothing more is kept", case_id=case_id, kind=kind)
        except (sqlite3.Error, OSError) as error:
            self.problems_told.tell("buffer_unusable", type(error).__name__, case_id=case_id, kind=kind)
        except Exception as error:  # whatever it is, the agent goes on
            self.problems_told.tell("not_kept", type(error).__name__, case_id=case_id, kind=kind)
        return None

    def _all_tried(self, buffer: Buffer) -> int:
        """Everything that waits is to be tried at once; gives the place of the newest."""
        buffer.close_batches()
        self._sending.hurry()
        return buffer.span()[1]

    def _is_flushed(self, newest: int) -> bool:
        """Whether everything up to this place has left."""
        return self._guarded(lambda buffer: buffer.is_empty_up_to(newest), "", "flush") is True

    def _last_try(self, timeout: float) -> float:
        """Seconds for a last flush: few where Aftercare did not answer just now, and nothing is lost by leaving."""
        hopeless = self._sending.in_trouble and self._buffer.outlives_its_process
        return min(timeout, LAST_TRY) if hopeless else timeout

    def _snapshot(self, answer: Answer) -> Snapshot:
        if answer.status == 200:
            return exact(Snapshot, answer.json if isinstance(answer.json, dict) else {})
        raise AftercareError(*([f"Aftercare does not answer ({answer.error})"] if answer.error else reasons_of(answer)))

    def _opened(self, buffer: str | Path | None, limit: int, batch: int) -> Buffer:
        try:
            opened = Buffer(buffer_file(buffer, self._url, self._of_every_case["agent"]), limit, batch)
            opened.span()
            return opened
        except (sqlite3.Error, OSError, RuntimeError) as error:
            told = f"the buffer cannot be used ({type(error).__name__}); writes wait in memory"
            self.problems_told.tell("buffer_unusable", told)
            return Buffer(None, limit, batch)
