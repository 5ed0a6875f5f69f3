"""A client that costs little: keep-alive HTTP/1.1 over plain streams, so that the server is what is measured."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

Request = tuple[str, Any]


class Wire:
    """A few connections to one address. Raises RuntimeError where an answer is not the one that is wanted."""

    def __init__(self, address: str, connections: int, wanted: int = 202) -> None:
        self._at, self._connections, self._wanted = urlsplit(address), connections, wanted

    async def post(self, requests: Sequence[Request]) -> None:
        """POST every request, over all connections at once."""
        left = iter(requests)

        async def one() -> None:
            reader, writer = await asyncio.open_connection(self._at.hostname, self._at.port)
            for path, body in left:
                await self._post(reader, writer, path, body)
            writer.close()

        await asyncio.gather(*(one() for _ in range(self._connections)))

    async def _post(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, body: Any) -> None:
        told = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: {self._at.netloc}\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(told)}\r\n\r\n".encode() + told)
        status = int((await reader.readline()).split()[1])
        length = 0
        while (line := await reader.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        answer = await reader.readexactly(length)
        if status != self._wanted:
            raise RuntimeError(f"{path} answered {status}: {answer[:300]!r}")
