"""A desk in memory that takes cases as the gateway does, and the spans that tests send it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx
from fastapi import FastAPI
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from aftercare.lifecycle.digest import digest_of
from aftercare.lifecycle.state import Conflict, Refused
from aftercare.messages.case import Case, Escalation, Resolution, Step, Steps
from aftercare.web.otlp.decoding import PROTOBUF
from aftercare.web.otlp.reading import Span
from aftercare.web.otlp.routes import trace_routes
from aftercare.web.otlp.taking import KnownCase, Told

TRACE = "0af7651916cd43dd8448eb211c80319c"
SECOND = 1_000_000_000
NOON = 1_767_268_800 * SECOND  # 2026-01-01 12:00 UTC
WRITES = {"cancel_pending_order", "return_delivered_order_items"}


def span(id: int, *, under: int = 0, at: float = 0, took: float = 1, trace: str = TRACE, **told: Any) -> Span:
    """A span that started `at` seconds after noon. Attributes by name; `resource`, `events`, `failure` as they are."""
    fields = {name: told.pop(name) for name in ("resource", "events", "failure", "name") if name in told}
    start = NOON + int(at * SECOND)
    return Span(
        trace_id=trace,
        span_id=f"{id:016x}",
        parent_id=f"{under:016x}" if under else "",
        start=start,
        end=start + int(took * SECOND),
        attributes=told.pop("attributes", {}) | told,
        **fields,
    )


def chat(id: int, heard: str = "", said: str = "", calls: str = "", **told: Any) -> Span:
    """A call of a model as the current conventions tell it."""
    parts: list[dict[str, Any]] = [{"type": "text", "content": said}] if said else []
    parts += [{"type": "tool_call", "name": calls, "arguments": {}}] if calls else []
    attributes: dict[str, Any] = {"gen_ai.operation.name": "chat", **told.pop("attributes", {})}
    if heard:
        given = [{"role": "user", "parts": [{"type": "text", "content": heard}]}]
        attributes["gen_ai.input.messages"] = json.dumps(given)
    if parts:
        attributes["gen_ai.output.messages"] = json.dumps([{"role": "assistant", "parts": parts}])
    return span(id, attributes=attributes, **told)


def tool(id: int, name: str, arguments: Any = None, result: Any = None, **told: Any) -> Span:
    """A call of a tool as the current conventions tell it."""
    attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name, **told.pop("attributes", {})}
    attributes |= {"gen_ai.tool.call.arguments": json.dumps(arguments)} if arguments is not None else {}
    attributes |= {"gen_ai.tool.call.result": json.dumps(result)} if result is not None else {}
    return span(id, attributes=attributes, **told)


def wire(*spans: Span) -> ExportTraceServiceRequest:
    """The export that an SDK would send of these spans."""
    export = ExportTraceServiceRequest()
    for one in spans:
        holder = export.resource_spans.add()
        holder.resource.attributes.extend(_pairs(one.resource))
        sent: WireSpan = holder.scope_spans.add().spans.add(
            trace_id=bytes.fromhex(one.trace_id),
            span_id=bytes.fromhex(one.span_id),
            parent_span_id=bytes.fromhex(one.parent_id),
            name=one.name,
            start_time_unix_nano=one.start,
            end_time_unix_nano=one.end,
            attributes=_pairs(one.attributes),
        )
        for event in one.events:
            sent.events.add(name=event.name, attributes=_pairs(event.attributes))
        if one.failure is not None:
            sent.status.code, sent.status.message = Status.STATUS_CODE_ERROR, one.failure
    return export


class Desk:
    """Takes messages as the gateway does: each id once, each number once, nothing after the ending."""

    def __init__(self) -> None:
        self.cases: dict[str, Case] = {}
        self.steps: dict[str, dict[int, Step]] = {}
        self.endings: dict[str, Resolution | Escalation] = {}
        self.messages: dict[tuple[str, str], str] = {}
        self.kinds: list[str] = []
        self.by: Any = None
        self.fails: dict[str, Exception] = {}  # by kind of message

    async def known(self, case_id: str) -> KnownCase:
        return KnownCase(case_id in self.cases, tuple(self.steps.get(case_id, {}).values()))

    async def take(self, case_id: str, kind: str, message: Told, by: Any) -> None:
        if kind in self.fails:
            raise self.fails[kind]
        self.by, digest = by, digest_of(message)
        if self.messages.get((case_id, message.id)) == digest:
            return
        if (case_id, message.id) in self.messages:
            raise Conflict([f"the id {message.id!r} was used before"])
        match message:
            case Case():
                self.cases[case_id] = message
            case Steps():
                self._open(case_id)
                there = self.steps.setdefault(case_id, {})
                if taken := [s.number for s in message.steps if s.number in there]:
                    raise Refused([f"case {case_id!r} already has other steps under the numbers {taken}"])
                there.update({s.number: s for s in message.steps})
            case _:
                self._open(case_id)
                self.endings[case_id] = message
        self.messages[case_id, message.id] = digest
        self.kinds.append(kind)

    def _open(self, case_id: str) -> None:
        if case_id not in self.cases:
            raise Refused([f"no case {case_id!r} is open"])
        if case_id in self.endings:
            raise Refused([f"it is not the agent's turn in case {case_id!r}: its ending has been reported"])

    def told(self, case_id: str) -> list[Step]:
        """The steps of a case by number."""
        return [step for _, step in sorted(self.steps.get(case_id, {}).items())]

    def app(self, domain: str = "retail", **settings: Any) -> FastAPI:
        """An application with the route of the traces alone."""
        app = FastAPI()
        app.include_router(trace_routes(self.take, self.known, WRITES.__contains__, domain, **settings))
        return app

    def client(self, **settings: Any) -> httpx.AsyncClient:
        """Speaks to that application; what fails within it is answered with 500, as a server would."""
        transport = httpx.ASGITransport(self.app(**settings), raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://desk")

    async def send(self, *spans: Span, **settings: Any) -> httpx.Response:
        """An export of these spans, in protobuf."""
        async with self.client(**settings) as client:
            body = wire(*spans).SerializeToString()
            return await client.post("/v1/traces", content=body, headers={"Content-Type": PROTOBUF})


def _pairs(attributes: Mapping[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=name, value=_any(value)) for name, value in attributes.items()]


def _any(value: Any) -> AnyValue:
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case list():
            return AnyValue(array_value=ArrayValue(values=[_any(part) for part in value]))
        case dict():
            return AnyValue(kvlist_value=KeyValueList(values=_pairs(value)))
        case _:
            return AnyValue(string_value=value)
