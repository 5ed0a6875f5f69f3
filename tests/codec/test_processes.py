"""One variable turns encryption on for every process: the worker, the command line, a run, a demo."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from aftercare.codec import EncryptionCodec, new_key
from aftercare.commands import door
from aftercare.demo.client import client_at
from aftercare.demo.embedded import embedded
from aftercare.gateway import Gateway
from aftercare.messages.case import Case

CASE = Case(id="everywhere", agent="retail", domain="retail", customer="Wilhelmina Quackenbush")


@pytest.mark.parametrize("reach", [door.temporal, client_at])
async def test_a_client_has_the_codec_where_there_are_keys(
    reach: Callable[[], Awaitable[Client]], env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And none where there are none."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", env.client.service_client.config.target_host)
    monkeypatch.delenv("AFTERCARE_CODEC_KEYS", raising=False)
    assert not isinstance((await reach()).data_converter.payload_codec, EncryptionCodec)
    monkeypatch.setenv("AFTERCARE_CODEC_KEYS", new_key())
    assert isinstance((await reach()).data_converter.payload_codec, EncryptionCodec)


async def test_a_worker_process_and_a_door_understand_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A case goes from one to the other, and Temporal between them is told nothing."""
    monkeypatch.setenv("AFTERCARE_CODEC_KEYS", new_key())
    async with embedded(tmp_path, {}, {}) as place:
        gateway = Gateway(place.client, place.cases)
        assert (await gateway.register(CASE)).accepted
        seen = (await gateway.snapshot(CASE.id)).case
        assert seen
        assert seen.customer == CASE.customer
        held = await gateway.handle(CASE.id).fetch_history()
    assert held.events
    assert not any(b"Quackenbush" in e.SerializeToString() for e in held.events)
