"""Limits on what comes in: its size, its encoding, how deeply it is nested, and how much of it a second."""

from __future__ import annotations

import re
from collections.abc import Callable

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aftercare.web.problems import Problem, answer

LARGEST_BODY = 5 * 1024 * 1024
DEEPEST = 64
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")
_PACKED = re.compile(rb"\x1f\x8b|[\x08\x18(8HXhx]")  # as gzip and zlib begin, and nothing does that is nested


class BoundedBodies:
    """Reads a body to its end before anything else does, and refuses what no parser should meet."""

    def __init__(self, app: ASGIApp, largest: int = LARGEST_BODY, deepest: int = DEEPEST) -> None:
        self._app, self._largest, self._deepest = app, largest, deepest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with the problem of its body."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "DELETE", "OPTIONS"):
            return await self._app(scope, receive, send)
        request = Request(scope, receive)
        try:
            body = await self._read(request)
            if _is_json(request) and not _is_packed(request, body):  # whoever unpacks it checks what was packed
                check_json(body, self._deepest)
        except Problem as problem:
            return await answer(problem)(scope, receive, send)
        except GoneAway:
            return None
        return await self._app(scope, _again(body, receive), send)

    async def _read(self, request: Request) -> bytes:
        told = request.headers.get("content-length", "0")
        if told.isdecimal() and int(told) > self._largest:
            raise self._too_large()
        read = bytearray()
        while True:
            message = await request.receive()
            if message["type"] == "http.disconnect":
                raise GoneAway
            read += message.get("body", b"")
            if len(read) > self._largest:
                raise self._too_large()
            if not message.get("more_body"):
                return bytes(read)

    def _too_large(self) -> Problem:
        return Problem(413, "too-large", f"a request has at most {self._largest // 1024:,} kB; send it in parts")


class GoneAway(Exception):
    """The client hung up before its body was whole."""


def check_json(body: bytes, deepest: int = DEEPEST) -> None:
    """Raises Problem for bytes that are no UTF-8, or JSON that is nested too deeply for any message of ours."""
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise Problem(400, "not-utf-8", f"the body is not UTF-8: byte {error.start} cannot be read") from None
    if b"\0" in body:  # UTF-16 would be read as JSON too, and has quotes of its own
        raise Problem(400, "not-utf-8", "the body is not JSON in UTF-8: it has NUL bytes")
    if body.count(b"[") + body.count(b"{") > deepest and _depth(body) > deepest:
        raise Problem(400, "too-deep", f"the body is nested more than {deepest} levels deep")


def _depth(body: bytes) -> int:
    depth = deepest = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", body)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "application/json").split(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def _is_packed(request: Request, body: bytes) -> bool:
    """Whether a body is packed as it says: a route that unpacks nothing would read one that is not."""
    said = request.headers.get("content-encoding", "identity").lower() != "identity"
    return said and _PACKED.match(body) is not None


def _again(body: bytes, receive: Receive) -> Receive:
    """A body that was read, once more; then whatever the client does."""
    left = [body]

    async def replayed() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return replayed


class Rate:
    """So many requests in so much time for each sender, as `100/second` says; empty for as many as they like."""

    def __init__(self, limit: str) -> None:
        self._limit: RateLimitItem | None = parse(limit) if limit else None
        self._window = FixedWindowRateLimiter(MemoryStorage())

    def check(self, sender: str) -> None:
        """Count a request. Raises Problem where the sender has none left."""
        if self._limit is None or self._window.hit(self._limit, sender):
            return
        wait = self._limit.get_expiry()
        told = f"at most {self._limit} of one sender are taken; wait, and send the same again"
        raise Problem(429, "too-many", told, headers={"Retry-After": str(wait)})


Check = Callable[[str], None]
