"""What runs in every worker beside the stories: the sweeper, the sender, and who brings supervisors back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from temporalio.client import Client

from aftercare.gateway import Gateway
from aftercare.moods import Moods, scorer_of
from aftercare.sender import Handler
from aftercare.settings import Settings
from aftercare.store.cases import Cases
from aftercare.store.outbox import SENTIMENT
from aftercare.supervisors import Supervisors
from aftercare.surveys import sender_of
from aftercare.sweeper import Sweeper


@asynccontextmanager
async def beside(
    settings: Settings, client: Client, cases: Cases, http: httpx.AsyncClient, supervisors: Supervisors
) -> AsyncIterator[None]:
    """Sweep, send and bring back for as long as the block lasts. Raises ValueError where a setting is wrong."""
    scorer = scorer_of(settings)
    others: dict[str, Handler] = {SENTIMENT: Moods(cases, scorer).score} if scorer else {}
    sweeper, sender = Sweeper(Gateway(client, cases), cases.inbox), sender_of(settings, cases, http, others)
    running = [asyncio.create_task(one.run()) for one in (sweeper, sender, supervisors)]
    try:
        yield
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
