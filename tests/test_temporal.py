"""A bare Temporal server is made ready by whoever comes first, and a worker comes and goes as it is told."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import temporalio.api.operatorservice.v1 as operator
from temporalio.common import SearchAttributeKey
from temporalio.testing import WorkflowEnvironment

from aftercare.demo.processes import TEMPORAL, start
from aftercare.gateway import Gateway
from aftercare.messages.case import Case, CaseReport, Resolution
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.temporal import DATA_CONVERTER, register_search_attributes
from workflows.conventions import SEARCH_ATTRIBUTES


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bare() -> AsyncIterator[WorkflowEnvironment]:
    """A server nobody has prepared."""
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=TEMPORAL, dev_server_log_level="never", data_converter=DATA_CONVERTER
    ) as env:
        yield env


async def test_search_attributes_are_registered_once(bare: WorkflowEnvironment) -> None:
    """However often a worker starts, all of them are there, with their types."""
    for _ in range(3):
        await register_search_attributes(bare.client, SEARCH_ATTRIBUTES)
    listed = await bare.client.operator_service.list_search_attributes(
        operator.ListSearchAttributesRequest(namespace=bare.client.namespace)
    )
    for key in SEARCH_ATTRIBUTES:
        assert listed.custom_attributes[key.name] == int(key.indexed_value_type)


async def test_a_search_attribute_of_another_type_is_refused(bare: WorkflowEnvironment) -> None:
    """Somebody else's name of another type is said to be in the way."""
    await register_search_attributes(bare.client, SEARCH_ATTRIBUTES)
    with pytest.raises(ValueError, match="CaseStage is registered with another type"):
        await register_search_attributes(bare.client, [SearchAttributeKey.for_int("CaseStage")])


async def test_a_worker_stops_in_order_when_it_is_told(bare: WorkflowEnvironment, tmp_path: Path) -> None:
    """It prepares server and store by itself, says that it is ready, and ends with 0 on SIGTERM."""
    env = {
        "TEMPORAL_ADDRESS": bare.client.service_client.config.target_host,
        "AFTERCARE_HOME": str(tmp_path / "home"),
        "PATH": os.environ["PATH"],
    }
    worker = await start("worker", sys.executable, "-m", "worker", env=env)
    await worker.ready("worker ready")
    assert (tmp_path / "home" / "aftercare.db").exists()
    await worker.stop()
    assert await worker.finished() == 0


async def test_a_case_survives_a_worker_that_is_killed(bare: WorkflowEnvironment, store_url: str) -> None:
    """Killed in the middle of the watch; the next worker goes on, and what was acknowledged meanwhile is stored."""
    name = f"killed-{store_url.split('+')[0]}"
    env = {
        "TEMPORAL_ADDRESS": bare.client.service_client.config.target_host,
        "AFTERCARE_DATABASE": store_url,
        "AFTERCARE_WATCH": "PT3S",
        "PATH": os.environ["PATH"],
    }
    database = Database(env["AFTERCARE_DATABASE"])
    gateway = Gateway(bare.client, Cases(database))
    first = await start("worker", sys.executable, "-m", "worker", env=env)
    await first.ready("worker ready")
    case = Case(id=name, agent="retail", domain="retail")
    await gateway.report(CaseReport(id="report", case=case, resolution=Resolution(id="r")))
    first.kill()
    await first.finished()
    await gateway.signal(name, "feedback", {"id": "csat-1", "kind": "csat", "value": 4})
    second = await start("worker", sys.executable, "-m", "worker", env=env)
    await second.ready("worker ready")
    settlement = await gateway.handle(name).result()
    await second.stop()
    assert settlement.outcome == "unconfirmed"
    assert {e.id for e in await Cases(database).inbox.of_case(name)} == {"report", "csat-1"}
    await database.close()
