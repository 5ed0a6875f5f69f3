"""Connecting to Temporal: one client, one sandbox, one way to end a process."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Coroutine, Iterable
from dataclasses import replace
from typing import Any

import temporalio.api.operatorservice.v1 as operator
from temporalio.client import Client
from temporalio.contrib.pydantic import PydanticPayloadConverter, ToJsonOptions
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes, PayloadCodec
from temporalio.envconfig import ClientConfig
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

LOCAL = "127.0.0.1:7233"

# Our own packages and what they import pass the sandbox once, here, and not in every story.
PASSED_THROUGH = ("aftercare", "activities", "policies", "pydantic", "pydantic_core", "annotated_types")


class LeanPayloadConverter(PydanticPayloadConverter):
    """Messages as JSON without the fields nobody set: histories stay small, and defaults may change."""

    def __init__(self) -> None:
        super().__init__(ToJsonOptions(exclude_unset=True))


DATA_CONVERTER = DataConverter(payload_converter_class=LeanPayloadConverter)


def data_converter(codec: PayloadCodec | None = None) -> DataConverter:
    """How messages become payloads. With a codec all of them go through it, and so does what failures say."""
    if codec is None:
        return DATA_CONVERTER
    encoded = DefaultFailureConverterWithEncodedAttributes
    return replace(DATA_CONVERTER, payload_codec=codec, failure_converter_class=encoded)


async def connect(address: str | None = None, codec: PayloadCodec | None = None) -> Client:
    """A client, by Temporal's own profiles and TEMPORAL_* variables, or for an address of ours.

    With a codec, everything it sends is encoded; all who read it need the codec too.
    """
    config = ClientConfig.load_client_connect_config()
    if address:
        config["target_host"] = address
    config.setdefault("target_host", LOCAL)
    # Every event of a history carries the identity: short, and still telling which process on which machine.
    identity = f"{os.getpid()}@{socket.gethostname()[:8]}"
    return await Client.connect(**config, data_converter=data_converter(codec), identity=identity)


def workflow_runner() -> SandboxedWorkflowRunner:
    """The sandbox in which tests and replay run every story, so that what is not deterministic is seen there.

    A worker runs them without it: it would import the stories afresh for every single case, which was a fifth of the
    worker's processor time (`aftercare bench cases`).
    """
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
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
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # told to stop, it ends what it started, as on Ctrl-C
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
