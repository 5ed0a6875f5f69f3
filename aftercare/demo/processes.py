"""Child processes: started, waited for, spoken to line by line, and ended by their own handle."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

TEMPORAL = str(Path(sys.executable).parent / "temporal")
PATIENCE = 25.0
TRIES = 10


class ChildFailed(RuntimeError):
    """A child process did not come up, or ended when it should not have."""


Ready = Callable[["Child"], Awaitable[object]]


class Child:
    """A child process that speaks in lines."""

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self.name, self._process = name, process

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    async def line(self) -> str | None:
        """The next line of its output; None at its end."""
        assert self._process.stdout
        raw = await self._process.stdout.readline()
        return raw.decode().rstrip("\n") if raw else None

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """Its output, a JSON object a line."""
        while (line := await self.line()) is not None:
            if line.startswith("{"):
                yield json.loads(line)

    async def tell(self, message: Any) -> None:
        """Send it one JSON line."""
        assert self._process.stdin
        self._process.stdin.write((json.dumps(message) + "\n").encode())
        await self._process.stdin.drain()

    def no_more(self) -> None:
        """Close its input."""
        assert self._process.stdin
        self._process.stdin.close()

    async def ready(self, beginning: str, within: float = 60.0) -> str:
        """Wait for the line that says it is up, and give what follows `beginning`."""
        try:
            async with asyncio.timeout(within):
                while (line := await self.line()) is not None:
                    if line.startswith(beginning):
                        return line.removeprefix(beginning).strip()
        except TimeoutError:
            raise ChildFailed(f"{self.name} was not ready after {within:.0f} s") from None
        raise ChildFailed(f"{self.name} ended before it was ready, with exit code {await self._process.wait()}")

    async def finished(self) -> int:
        """Wait for its end."""
        return await self._process.wait()

    def kill(self) -> None:
        """End it as a crash would."""
        self._process.kill()

    async def stop(self) -> None:
        """Ask it to end, and end it if it does not."""
        if not self.running:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(PATIENCE):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


async def start(name: str, *command: str, env: Mapping[str, str] | None = None, quiet: bool = False) -> Child:
    """Start a child process. Its errors go to our own stderr, unless it is to be quiet."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL if quiet else None,
        env={**os.environ, **(env or {})},
        limit=16 * 1024 * 1024,
        start_new_session=True,  # a Ctrl-C in the terminal is ours to pass on, in order
    )
    return Child(name, process)


@asynccontextmanager
async def running(name: str, *command: str, env: Mapping[str, str] | None = None) -> AsyncIterator[Child]:
    """A child process for as long as the block lasts."""
    child = await start(name, *command, env=env)
    try:
        yield child
    finally:
        await child.stop()


class Kept:
    """A child process that is started again whenever it ends, however it ended, until the block around it does."""

    def __init__(self, child: Child, again: Callable[[], Awaitable[Child]]) -> None:
        self._child, self._again = child, again
        self.restarts = 0

    @property
    def running(self) -> bool:
        return self._child.running

    def kill(self) -> None:
        """End the one that runs now as a crash would."""
        if self._child.running:
            self._child.kill()

    async def watch(self) -> None:
        """Start it again, again and again. Raises ChildFailed where it does not come up any more."""
        while True:
            await self._child.finished()
            self.restarts += 1
            self._child = await self._up_again()

    async def _up_again(self) -> Child:
        for _ in range(TRIES - 1):
            try:
                return await self._again()
            except ChildFailed:  # what it needs may be down itself just now
                await asyncio.sleep(1)
        return await self._again()

    async def stop(self) -> None:
        await self._child.stop()


@asynccontextmanager
async def kept(name: str, *command: str, ready: Ready, env: Mapping[str, str] | None = None) -> AsyncIterator[Kept]:
    """A child process kept alive for as long as the block lasts; `ready` waits until it is up."""

    async def again() -> Child:
        child = await start(name, *command, env=env)
        try:
            await ready(child)
        except BaseException:
            await child.stop()
            raise
        return child

    keeping, owner = Kept(await again(), again), asyncio.current_task()
    watching = asyncio.create_task(keeping.watch())
    watching.add_done_callback(lambda done: owner.cancel() if owner and not done.cancelled() else None)
    try:
        yield keeping
    except asyncio.CancelledError:
        if owner and watching.done() and not watching.cancelled() and (failure := watching.exception()):
            owner.uncancel()
            raise failure from None
        raise
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await keeping.stop()


def python(module: str, *arguments: str) -> Sequence[str]:
    """The command that runs a module of ours."""
    return (sys.executable, "-m", module, *arguments)


def free_port(rather: int = 0) -> int:
    """A port on loopback that is free just now: the one that is wished for, if it is."""
    try:
        with socket.create_server(("127.0.0.1", rather)) as held:
            return int(held.getsockname()[1])
    except OSError:
        return free_port()


def say(**event: Any) -> None:
    """A child's word to its parent: one JSON line."""
    print(json.dumps(event), flush=True)
