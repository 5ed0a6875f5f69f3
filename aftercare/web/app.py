"""The HTTP API, put together: what it needs is handed in, and every route of it is listed here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from fastapi import APIRouter, FastAPI
from temporalio.client import Client

from aftercare import __doc__ as purpose
from aftercare.codec import codec_of
from aftercare.courier import Courier
from aftercare.erasure import Erasure
from aftercare.gateway import Gateway
from aftercare.keys import Keys, Role
from aftercare.settings import Settings
from aftercare.store.cases import Cases
from aftercare.store.finding import Finder
from aftercare.store.keys import KeyStore
from aftercare.surveys import Surveys, held_answers, links_of
from aftercare.systems.asking import HandedPort
from aftercare.web.access import Access
from aftercare.web.asking import asking_routes
from aftercare.web.cases import agents_routes, people_routes
from aftercare.web.codec import codec_routes
from aftercare.web.erasures import erasure_routes
from aftercare.web.keys import key_routes
from aftercare.web.limits import BoundedBodies, Rate
from aftercare.web.looking import looking_routes
from aftercare.web.otlp.routes import trace_routes
from aftercare.web.problems import ProblemDetails, answer_with_problems
from aftercare.web.reports import report_routes
from aftercare.web.survey import survey_routes
from aftercare.web.tracing import held_by, known_in, written_by
from aftercare.web.webhooks.mapping import load_sources
from aftercare.web.webhooks.routes import webhook_routes
from aftercare.web.writing import Writing


@dataclass(frozen=True)
class Api:
    """What the API works with."""

    client: Client
    cases: Cases
    settings: Settings
    without_keys: bool = False


def create_app(api: Api) -> FastAPI:
    """The app: JSON in and out, problems as RFC 9457 says, described by OpenAPI at `/openapi.json`."""
    gateway = Gateway(api.client, api.cases)
    courier = Courier(gateway)
    keys = Keys(KeyStore(api.cases.database))
    access = Access(keys, api.cases, Rate(api.settings.rate), api.without_keys)

    @asynccontextmanager
    async def running(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await courier.close()

    writing = Writing(gateway, courier)
    # The usual pages for people load their parts from elsewhere; the description itself is at /openapi.json.
    app = FastAPI(
        title="Aftercare", description=purpose or "", version="1", lifespan=running, docs_url=None, redoc_url=None
    )
    app.add_middleware(BoundedBodies)
    answer_with_problems(app)
    for routes in (
        agents_routes(writing, access),
        people_routes(writing, access),
        looking_routes(gateway, api.cases, access),
        _traces(api, gateway, courier, access),
        _webhooks(api, gateway, courier),
        *_surveys(api, gateway, access),
        report_routes(api.cases, access.needs(Role.REVIEWER, Role.OPERATOR)),
        erasure_routes(Erasure(api.client, api.cases), access.who(Role.ADMIN)),
        *_codec(api, access),
        key_routes(keys, access),
        _health(),
    ):
        app.include_router(routes)
    _describe_problems(app)
    return app


def _traces(api: Api, gateway: Gateway, courier: Courier, access: Access) -> APIRouter:
    writes = written_by(api.settings.policies)
    may = access.needs(Role.AGENT)
    return trace_routes(held_by(gateway, courier, access), known_in(api.cases), writes, may_write=may)


def _webhooks(api: Api, gateway: Gateway, courier: Courier) -> APIRouter:
    """A source's signature is its key."""

    async def take(case_id: str, kind: str, raw: dict[str, Any]) -> None:
        courier.soon(await gateway.hold(case_id, kind, raw, "webhook"))

    sources = load_sources(api.settings.webhooks)
    return webhook_routes(sources, Finder(api.cases.database), take, lambda: datetime.now(UTC))


def _surveys(api: Api, gateway: Gateway, access: Access) -> Iterator[APIRouter]:
    """The answer page, and the link for the agent, where customers are asked."""
    if links := links_of(api.settings):
        held = partial(held_answers, api.cases)
        yield survey_routes(links, partial(gateway.signal, by="survey"), held, api.settings.organisation)
        yield asking_routes(Surveys(api.cases, links, HandedPort(), api.settings.organisation), access)


def _codec(api: Api, access: Access) -> Iterator[APIRouter]:
    """Opens histories for Temporal's UI, where they are encrypted."""
    if codec := codec_of(api.settings.codec_keys.get_secret_value()):
        may = access.needs(Role.REVIEWER, from_pages=api.settings.ui_origins)
        routes = APIRouter(prefix="/v1/codec")
        routes.include_router(codec_routes(codec, may, api.settings.ui_origins))
        yield routes


def _health() -> APIRouter:
    routes = APIRouter(tags=["health"])

    @routes.get("/v1/health")
    async def health() -> dict[str, str]:
        """Whether the API is up; `aftercare doctor` says the rest."""
        return {"status": "up"}

    return routes


def _describe_problems(app: FastAPI) -> None:
    """The description names problem details where FastAPI would name its own errors."""
    describe = app.openapi

    def described() -> dict[str, Any]:
        schema = describe()
        parts = schema["components"]["schemas"]
        parts["ProblemDetails"] = ProblemDetails.model_json_schema()
        for name in ("HTTPValidationError", "ValidationError"):
            parts.pop(name, None)
        return schema

    app.openapi = described  # type: ignore[method-assign]
