"""What Temporal holds of a case, asked of its service without any codec; and what the codec endpoint makes of it."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import httpx
from fastapi import FastAPI
from google.protobuf.json_format import MessageToDict
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    DescribeWorkflowExecutionResponse,
    GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryResponse,
)

from aftercare.web.codec import codec_routes
from tests.cases.desk import Told
from tests.codec.conftest import CODEC

UI = "http://localhost:8233"


async def history(case: Told) -> GetWorkflowExecutionHistoryResponse:
    """The events of the latest run, as the service gives them."""
    client, named = case.desk.env.client, WorkflowExecution(workflow_id=f"case/{case.id}")
    return await client.workflow_service.get_workflow_execution_history(
        GetWorkflowExecutionHistoryRequest(namespace=client.namespace, execution=named)
    )


async def description(case: Told) -> DescribeWorkflowExecutionResponse:
    """What the service tells of the latest run beside its events."""
    client, named = case.desk.env.client, WorkflowExecution(workflow_id=f"case/{case.id}")
    return await client.workflow_service.describe_workflow_execution(
        DescribeWorkflowExecutionRequest(namespace=client.namespace, execution=named)
    )


def payloads(document: Any) -> Iterator[dict[str, Any]]:
    """Every encrypted payload in a document of the service's, as the UI finds them."""
    if isinstance(document, list):
        for part in document:
            yield from payloads(part)
    elif isinstance(document, dict):
        encoding = document["metadata"].get("encoding", "") if isinstance(document.get("metadata"), dict) else ""
        if b64decode(encoding) == b"binary/encrypted":
            yield document
        for part in document.values():
            yield from payloads(part)


async def words(*told: GetWorkflowExecutionHistoryResponse | DescribeWorkflowExecutionResponse) -> str:
    """What was told, read through the endpoint."""
    sealed = [p for message in told for p in payloads(MessageToDict(message))]
    async with endpoint() as http:
        answer = await http.post("/decode", params={"preserveStorageRefs": True}, json={"payloads": sealed})
    return "\n".join(b64decode(p["data"]).decode() for p in answer.json()["payloads"])


def endpoint(app: FastAPI | None = None) -> httpx.AsyncClient:
    """A client of the endpoint, or of an app that has it."""
    if app is None:
        app = FastAPI()
        app.include_router(codec_routes(CODEC, lambda: None, [UI]))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://codec")
