"""The codec endpoint: opens encrypted payloads for Temporal's UI and CLI, for those who may read them.

Both send a list of payloads as Temporal writes them in JSON and want it back, decoded or encoded, in the same order.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Collection, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.routing import APIRoute
from pydantic import BaseModel, BeforeValidator, Field
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Receive, Scope, Send
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from aftercare.codec import Unreadable
from aftercare.web.problems import Problem, documented

HEADERS = ("content-type", "x-namespace", "authorization")

Base64 = Annotated[str, Field(pattern=r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$")]


def _in_unicode(metadata: Any) -> Any:
    """JSON may name what is no text, which a payload cannot hold."""
    if isinstance(metadata, dict) and any(re.search("[\ud800-\udfff]", name) for name in metadata):
        raise ValueError("a name in it is no text")
    return metadata


class PayloadJson(BaseModel):
    """One payload, its bytes as base64; what is left out or null is empty."""

    metadata: Annotated[dict[str, Base64] | None, BeforeValidator(_in_unicode)] = None
    data: Base64 | None = None


class PayloadsJson(BaseModel):
    """What goes in and out."""

    payloads: list[PayloadJson]


def codec_routes(codec: PayloadCodec, may_decode: Callable[..., Any], origins: Collection[str] = ()) -> APIRouter:
    """`POST /decode` and `POST /encode`, for whom the dependency `may_decode` lets pass.

    `origins`: of the Temporal UIs whose pages may call, as the browser names them (`http://localhost:8233`); they may
    send the user's access token or cookies. Raises Problem 400 for a payload that does not open; what is no list of
    payloads is 422.
    """

    class ForTheUi(APIRoute):
        """Answers a browser's question whether it may call, and lets it read every answer, errors too."""

        async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
            shared = CORSMiddleware(
                super().handle,
                allow_origins=origins,
                allow_methods=["POST"],
                allow_headers=HEADERS,
                allow_credentials=True,
            )
            await shared(scope, receive, send)

    router = APIRouter(route_class=ForTheUi, dependencies=[Depends(may_decode)], tags=["codec"])

    @router.post("/decode", responses=documented(422))
    async def decode(body: PayloadsJson) -> PayloadsJson:
        """What Temporal holds encrypted, in clear. A payload that is not encrypted comes back as it is."""
        try:
            return _as_json(await codec.decode(_payloads(body)))
        except Unreadable as error:
            raise Problem(400, "unreadable-payload", str(error)) from None

    @router.post("/encode", responses=documented(422))
    async def encode(body: PayloadsJson) -> PayloadsJson:
        """What the UI or the CLI is about to send to a workflow, encrypted."""
        return _as_json(await codec.encode(_payloads(body)))

    return router


def _payloads(body: PayloadsJson) -> list[Payload]:
    return [
        Payload(
            metadata={name: b64decode(value) for name, value in (p.metadata or {}).items()},
            data=b64decode(p.data or ""),
        )
        for p in body.payloads
    ]


def _as_json(payloads: Sequence[Payload]) -> PayloadsJson:
    return PayloadsJson(
        payloads=[
            PayloadJson(metadata={name: _text(value) for name, value in p.metadata.items()}, data=_text(p.data))
            for p in payloads
        ]
    )


def _text(data: bytes) -> str:
    return b64encode(data).decode()
