"""Systems of record: where it is seen whether what an agent claimed is true."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Protocol
from urllib.parse import quote

import httpx


class OutsideError(Exception):
    """Something a system of record could not do."""


class SystemUnavailable(OutsideError):
    """The system gives no answer now; it may later. Retryable."""


class SystemMisconfigured(OutsideError):
    """The system cannot be asked at all as things are set up. Final."""


class Ref(Protocol):
    """Names a record, now or as it stood just before an operation."""

    @property
    def system(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def before(self) -> str | None: ...


class SystemOfRecord(Protocol):
    """One system. `read` gives the record, or None where there is none."""

    async def read(self, ref: Ref, environment: str) -> dict[str, Any] | None: ...


class RecordsOverHttp:
    """A system that serves `GET {address}/records/{kind}/{id}?before={operation}` as JSON."""

    def __init__(self, name: str, address: str, client: httpx.AsyncClient) -> None:
        self._name, self._address, self._client = name, address, client

    async def read(self, ref: Ref, environment: str) -> dict[str, Any] | None:
        """The record over HTTP. Raises SystemUnavailable or SystemMisconfigured."""
        base = self._address.replace("{environment}", quote(environment or "live", safe=""))
        url = f"{base}/records/{quote(ref.kind, safe='')}/{quote(ref.id, safe='')}"
        try:
            answer = await self._client.get(url, params={"before": ref.before} if ref.before else None)
        except httpx.TransportError as error:
            raise SystemUnavailable(f"{self._name} does not answer ({type(error).__name__})") from error
        if answer.status_code == 404:
            return None
        if answer.status_code in (408, 425, 429) or answer.status_code >= 500:
            raise SystemUnavailable(f"{self._name} answers {answer.status_code}")
        if answer.is_error:
            raise SystemMisconfigured(f"{self._name} refuses to be asked: {answer.status_code}")
        try:
            body = answer.json()
        except ValueError as error:
            raise SystemUnavailable(f"{self._name} answers with no JSON") from error
        return body if isinstance(body, dict) else None


class RecordsInMemory:
    """The twin: records by `kind/id`, and for `before` by (operation, `kind/id`). `down` makes it unavailable."""

    def __init__(self, records: Mapping[str, dict[str, Any]] | None = None) -> None:
        self.records = dict(records or {})
        self.before: dict[tuple[str, str], dict[str, Any]] = {}
        self.down = False
        self.reads = 0

    async def read(self, ref: Ref, environment: str) -> dict[str, Any] | None:
        """The record from memory."""
        self.reads += 1
        if self.down:
            raise SystemUnavailable(f"{ref.system} is down")
        name = f"{ref.kind}/{ref.id}"
        return self.before.get((ref.before, name)) if ref.before else self.records.get(name)


class Systems:
    """All systems of record of a deployment, by name."""

    def __init__(self, systems: Mapping[str, SystemOfRecord]) -> None:
        self._systems = dict(systems)

    @classmethod
    def over_http(cls, addresses: Mapping[str, str], client: httpx.AsyncClient) -> Systems:
        """Systems at these addresses."""
        return cls({name: RecordsOverHttp(name, address, client) for name, address in addresses.items()})

    async def read(self, ref: Ref, environment: str) -> dict[str, Any] | None:
        """One record. Raises SystemUnavailable or SystemMisconfigured."""
        system = self._systems.get(ref.system)
        if system is None:
            known = ", ".join(sorted(self._systems)) or "none"
            raise SystemMisconfigured(f"no system {ref.system!r} is set in AFTERCARE_SYSTEMS (there are: {known})")
        return await system.read(ref, environment)

    async def read_all(self, refs: Iterable[Any], environment: str) -> dict[Any, dict[str, Any] | None]:
        """Several records. Raises for the first that cannot be read."""
        wanted = list(refs)
        return dict(zip(wanted, await asyncio.gather(*(self.read(r, environment) for r in wanted)), strict=True))
