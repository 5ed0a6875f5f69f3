"""A child that is kept alive comes up again, however it ended; one that cannot is told of, and nothing hangs."""

from __future__ import annotations

import asyncio
import sys

import pytest

from aftercare.demo import processes
from aftercare.demo.processes import Child, ChildFailed, kept

SLEEPER = (sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)")


async def up(child: Child) -> None:
    await child.ready("up")


async def test_a_killed_child_is_started_again() -> None:
    """As often as it is killed."""
    async with kept("sleeper", *SLEEPER, ready=up) as sleeper:
        for number in (1, 2):
            sleeper.kill()
            async with asyncio.timeout(30):
                while sleeper.restarts < number or not sleeper.running:  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.05)


async def test_a_child_that_cannot_come_up_again_ends_what_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits inside the block is woken with the reason."""
    monkeypatch.setattr(processes, "TRIES", 1)
    tries = iter([True])

    async def once(child: Child) -> None:
        if not next(tries, False):
            raise ChildFailed("not again")
        await up(child)

    async def needing() -> None:
        async with kept("sleeper", *SLEEPER, ready=once) as sleeper:
            sleeper.kill()
            await asyncio.sleep(30)

    with pytest.raises(ChildFailed, match="not again"):
        await needing()


async def test_an_error_inside_the_block_passes_as_it_is() -> None:
    """And the child is ended all the same."""
    with pytest.raises(ZeroDivisionError):
        async with kept("sleeper", *SLEEPER, ready=up) as sleeper:
            raise ZeroDivisionError
    assert not sleeper.running
