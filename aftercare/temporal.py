"""Connecting to Temporal: one client, one sandbox, one way to end a process."""

from __future__ import annotations

import asyncio
import compileall
import os
import socket
import sys
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import Any

import temporalio.api.operatorservice.v1 as operator
from temporalio.client import Client
from temporalio.contrib.pydantic import PydanticPayloadConverter, ToJsonOptions
from temporalio.converter import DataConverter
from temporalio.envconfig import ClientConfig
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

LOCAL = "127.0.0.1:7233"

# Our own packages and what they import pass the sandbox once, here, and not in every story.
PASSED_THROUGH = ("aftercare", "activities", "policies", "pydantic", "pydantic_core", "annotated_types")
# Of the stories themselves, what holds no state; the rest is imported afresh for every single case.
SHARED = ("workflows.conventions", "workflows.attributes", "workflows.refusals")


class LeanPayloadConverter(PydanticPayloadConverter):
    """Messages as JSON without the fields nobody set: histories stay small, and defaults may change."""

    def __init__(self) -> None:
        super().__init__(ToJsonOptions(exclude_unset=True))


DATA_CONVERTER = DataConverter(payload_converter_class=LeanPayloadConverter)


async def connect(address: str | None = None) -> Client:
    """A client, by Temporal's own profiles and TEMPORAL_* variables, or for an address of ours."""
    config = ClientConfig.load_client_connect_config()
    if address:
        config["target_host"] = address
    config.setdefault("target_host", LOCAL)
    # Every event of a history carries the identity: short, and still telling which process on which machine.
    identity = f"{os.getpid()}@{socket.gethostname()[:8]}"
    return await Client.connect(**config, data_converter=DATA_CONVERTER, identity=identity)


def workflow_runner() -> SandboxedWorkflowRunner:
    """The sandbox that workers, tests and replay share.

    The stories are compiled to bytecode beforehand, even where Python is told to write none: the sandbox would
    otherwise compile them again for every case.
    """
    compileall.compile_dir(Path(__file__).parents[1] / "workflows", maxlevels=0, quiet=2)
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH, *SHARED)
    return SandboxedWorkflowRunner(restrictions=restrictions)


async def register_search_attributes(client: Client, keys: Iterable[Any]) -> None:
    """Register what is missing; the same again changes nothing. Raises ValueError for a name of another type."""
    listed = await client.operator_service.list_search_attributes(
        operator.ListSearchAttributesRequest(namespace=client.namespace)
    )
    missing = {}
    for key in keys:
        wanted, there = int(key.indexed_value_type), listed.custom_attributes.get(key.name)
        if there is None:
            missing[key.name] = wanted
        elif there != wanted:
            raise ValueError(f"search attribute {key.name} is registered with another type; remove it and start again")
    if missing:
        request = operator.AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)  # type: ignore[arg-type]
        try:
            await client.operator_service.add_search_attributes(request)
        except RPCError as error:
            if error.status is not RPCStatusCode.ALREADY_EXISTS:
                raise


def run_main(main: Coroutine[Any, Any, int | None]) -> None:
    """Run to the end and leave with the true exit code.

    A process that used Temporal may abort while the interpreter shuts down (temporalio/sdk-python#300), after
    everything is done; leaving at once keeps the exit code honest.
    """
    code: int | None = 1
    try:
        code = asyncio.run(main)
    except KeyboardInterrupt:
        code = 130
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
        if isinstance(stop.code, str):
            print(stop.code, file=sys.stderr)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code or 0)
