"""The client for programs with threads, or with none: a thread in the background sends."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from threading import Event, Lock, Thread
from time import sleep
from typing import Self, TypeVar, Unpack

import httpx

from aftercare.client.asking import ask, settings, snapshot_of
from aftercare.client.buffer import Buffer
from aftercare.client.case import CaseInHand
from aftercare.client.fields import About, Correction
from aftercare.client.patience import patience
from aftercare.client.surface import Surface
from aftercare.messages.case import Case as Particulars
from aftercare.messages.outcome import Snapshot
from aftercare.messages.work import Standing

T = TypeVar("T")


class Case(CaseInHand[None]):
    """A case, taken up for the length of a `with` block."""

    def __init__(self, care: Aftercare, particulars: Particulars, after: int) -> None:
        super().__init__(care, particulars, after)
        self._asked = care

    def __enter__(self) -> Self:
        written = self._registration()
        return self._begun(self._asked.ask_buffer(lambda buffer: buffer.begin(*written), self.id, "registration"))

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        self._left(error)


class Aftercare(Surface[None, httpx.BaseTransport]):
    """A connection to Aftercare for one agent; make one per process and keep it.

    What is written is on disk when the call returns, and sent by a thread in the background. Only `flush`, `close`,
    `snapshot` and `override` wait for the network. It may be forked, and used by any thread.
    """

    def case(self, case_id: str, *, after: int = 0, **about: Unpack[About]) -> Case:
        """Take up a case: `with care.case("case-1", customer="c-17") as case`. It is registered on entering.

        The same case may be entered again and again, also by a later process with the same buffer: its steps are
        numbered on. `after` is the last step that was recorded elsewhere, where it was. Left without an ending, it
        waits for the next entering, and is given up as abandoned where none comes in time. Left by an error, it is
        handed over with the error's type as the reason. Raises AftercareError where id, agent or domain cannot be.
        """
        return Case(self, self._particulars(case_id, about), after)

    def override(self, case_id: str, *, answer: float = 10.0, **correction: Unpack[Correction]) -> Standing:
        """A person corrects the agent; waits `answer` seconds for what the case says. Then it is WAITING, and sent on.

        Raises AftercareError with what is missing, or why the case refuses.
        """
        written = self._override(case_id, correction)
        seq = self._kept(self.ask_buffer(lambda buffer: buffer.add(written), case_id, "override"))
        for pause in patience(answer):
            if standing := self._outcome(seq):
                return standing
            sleep(pause)
        return Standing.WAITING

    def snapshot(self, case_id: str) -> Snapshot:
        """The whole case as it stands. Raises AftercareError where Aftercare does not tell."""
        return self._snapshot(ask(self._http(), snapshot_of(case_id), self._timeout))

    def flush(self, timeout: float = 10.0) -> bool:
        """Send everything that waits now; whether that was done within so many seconds. What was refused is done."""
        newest = self.ask_buffer(self._all_tried, "", "flush")
        if newest is None:
            return False
        for pause in patience(timeout):
            if self._is_flushed(newest):
                return True
            sleep(pause)
        return self._is_flushed(newest)

    def close(self, timeout: float = 5.0) -> bool:
        """Flush, and end the thread. What was not sent waits in the buffer for the next process, or the next write."""
        flushed = self.flush(self._last_try(timeout))
        atexit.unregister(self.close)
        self._stopping.set()
        self._wake.set()
        if self._thread:
            self._thread.join(1.0)
        if self._client:
            self._client.close()
        self._begin_anew()
        self._buffer.close()
        return flushed

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def keep(self, work: Callable[[Buffer], object], case_id: str, kind: str) -> None:
        """Write into the buffer, on disk when it returns. What cannot be written is told as a problem."""
        self.ask_buffer(work, case_id, kind)

    def ask_buffer(self, work: Callable[[Buffer], T], case_id: str, kind: str) -> T | None:
        """Do it in the buffer, and have the thread look at it; None where that fails."""
        done = self._guarded(work, case_id, kind)
        self._wake_up()
        return done

    def _start(self) -> None:
        self._begin_anew()
        self._http()  # a fork while the thread is still importing what this needs would leave the child with half of it
        if self._guarded(lambda buffer: buffer.span()[1], "", "start"):
            self._wake_up()

    def _begin_anew(self) -> None:
        """As in a process that has sent nothing yet: after a fork, the parent's thread is not there."""
        self._process, self._lock = os.getpid(), Lock()
        self._thread: Thread | None = None
        self._client: httpx.Client | None = None
        self._wake, self._stopping = Event(), Event()

    def _wake_up(self) -> None:
        if self._process != os.getpid():
            self._begin_anew()
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                work = (self._wake, self._stopping)
                self._thread = self._started(Thread(target=self._send, args=work, name="aftercare", daemon=True))
        self._wake.set()

    def _started(self, thread: Thread) -> Thread | None:
        try:
            thread.start()
        except RuntimeError:  # there are too many, or the interpreter is about to end
            self.problems_told.tell("not_sent_yet", "no thread could be started")
            return None
        atexit.register(self.close)
        return thread

    def _send(self, wake: Event, stopping: Event) -> None:
        while not stopping.is_set():
            pause = self._guarded(self._one, "", "sending")
            if pause != 0.0:
                wake.wait(5.0 if pause is None else pause)
                wake.clear()
        self._buffer.rest()

    def _one(self, _buffer: Buffer) -> float:
        """Send a message if one is due; gives the seconds until the next look."""
        due = self._sending.due()
        if isinstance(due, float):
            return due
        self._sending.heard(due, ask(self._http(), self._sending.request(due), self._timeout))
        return 0.0

    def _http(self) -> httpx.Client:
        if self._client is None:
            self._client = httpx.Client(**settings(self._url, self._key, self._timeout), transport=self._transport)
        return self._client
