"""The API keeps to its own description: whatever schemathesis thinks of, no fault of ours and no undescribed answer."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from aftercare.demo.embedded import embedded

MOST = 12  # examples of each operation
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def address(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A whole deployment, with one webhook source that has a secret."""
    env = {"AFTERCARE_RATE": "", "AFTERCARE_WEBHOOK_GENERIC_SECRET": "a-secret-of-thirty-two-characters"}
    waits = {"watch": timedelta(seconds=5)}
    async with embedded(tmp_path_factory.mktemp("schema"), {}, waits, api=True, more_env=env) as place:
        yield place.api_address


@pytest.mark.timeout(600)
async def test_no_fault_and_no_undescribed_answer(address: str, tmp_path: Path) -> None:
    """Every operation, with valid and invalid input of every kind."""
    schemathesis = Path(sys.executable).with_name("schemathesis")
    asked = ("run", f"{address}/openapi.json", "--checks", CHECKS, "--max-examples", str(MOST), "--seed", "1")
    told = (
        "--no-color",
        "--phases",
        "examples,coverage,fuzzing",
        "--generation-database",
        "none",
        "--header",
        "Prefer: wait=1",
    )
    process = await asyncio.create_subprocess_exec(
        schemathesis, *asked, *told, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()[-6_000:]
