"""The HTTP API on the desk of the case tests: a real Temporal that skips time, a worker, a store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from pydantic import SecretStr

from aftercare.keys import Keys, Role
from aftercare.settings import Settings
from aftercare.store.keys import KeyStore
from aftercare.web.app import Api, create_app
from tests.cases.conftest import desk, env
from tests.cases.desk import Desk

__all__ = ["desk", "env"]

GENERIC = "the-secret-of-a-generic-source"
Asking = Callable[..., Awaitable[httpx.Response]]


@dataclass
class Site:
    """The API, and keys of every role to ask it with."""

    desk: Desk
    app: FastAPI
    http: httpx.AsyncClient
    tokens: dict[str, str] = field(default_factory=dict)

    def as_(self, role: Role | str | None) -> dict[str, str]:
        """The header of a key of this role."""
        return {"Authorization": f"Bearer {self.tokens[role]}"} if role else {}

    async def ask(
        self, method: str, path: str, body: Any = None, role: str | None = Role.ADMIN, **headers: str
    ) -> httpx.Response:
        """One request, as JSON."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.request(method, path, json=body, headers=self.as_(role) | named)

    async def open(self, name: str, **particulars: Any) -> str:
        """A registered case; gives its path."""
        case = self.desk.case(name)
        told = {"agent": "retail", "domain": "retail", "customer": "ann", **particulars}
        answer = await self.ask("PUT", f"/v1/cases/{case.id}", told, Role.AGENT, Prefer="wait=10")
        assert answer.status_code == 200, answer.text
        return f"/v1/cases/{case.id}"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site(desk: Desk) -> AsyncIterator[Site]:
    """The API over the desk."""
    asked = {"survey_secret": SecretStr("s" * 40), "public_url": "http://127.0.0.1:8080"}
    settings = Settings(rate="", **asked)  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as env:  # secrets of webhooks come from the environment alone
        env.setenv("AFTERCARE_WEBHOOK_GENERIC_SECRET", GENERIC)
        app = create_app(Api(desk.env.client, desk.cases, settings))
    keys = Keys(KeyStore(desk.cases.database))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        site = Site(desk, app, http)
        for role in Role:
            _, site.tokens[role] = await keys.make(f"the {role}", role)
        _, site.tokens["other agent"] = await keys.make("another agent", Role.AGENT, "somebody-else")
        yield site
