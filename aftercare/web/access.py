"""Who is asking, and whether they may: a bearer key, its role, its agent, and how much it sends."""

# Annotations are evaluated here: a dependency names the one it rests on, which is known once it is made.

import ipaddress
from collections.abc import Awaitable, Callable, Collection
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from aftercare.keys import LOCAL, Caller, Keys, Role
from aftercare.store.cases import Cases
from aftercare.web.limits import Rate
from aftercare.web.problems import Problem

Needs = Callable[..., Awaitable[Caller]]
AgentOf = Callable[[str], Awaitable[str | None]]

_bearer = HTTPBearer(auto_error=False, description="An API key, as `aftercare key create` shows it once.")
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
MOST_REMEMBERED = 10_000


class Access:
    """Answers who may do what. Without keys everybody on this machine is an admin: only `aftercare dev` allows that."""

    def __init__(self, keys: Keys, cases: Cases, rate: Rate, without_keys: bool = False) -> None:
        self._keys, self._cases, self._rate, self._without_keys = keys, cases, rate, without_keys
        self._agents: dict[str, str] = {}

    def who(self, *roles: Role) -> Callable[..., Awaitable[str]]:
        """The same, giving only the name under which it is written down."""

        async def name(caller: Annotated[Caller, Depends(self.needs(*roles))]) -> str:
            return caller.id

        return name

    def needs(self, *roles: Role, from_pages: Collection[str] = ()) -> Needs:
        """A dependency that lets these roles in, and gives who it is.

        `from_pages` are the origins of pages that may send a browser here without a key, where none is needed.
        """

        async def caller(request: Request, bearer: Bearer) -> Caller:
            found = await self._caller(request, bearer.credentials if bearer else None, from_pages)
            self._rate.check(found.id)
            if not found.may(*roles):
                told = " or ".join(dict.fromkeys([*roles, Role.ADMIN]))
                raise Problem(403, "wrong-role", f"this takes a key of the role {told}, and yours is {found.role}")
            return found

        return caller

    async def check_agent(self, caller: Caller, case_id: str) -> None:
        """Raises Problem where a key of one agent reaches for a case that is not known to be that agent's."""
        if caller.agent and await self.agent_of(case_id) != caller.agent:
            raise Problem(403, "not-yours", f"case {case_id!r} is not registered by agent {caller.agent!r}")

    async def agent_of(self, case_id: str) -> str | None:
        """The agent that registered a case, or is about to."""
        if known := self._agents.get(case_id):
            return known
        row = await self._cases.find(case_id)
        if row is None:  # a registration that is held may still be refused, and another agent's be taken
            return await self._cases.agent_of(case_id)
        if len(self._agents) >= MOST_REMEMBERED:
            self._agents.clear()
        self._agents[case_id] = row.agent  # once registered, it never changes
        return row.agent

    async def _caller(self, request: Request, token: str | None, pages: Collection[str]) -> Caller:
        if self._without_keys and _local(request, pages):
            return LOCAL
        if token is None:
            told = "send a key: `Authorization: Bearer ak_...`; `aftercare key create` makes one"
            raise Problem(401, "no-key", told, headers={"WWW-Authenticate": "Bearer"})
        caller = await self._keys.caller(token)
        if caller is None:
            self._rate.check(f"wrong:{request.client.host if request.client else ''}")
            told = "this key was never made, or was revoked"
            raise Problem(401, "wrong-key", told, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        return caller


def _local(request: Request, pages: Collection[str]) -> bool:
    """Whether a request comes from this machine, and was meant for it: a page elsewhere may send a browser here."""
    if request.headers.get("origin", "") not in ("", *pages):
        return False
    try:
        near = ipaddress.ip_address(request.client.host if request.client else "").is_loopback
    except ValueError:
        near = False
    return near and request.url.hostname in ("127.0.0.1", "localhost", "::1")
