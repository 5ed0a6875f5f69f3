"""The answer page: one signed, one-time page on which a customer says how it went. It needs no script.

Looking changes nothing: mail scanners open links before people do.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.types import Message

from aftercare.asking.links import LinkError, LinkExpired, Links, SurveyRef
from aftercare.asking.survey import (
    COMMENT,
    LONGEST_COMMENT,
    QUESTIONS,
    NotAnswered,
    answers_in,
    evidence_ids,
    feedback_of,
    plain_text,
)
from aftercare.lifecycle.state import Refused

LARGEST_BODY = 16 * 1024
MOST_FIELDS = 20
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}

Take = Callable[[str, str, dict[str, Any]], Awaitable[object]]
Held = Callable[[str, Sequence[str]], Awaitable[Mapping[str, Any] | None]]
Clock = Callable[[], datetime]

_HERE = Path(__file__).parent
_TEMPLATES = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

log = logging.getLogger(__name__)


def survey_routes(
    links: Links, take: Take, held: Held, organisation: str, now: Clock = lambda: datetime.now(UTC)
) -> APIRouter:
    """The routes of the answer page.

    `take(case_id, "feedback", raw)` takes one piece of evidence in, durably and once by its id; it raises Refused where
    it will not. `held(case_id, ids)` gives what was taken in under these ids by id, or None where the case was erased.
    `organisation` is in whose name the customer is asked.
    """
    desk = _Desk(links, take, held, organisation, now)
    routes = APIRouter(prefix="/v1", include_in_schema=False)
    routes.add_api_route("/survey/{token}", desk.look, methods=["GET", "HEAD"])
    routes.add_api_route("/survey/{token}", desk.answer, methods=["POST"])
    routes.add_api_route("/survey.css", _stylesheet, methods=["GET", "HEAD"])
    return routes


class _Closed(Exception):
    """There is nothing to answer here: the page that says so."""

    def __init__(self, note: str, status: int) -> None:
        super().__init__(note)
        self.note, self.status = note, status


class _Desk:
    """Shows the page, and takes what is answered."""

    def __init__(self, links: Links, take: Take, held: Held, organisation: str, now: Clock) -> None:
        self._links, self._take, self._held, self._now = links, take, held, now
        self._organisation = " ".join(organisation.split())

    async def look(self, token: str) -> Response:
        """The form, or why there is none."""
        try:
            ref = self._opened(token)
            if await self._answered(ref):
                return self._note("answered", 200)
        except _Closed as closed:
            return self._note(closed.note, closed.status)
        except Exception as error:
            return self._failed(error, {})
        return self._form({}, {}, 200)

    async def answer(self, token: str, request: Request) -> Response:
        """Take what was entered; what cannot be taken is shown again with what is wrong."""
        form: Mapping[str, str] = {}
        try:
            ref = self._opened(token)
            form = await _form_of(request)
            await self._keep(ref, form)
        except _Closed as closed:
            return self._note(closed.note, closed.status)
        except NotAnswered as wrong:
            return self._form(form, wrong.problems, 422)
        except Exception as error:
            return self._failed(error, form)
        return self._note("thanks", 200)

    async def _keep(self, ref: SurveyRef, form: Mapping[str, str]) -> None:
        pieces = feedback_of(answers_in(form), ref.survey)
        told = {piece.id: piece.model_dump(mode="json", exclude_defaults=True) for piece in pieces}
        # The same answers again are one answer: the page was sent twice, or broke off half-way.
        if any(told.get(id) != body for id, body in (await self._answered(ref)).items()):
            raise _Closed("answered", 409)
        for raw in told.values():
            try:
                await self._take(ref.case_id, "feedback", raw)
            except Refused:
                raise _Closed(*(("answered", 409) if await self._answered(ref) else ("closed", 410))) from None

    def _opened(self, token: str) -> SurveyRef:
        try:
            return self._links.read(token, self._now())
        except LinkExpired:
            raise _Closed("expired", 410) from None
        except LinkError:
            raise _Closed("unknown", 404) from None

    async def _answered(self, ref: SurveyRef) -> Mapping[str, Any]:
        held = await self._held(ref.case_id, evidence_ids(ref.survey))
        if held is None:
            raise _Closed("closed", 410)
        return held

    def _form(self, entered: Mapping[str, str], problems: Mapping[str, str], status: int) -> Response:
        asked = {"questions": QUESTIONS, "comment": COMMENT, "longest_comment": LONGEST_COMMENT}
        return self._page("survey_form.html", status, **asked, entered=entered, problems=problems)

    def _note(self, note: str, status: int) -> Response:
        return self._page("survey_note.html", status, note=note)

    def _failed(self, error: Exception, form: Mapping[str, str]) -> Response:
        """What was entered is not lost with a store that is away."""
        log.warning("survey_not_taken", extra={"reason": type(error).__name__})
        return self._form(form, {"": "Something went wrong on our side. Please send it again in a minute."}, 503)

    def _page(self, template: str, status: int, **shown: Any) -> Response:
        text = _TEMPLATES.get_template(template).render(organisation=self._organisation, **shown)
        return HTMLResponse(text, status, headers=HEADERS)


async def _form_of(request: Request) -> Mapping[str, str]:
    """The fields of a form. Raises _Closed where it is too large, or no form."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_BODY:
            raise _Closed("large", 413)

    async def replayed() -> Message:
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    try:
        form = await Request(request.scope, replayed).form(
            max_files=0, max_fields=MOST_FIELDS, max_part_size=LARGEST_BODY
        )
    except HTTPException:
        raise _Closed("unreadable", 400) from None
    return {name: plain_text(value) for name, value in form.items() if isinstance(value, str)}


async def _stylesheet() -> Response:
    return FileResponse(
        _HERE / "static" / "survey.css",
        media_type="text/css",
        headers={"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"},
    )
