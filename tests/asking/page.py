"""An app with the answer page alone, over an inbox in memory that takes each id once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI

from aftercare.asking.links import Links
from aftercare.lifecycle.intake import parse
from aftercare.lifecycle.state import Conflict, Refused
from aftercare.messages.evidence import Feedback
from aftercare.web.survey import Clock, survey_routes


class Kept:
    """The twin of the gateway and its inbox. `fails` makes the store go away at that piece; `erased` the case."""

    def __init__(self) -> None:
        self.bodies: dict[str, Any] = {}
        self.fails_at: str | None = None
        self.erased = False

    async def take(self, case_id: str, kind: str, raw: dict[str, Any]) -> None:
        if self.erased:
            raise Refused(["erased"])
        if raw["id"] == self.fails_at:
            raise ConnectionError("the store is away")
        parse(Feedback, raw)
        if self.bodies.setdefault(raw["id"], raw) != raw:
            raise Conflict(["used before"])

    async def held(self, case_id: str, ids: Sequence[str]) -> Mapping[str, Any] | None:
        return None if self.erased else {id: self.bodies[id] for id in ids if id in self.bodies}

    @property
    def values(self) -> dict[str, Any]:
        return {id: body.get("value") for id, body in self.bodies.items()}


def app_of(links: Links, kept: Kept, organisation: str, clock: Clock) -> FastAPI:
    app = FastAPI()
    app.include_router(survey_routes(links, kept.take, kept.held, organisation, clock))
    return app
