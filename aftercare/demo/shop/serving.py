"""Runs the shop on this machine only: until a signal comes, or for the length of a `with` block."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue

import uvicorn
from fastapi import FastAPI


class _Server(uvicorn.Server):
    """Says its address once it accepts connections."""

    def __init__(self, app: FastAPI, on_ready: Callable[[str], None]) -> None:
        super().__init__(uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off"))
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for held in sockets or []:
            self._on_ready("http://{}:{}".format(*held.getsockname()))


def serve(app: FastAPI, port: int = 0, on_ready: Callable[[str], None] = print) -> None:
    """Serve until SIGTERM or SIGINT."""
    with socket.create_server(("127.0.0.1", port)) as held:
        _Server(app, on_ready).run(sockets=[held])


@contextmanager
def running(app: FastAPI, port: int = 0) -> Iterator[str]:
    """The shop in a thread of this process, for as long as the block lasts; yields its address."""
    ready: SimpleQueue[str] = SimpleQueue()
    with socket.create_server(("127.0.0.1", port)) as held:
        server = _Server(app, ready.put)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [held]}, daemon=True)
        thread.start()
        try:
            yield ready.get(timeout=30)
        finally:
            server.should_exit = True
            thread.join()
