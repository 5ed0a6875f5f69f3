"""The desk of the tests of a case, at which people are forgotten, and a Temporal that deletes at once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio.testing import TimeSkippingConfig, WorkflowEnvironment

from aftercare.demo.processes import TEMPORAL
from aftercare.erasure import Erasure
from aftercare.temporal import DATA_CONVERTER
from tests.cases.conftest import desk
from tests.cases.desk import Desk
from tests.commands.conftest import bare, terminal
from workflows.conventions import SEARCH_ATTRIBUTES

__all__ = ["bare", "desk", "terminal"]
# What ended just now is otherwise deleted half a minute later.
SET = (
    "frontend.WorkflowTimeSkippingEnabled=true",
    'history.transferProcessorUpdateAckInterval="100ms"',
    'history.visibilityProcessorUpdateAckInterval="100ms"',
)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def env() -> AsyncIterator[WorkflowEnvironment]:
    """A Temporal of our own, whose clocks stand still until a test moves them."""
    async with await WorkflowEnvironment.start_time_skipping_v2(
        ts_config=TimeSkippingConfig(enabled=False),
        dev_server_existing_path=TEMPORAL,
        dev_server_extra_args=[argument for value in SET for argument in ("--dynamic-config-value", value)],
        dev_server_log_level="never",
        search_attributes=list(SEARCH_ATTRIBUTES),
        data_converter=DATA_CONVERTER,
        identity="tests",
    ) as started:
        yield started


@pytest.fixture
def erasure(desk: Desk) -> Erasure:
    """Erasures at the desk's own Temporal and store."""
    return Erasure(desk.env.client, desk.cases)
