"""A command ends with its true exit code, twenty times out of twenty, though it used Temporal."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from aftercare.demo.processes import TEMPORAL

AFTERCARE = str(Path(sys.executable).parent / "aftercare")
CONNECTS = """
from aftercare.temporal import connect, run_main

async def main():
    client = await connect()
    await client.count_workflows("")
    print("counted")
    return {code}

run_main(main())
"""


@pytest.mark.parametrize("code", [0, 3])
async def test_a_process_that_used_temporal_ends_with_its_own_code(code: int) -> None:
    """The interpreter may abort on its way out after Temporal was used; ours does not get that far."""
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=TEMPORAL, dev_server_log_level="never"
    ) as env:
        address = env.client.service_client.config.target_host
        codes = [await ended(CONNECTS.format(code=code), address) for _ in range(20)]
    assert codes == [code] * 20


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--version"], 0),
        (["policy", "check"], 0),
        (["policy", "check", "--folder", "/"], 1),
        (["run", "none.jsonl"], 2),
    ],
)
def test_a_command_ends_with_its_own_code(arguments: list[str], code: int) -> None:
    """Zero where all is well, something else where it is not."""
    ended = [subprocess.run([AFTERCARE, *arguments], capture_output=True, check=False).returncode for _ in range(5)]  # noqa: S603
    assert ended == [code] * 5


async def ended(program: str, address: str) -> int:
    """The exit code of a small program that speaks to the Temporal at an address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        env={**os.environ, "TEMPORAL_ADDRESS": address},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await process.wait()


STOPPED = """
import asyncio
from aftercare.temporal import run_main

async def main():
    try:
        print("up", flush=True)
        await asyncio.sleep(60)
    finally:
        print("tidied", flush=True)

run_main(main())
"""


def test_a_command_that_is_told_to_stop_tidies_up() -> None:
    """SIGTERM is heard as Ctrl-C is: what was started is ended."""
    command = [sys.executable, "-c", STOPPED]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout
        assert process.stdout.readline() == "up\n"
        process.terminate()
        assert process.stdout.read() == "tidied\n"
        assert process.wait(30) == 130
