"""The shops of a run: one for each line of business, with the name it has in policy books, its data, its address."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx

# What the policy book of each line of business calls the system of record that its shop stands for.
SYSTEMS = {"airline": "airline", "retail": "shop"}


def data_beside(cases: Path) -> Path | None:
    """The database that goes with a file of cases: `x_db.json.gz` with `x_cases.jsonl.gz`, none with other names."""
    return cases.with_name(cases.name.replace("cases.jsonl", "db.json")) if "cases.jsonl" in cases.name else None


def system_addresses(shops: Mapping[str, str]) -> dict[str, str]:
    """The shops as AFTERCARE_SYSTEMS has them: by the system's name, with a place for the case's own copy."""
    return {SYSTEMS[domain]: f"{address}/copies/{{environment}}" for domain, address in shops.items()}


def shop_addresses(systems: Mapping[str, str]) -> dict[str, str]:
    """The way back: where the shop of each line of business is, for those that are set."""
    return {domain: systems[name].split("/copies/")[0] for domain, name in SYSTEMS.items() if name in systems}


def as_arguments(shops: Mapping[str, str]) -> list[str]:
    """How a process of the run is told where the shops are."""
    return [part for domain, address in shops.items() for part in ("--shop", f"{domain}={address}")]


def from_argument(argument: str) -> tuple[str, str]:
    """One of these, read: a line of business and the address of its shop."""
    domain, given, address = argument.partition("=")
    if not given:
        raise ValueError("a shop is named as domain=address")
    return domain, address


@asynccontextmanager
async def spoken_to(shops: Mapping[str, str]) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    """Speaks to the shop of each line of business, for as long as the block lasts."""
    async with AsyncExitStack() as stack:
        yield {
            domain: await stack.enter_async_context(httpx.AsyncClient(base_url=address, timeout=30))
            for domain, address in shops.items()
        }
