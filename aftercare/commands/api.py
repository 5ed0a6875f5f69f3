"""`aftercare api`: serves the HTTP API."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import uvicorn
from cyclopts import App, Parameter, validators
from fastapi import FastAPI

from aftercare.commands.answering import Answer, NotAsked, answered
from aftercare.commands.door import opened
from aftercare.web.app import Api, create_app

Port = Annotated[int, Parameter(validator=validators.Number(gte=0, lte=65535))]

api = App(name="api")


@api.default
async def serve(host: str = "127.0.0.1", port: Port = 8080, without_keys: bool = False) -> int:
    """Serve the HTTP API until told to stop. Its description is at /openapi.json.

    Parameters
    ----------
    host
        The address to listen on; this machine alone unless told otherwise.
    port
        The port to listen on.
    without_keys
        Let everybody on this machine in as an admin, for a rehearsal. Only on loopback.
    """

    async def work() -> Answer:
        if without_keys and host not in ("127.0.0.1", "localhost", "::1"):
            raise NotAsked("wrong_input", [f"--without-keys is for this machine alone, and {host} is not"])
        async with opened() as door:
            app = create_app(Api(door.client, door.cases, door.settings, without_keys))
            await served(app, host, port)
        return Answer({})

    return await answered(False, work())


class Server(uvicorn.Server):
    """Says when it is up, and ends in order when it is told to."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen."""
        await super().startup(sockets)
        if self.started:
            print(f"api ready http://{self.config.host}:{self.config.port}", flush=True)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Being told to stop is no failure: the exit code stays the command's own."""
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(sign, self.handle_exit, sign, None)
        yield


async def served(app: FastAPI, host: str, port: int) -> None:
    """Serve an app until told to stop. Raises NotAsked where the port is taken."""
    config = uvicorn.Config(
        app, host, port, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=10
    )
    logging.getLogger("uvicorn.error").addFilter(
        lambda record: record.exc_info is None
    )  # told by the app, without words
    try:
        await Server(config).serve()
    except SystemExit:
        raise NotAsked("wrong_input", [f"port {port} cannot be listened on; is it taken? (--port)"]) from None
