"""The door for webhooks: POST /v1/webhooks/{source}."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict

from aftercare.lifecycle.state import Refused
from aftercare.web.webhooks.mapping import Source
from aftercare.web.webhooks.reading import LARGEST, read
from aftercare.web.webhooks.refusals import WebhookRefused
from aftercare.web.webhooks.routing import CaseFinder, Take, route

Clock = Callable[[], datetime]

_PROBLEMS = {
    400: "The body is no JSON object in UTF-8.",
    401: "The signature is missing, malformed, wrong or stale.",
    404: "There is no such source, or it has no secret.",
    413: "The body is too large.",
    422: "The source's rules have no answer for this body, or the case refuses what it tells.",
}


class Taken(BaseModel):
    """What became of a request: how many events its source's rules saw in it, and how many of them met a case."""

    model_config = ConfigDict(frozen=True)

    events: int
    matched: int


def webhook_routes(sources: Mapping[str, Source], finder: CaseFinder, take: Take, clock: Clock) -> APIRouter:
    """The routes. Whatever is not taken in raises WebhookRefused, and has changed nothing."""
    router = APIRouter(tags=["webhooks"])

    @router.post(
        "/v1/webhooks/{source}",
        status_code=202,
        summary="What a helpdesk or a survey tool tells by itself",
        responses={status: {"description": told} for status, told in _PROBLEMS.items()},
        openapi_extra={"requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}},
    )
    async def receive(source: str, request: Request) -> Taken:
        """Signed by its source; no key is needed. The same event again counts once."""
        known = _ready(sources, source)
        now = clock()
        events = read(known, request.headers, await _body(request), now)
        try:
            matched = [await route(event, finder, take, now) for event in events]
        except Refused as refused:
            raise WebhookRefused(422, "webhook-refused", refused.reasons) from refused
        return Taken(events=len(events), matched=sum(matched))

    @router.head("/v1/webhooks/{source}", include_in_schema=False)
    async def there(source: str) -> Response:
        """Some helpdesks look whether an address is there before they send anything."""
        _ready(sources, source)
        return Response()

    return router


def _ready(sources: Mapping[str, Source], name: str) -> Source:
    source = sources.get(name)
    if source is None or not source.secrets:
        told = "there is no webhook source of this name here, or the environment variable with its secret is not set"
        raise WebhookRefused(404, "unknown-source", [told])
    return source


async def _body(request: Request) -> bytes:
    """The bytes as they came, and no more of them than are taken."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise WebhookRefused(413, "body-too-large", [f"at most {LARGEST // 1024:,} kB are taken"])
    return bytes(body)
