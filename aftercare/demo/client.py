"""How every process of a run or a demo reaches Temporal: with the codec of the environment that all of them share."""

from __future__ import annotations

from temporalio.client import Client

from aftercare.codec import codec_of
from aftercare.settings import Settings
from aftercare.temporal import connect


async def client_at(address: str | None = None) -> Client:
    """A client for an address, or by Temporal's own profiles. Raises RuntimeError where nothing answers."""
    return await connect(address, codec_of(Settings().codec_keys.get_secret_value()))
