"""What the client's tests share: the twin, and clients of both kinds that speak to it."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from aftercare.client import Aftercare, AsyncAftercare
from tests.client.twin import Twin

Made = Callable[..., Aftercare]


@pytest.fixture
def twin() -> Twin:
    """An Aftercare in memory."""
    return Twin()


def told(twin: Twin, file: Path | None, **settings: Any) -> dict[str, Any]:
    """The settings of a client that speaks to the twin."""
    usual = {"url": "http://twin", "agent": "shop-assistant", "domain": "retail", "buffer": file}
    return {**usual, "transport": twin.transport(), **settings}


@pytest.fixture
def made(twin: Twin, tmp_path: Path) -> Iterator[Made]:
    """Makes clients that share a buffer on disk; they are closed at the end."""
    opened: list[Aftercare] = []

    def make(**settings: Any) -> Aftercare:
        opened.append(Aftercare(**told(twin, tmp_path / "buffer.db", **settings)))
        return opened[-1]

    yield make
    for care in opened:
        care.close(0.0)


@pytest.fixture
def care(made: Made) -> Aftercare:
    """One client for programs with threads."""
    return made()


@pytest.fixture(params=[Aftercare, AsyncAftercare])
async def any_care(request: pytest.FixtureRequest, twin: Twin, tmp_path: Path) -> AsyncIterator[Any]:
    """A client of either kind; use it through `done` and `entered`."""
    opened = request.param(**told(twin, tmp_path / "buffer.db"))
    yield opened
    await done(opened.close(0.0))


async def done(given: Any) -> Any:
    """What a client gave: of an AsyncAftercare it is awaited."""
    return await given if inspect.isawaitable(given) else given


@asynccontextmanager
async def entered(case: Any) -> AsyncIterator[Any]:
    """A case of either kind, entered."""
    if hasattr(case, "__aenter__"):
        async with case as inside:
            yield inside
    else:
        with case as inside:
            yield inside
