"""`POST /v1/traces`: where an OTLP/HTTP exporter sends the spans of an agent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from aftercare.web.otlp.answers import failure, success
from aftercare.web.otlp.cases import Export, cases_of
from aftercare.web.otlp.decoding import JSON, LARGEST, NoExport, TooLarge, Unsupported, decoded, media_type
from aftercare.web.otlp.description import DESCRIPTION, REQUEST, RESPONSES
from aftercare.web.otlp.reading import spans_of
from aftercare.web.otlp.spans import Writes
from aftercare.web.otlp.taking import Crowded, Known, Take, Taking


def anybody() -> None:
    """Lets everybody write, and names nobody."""


def trace_routes(
    take: Take,
    known: Known,
    writes: Writes,
    domain_default: str = "",
    may_write: Callable[..., Any] = anybody,
    largest: int = LARGEST,
) -> APIRouter:
    """The route of the traces, with what it needs.

    `take` hands messages on, `known` looks cases up, `writes` tells of a tool whether it changes a system of record,
    `domain_default` is the domain of a case whose spans name none. `may_write` is a dependency that refuses whoever
    may not write; what it gives is passed to `take` as `by`. `largest` in bytes.
    """
    router, taking, writer = APIRouter(tags=["traces"]), Taking(take, known), Depends(may_write)

    def read(body: bytes, media: str, encoding: str) -> tuple[Export, int]:
        spans, nameless = spans_of(decoded(body, media, encoding, largest))
        return cases_of(spans, writes, domain_default), nameless

    @router.post(
        "/v1/traces",
        summary="Take in spans",
        description=DESCRIPTION,
        responses=RESPONSES,
        openapi_extra={"requestBody": REQUEST},
        response_class=Response,
    )
    async def export_traces(request: Request, by: Any = writer) -> Response:
        media = JSON
        try:
            media = media_type(request.headers.get("content-type", ""))
            body = await _body(request, largest)
            encoding = request.headers.get("content-encoding", "")
            export, nameless = await run_in_threadpool(read, body, media, encoding)
            taken = await taking.take_in(export, by)
        except NoExport as error:
            headers = {"Accept-Encoding": "gzip, deflate"} if isinstance(error, Unsupported) else None
            return Response(failure(media, str(error)), error.status, headers, media)
        except Crowded as error:
            return Response(failure(media, str(error)), 503, {"Retry-After": "1"}, media)
        taken.nameless = nameless
        return Response(success(media, taken.count, taken.message), media_type=media)

    return router


async def _body(request: Request, largest: int) -> bytes:
    """The body as it came, unless it is too large to be read at all."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > largest:
            raise TooLarge(f"at most {largest / 1024:,.0f} kB are taken in one export; send smaller batches")
    return bytes(body)
