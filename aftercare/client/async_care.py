"""The client for asyncio: a task sends, and the buffer has a thread of its own, so that no disk holds up the loop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Self, TypeVar, Unpack

import httpx

from aftercare.client.asking import ask_async, settings, snapshot_of
from aftercare.client.buffer import Buffer
from aftercare.client.case import CaseInHand
from aftercare.client.fields import About, Correction
from aftercare.client.patience import patience
from aftercare.client.surface import Surface
from aftercare.messages.case import Case as Particulars
from aftercare.messages.outcome import Snapshot
from aftercare.messages.work import Standing

T = TypeVar("T")


class Kept(Awaitable[None]):
    """A write on its way to the disk: it gets there in its turn, and is there when this was awaited."""

    def __init__(self, future: Future[Any]) -> None:
        self._future = future

    def __await__(self) -> Generator[Any, None, None]:
        yield from asyncio.shield(asyncio.wrap_future(self._future)).__await__()


class AsyncCase(CaseInHand[Kept]):
    """A case, taken up for the length of an `async with` block."""

    def __init__(self, care: AsyncAftercare, particulars: Particulars, after: int) -> None:
        super().__init__(care, particulars, after)
        self._asked = care

    async def __aenter__(self) -> Self:
        written = self._registration()
        return self._begun(await self._asked.ask_buffer(lambda buffer: buffer.begin(*written), self.id, "registration"))

    async def __aexit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        await self._left(error)


class AsyncAftercare(Surface[Kept, httpx.AsyncBaseTransport]):
    """The same connection for asyncio: `async with AsyncAftercare(...) as care`, or `await care.close()` at the end.

    Steps and decorated functions need no await. What else is written may be awaited, and is then on disk; it gets
    there in its turn in any case. Only `flush`, `close`, `snapshot` and `override` wait for the network.
    """

    def case(self, case_id: str, *, after: int = 0, **about: Unpack[About]) -> AsyncCase:
        """Take up a case: `async with care.case("case-1", customer="c-17") as case`. See `Aftercare.case`."""
        return AsyncCase(self, self._particulars(case_id, about), after)

    async def override(self, case_id: str, *, answer: float = 10.0, **correction: Unpack[Correction]) -> Standing:
        """A person corrects the agent. See `Aftercare.override`."""
        written = self._override(case_id, correction)
        seq = self._kept(await self.ask_buffer(lambda buffer: buffer.add(written), case_id, "override"))
        for pause in patience(answer):
            if standing := await self._in_turn(self._outcome, seq):
                return standing
            await asyncio.sleep(pause)
        return Standing.WAITING

    async def snapshot(self, case_id: str) -> Snapshot:
        """The whole case as it stands. Raises AftercareError where Aftercare does not tell."""
        async with self._http() as http:
            return self._snapshot(await ask_async(http, snapshot_of(case_id), self._timeout))

    async def flush(self, timeout: float = 10.0) -> bool:
        """Send everything that waits now; whether that was done within so many seconds. What was refused is done."""
        newest = await self.ask_buffer(self._all_tried, "", "flush")
        if newest is None:
            return False
        for pause in patience(timeout):
            if await self._in_turn(self._is_flushed, newest):
                return True
            await asyncio.sleep(pause)
        return await self._in_turn(self._is_flushed, newest)

    async def close(self, timeout: float = 5.0) -> bool:
        """Flush, and end the task. What was not sent waits in the buffer for the next process, or the next write."""
        flushed = await self.flush(self._last_try(timeout))
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=1.0)
        await self._in_turn(self._buffer.close)
        self._disk.shutdown(wait=False)
        self._begin_anew()
        return flushed

    async def __aenter__(self) -> Self:
        self._wake_up()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    def keep(self, work: Callable[[Buffer], object], case_id: str, kind: str) -> Kept:
        """Write into the buffer, in turn. What cannot be written is told as a problem."""
        self._renew()
        kept = Kept(self._disk.submit(self._guarded, work, case_id, kind))
        self._wake_up()
        return kept

    async def ask_buffer(self, work: Callable[[Buffer], T], case_id: str, kind: str) -> T | None:
        """Do it in the buffer, and have the task look at it; None where that fails."""
        self._renew()
        done = await self._in_turn(self._guarded, work, case_id, kind)
        self._wake_up()
        return done

    def _start(self) -> None:
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._process = os.getpid()
        self._disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="aftercare")
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()

    def _renew(self) -> None:
        if self._process != os.getpid():  # a forked process has neither the thread nor the task
            self._begin_anew()

    async def _in_turn(self, work: Callable[..., T], *told: Any) -> T:
        """Do it on the buffer's thread, behind what was asked of it before; also where the caller is cancelled."""
        return await asyncio.shield(asyncio.wrap_future(self._disk.submit(work, *told)))

    def _wake_up(self) -> None:
        """See to it that the task runs, in the loop that is at hand; from a thread without one, in the last one."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            if self._loop and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._wake_up)
            return
        if self._task is None or self._task.done() or self._loop is not loop:
            self._loop, self._wake = loop, asyncio.Event()
            self._task = loop.create_task(self._send(self._wake), name="aftercare")
        self._wake.set()

    async def _send(self, wake: asyncio.Event) -> None:
        try:
            async with self._http() as http:
                while True:
                    if pause := await self._one(http):
                        with suppress(TimeoutError):
                            async with asyncio.timeout(pause):
                                await wake.wait()
                        wake.clear()
        finally:
            self._disk.submit(self._buffer.rest)

    async def _one(self, http: httpx.AsyncClient) -> float:
        """Send a message if one is due; gives the seconds until the next look."""
        due = await self._in_turn(self._guarded, lambda _: self._sending.due(), "", "sending")
        if due is None or isinstance(due, float):
            return 5.0 if due is None else due
        answer = await ask_async(http, self._sending.request(due), self._timeout)
        await self._in_turn(self._guarded, lambda _: self._sending.heard(due, answer), "", "sending")
        return 0.0

    def _http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(**settings(self._url, self._key, self._timeout), transport=self._transport)
