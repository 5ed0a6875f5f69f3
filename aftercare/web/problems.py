"""Errors as RFC 9457 problem details: what was wrong, where, and what to do; never whose words were sent."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from http import HTTPStatus
from traceback import format_tb
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from aftercare.codec import Unreadable
from aftercare.delivery import NoAnswerYet, NotOpen
from aftercare.gateway import Gone
from aftercare.lifecycle.intake import in_words
from aftercare.lifecycle.state import Conflict, Refused
from aftercare.web.webhooks.refusals import WebhookRefused

MEDIA_TYPE = "application/problem+json"
log = logging.getLogger(__name__)


class ProblemDetails(BaseModel):
    """What went wrong (RFC 9457). `type` names the kind of problem for programs, `reasons` all of it for people."""

    type: str
    title: str
    status: int
    detail: str
    reasons: list[str]


class Problem(Exception):
    """A problem to answer with. `slug` is its kind, in one or two words."""

    def __init__(self, status: int, slug: str, *reasons: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(slug)
        self.status, self.slug, self.reasons, self.headers = status, slug, list(reasons), headers or {}


def answer(problem: Problem) -> JSONResponse:
    """A problem as a response."""
    told = ProblemDetails(
        type=f"urn:aftercare:problem:{problem.slug}",
        title=problem.slug.replace("-", " "),
        status=problem.status,
        detail="; ".join(problem.reasons),
        reasons=problem.reasons,
    )
    return JSONResponse(told.model_dump(), problem.status, problem.headers, media_type=MEDIA_TYPE)


_REFUSALS = ((Gone, 410, "erased"), (Conflict, 409, "conflict"), (Refused, 422, "refused"))


def told(error: Exception) -> Problem:
    """The problem that an error of ours is."""
    match error:
        case Problem():
            return error
        case WebhookRefused():
            return Problem(error.status, error.slug, *error.reasons)
        case Refused():
            status, slug = next((status, slug) for kind, status, slug in _REFUSALS if isinstance(error, kind))
            return Problem(status, slug, *error.reasons)
        case NotOpen():
            return Problem(404, "no-such-case", "nobody ever heard of this case")
        case NoAnswerYet():
            return Problem(503, "no-answer-yet", str(error), headers={"Retry-After": "5"})
        case Unreadable():
            return Problem(503, "unreadable", str(error))
        case RequestValidationError():
            return _invalid(error)
        case HTTPException():
            slug = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
            return Problem(error.status_code, slug, str(error.detail), headers=dict(error.headers or {}))
    return _fault(error)


def _fault(error: Exception) -> Problem:
    if isinstance(error, SQLAlchemyError | OSError):
        log.error("store_unreachable", extra={"reason": type(error).__name__})
        return Problem(503, "store", "the store does not answer; try again", headers={"Retry-After": "5"})
    # An error's own words may be a customer's: where it happened is told, and what kind it is.
    log.error("request_failed: %s\n%s", type(error).__name__, "".join(format_tb(error.__traceback__)))
    return Problem(500, "fault", "this is a fault of ours; it is in the log of the API")


KINDS: Sequence[type[Exception]] = (
    Problem,
    WebhookRefused,
    Refused,
    NotOpen,
    NoAnswerYet,
    Unreadable,
    RequestValidationError,
    HTTPException,
    SQLAlchemyError,
    OSError,
    Exception,
)


def answer_with_problems(app: FastAPI) -> None:
    """Let every error of the app be answered as a problem."""

    async def answered(_request: Request, error: Exception) -> JSONResponse:
        return answer(told(error))

    for kind in KINDS:
        app.add_exception_handler(kind, answered)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems of a route, for its OpenAPI description."""
    schema = {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}
    always = (400, 401, 403, 413, 415, 429, 503)
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: schema}}
        for status in sorted({*always, *statuses})
    }


def _invalid(error: RequestValidationError) -> Problem:
    problems = error.errors()
    if any(p["type"] == "json_invalid" for p in problems):
        return Problem(
            400, "not-json", *(f"the body is not JSON: {p.get('ctx', {}).get('error', '')}" for p in problems)
        )
    if any(p["loc"] == ("body",) and isinstance(p["input"], bytes) for p in problems):
        return Problem(415, "unsupported-media-type", "send the body with the header Content-Type: application/json")
    reasons = [in_words({**p, "loc": p["loc"][1:] or p["loc"]}) for p in problems]
    return Problem(422, "refused", *dict.fromkeys(reasons))
