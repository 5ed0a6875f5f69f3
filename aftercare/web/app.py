"""The HTTP API, put together: what it needs is handed in, and every route of it is listed here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI
from temporalio.client import Client

from aftercare import __doc__ as purpose
from aftercare.courier import Courier
from aftercare.gateway import Gateway
from aftercare.keys import Keys
from aftercare.settings import Settings
from aftercare.store.cases import Cases
from aftercare.store.keys import KeyStore
from aftercare.web.access import Access
from aftercare.web.cases import agents_routes, people_routes
from aftercare.web.keys import key_routes
from aftercare.web.limits import BoundedBodies, Rate
from aftercare.web.looking import looking_routes
from aftercare.web.problems import ProblemDetails, answer_with_problems
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

    app = FastAPI(title="Aftercare", description=purpose or "", version="1", lifespan=running, redoc_url=None)
    app.add_middleware(BoundedBodies)
    answer_with_problems(app)
    for routes in (
        agents_routes(Writing(gateway, courier), access),
        people_routes(Writing(gateway, courier), access),
        looking_routes(gateway, api.cases, access),
        key_routes(keys, access),
        _health(),
    ):
        app.include_router(routes)
    _describe_problems(app)
    return app


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
