"""Agents instrumented with the OpenTelemetry SDK, sending through its own exporter to a server on this machine."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FunctionType
from typing import Any

import httpx
import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry import baggage, context
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Tracer

from aftercare.demo.shop.serving import running
from aftercare.messages.case import Resolution
from tests.otlp.desk import Desk

DOCS = Path(__file__).parents[2] / "docs" / "traces.md"
RESOURCE = Resource({"service.name": "support", "aftercare.domain": "retail"})
CASE = {"aftercare.case.id": "case-1", "gen_ai.agent.name": "shop-assistant"}


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def address(desk: Desk) -> Iterator[str]:
    """Where the desk takes traces."""
    with running(desk.app(domain="")) as served:
        yield f"{served}/v1/traces"


@contextmanager
def tracing(*processors: SpanProcessor) -> Iterator[Tracer]:
    """A tracer whose spans have all left when the block ends."""
    provider = TracerProvider(resource=RESOURCE)
    for processor in processors:
        provider.add_span_processor(processor)
    yield provider.get_tracer("test")
    provider.shutdown()


def finished() -> Sequence[ReadableSpan]:
    """The spans of an agent that has done its work, before anybody sent them."""
    kept = InMemorySpanExporter()
    with tracing(SimpleSpanProcessor(kept)) as tracer:
        work(tracer)
    return kept.get_finished_spans()


def page(number: int) -> dict[str, Any]:
    """What a program of the page defines, run as it stands."""
    program = re.findall(r"```python\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)[number]
    names: dict[str, Any] = {"__name__": "page"}
    FunctionType(compile(program, DOCS.name, "exec"), names)()
    return names


def work(tracer: Tracer) -> None:
    """An agent that hears, looks up, cancels, is refused once, and answers."""
    heard = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Cancel #W1, please."}]}])
    said = json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": "Done."}], "finish_reason": "stop"}])
    with tracer.start_as_current_span("invoke_agent shop", attributes=CASE | {"aftercare.ending": "resolved"}):
        _span(tracer, "chat", {"gen_ai.input.messages": heard, "gen_ai.response.finish_reasons": ["tool_calls"]})
        _tool(tracer, "get_order", {"order_id": "#W1"})
        with pytest.raises(LookupError):
            _tool(tracer, "cancel_pending_order", {"order_id": "#W0"}, LookupError("no such order"))
        _tool(tracer, "cancel_pending_order", {"order_id": "#W1"})
        with tracer.start_as_current_span("GET /health"):
            pass
        _span(tracer, "chat", {"gen_ai.output.messages": said, "gen_ai.usage.output_tokens": 4})


def _span(tracer: Tracer, operation: str, told: dict[str, Any], error: Exception | None = None) -> None:
    with tracer.start_as_current_span(operation, attributes={"gen_ai.operation.name": operation, **told}):
        if error:
            raise error


def _tool(tracer: Tracer, name: str, arguments: dict[str, str], error: Exception | None = None) -> None:
    told = {"gen_ai.tool.name": name, "gen_ai.tool.call.arguments": json.dumps(arguments)}
    _span(tracer, "execute_tool", told, error)


def is_told_whole(desk: Desk) -> None:
    """What the agent above did, as a case."""
    assert [(s.kind, s.name) for s in desk.told("case-1")] == [
        ("reason", "chat"),
        ("retrieve", "get_order"),
        ("act", "cancel_pending_order"),
        ("act", "cancel_pending_order"),
        ("reply", "chat"),
    ]
    first, _, refused, _, reply = desk.told("case-1")
    assert (first.heard, refused.error, reply.said) == ("Cancel #W1, please.", "LookupError: no such order", "Done.")
    assert (desk.cases["case-1"].agent, desk.cases["case-1"].domain) == ("shop-assistant", "retail")
    ending = desk.endings["case-1"]
    assert isinstance(ending, Resolution)
    assert [(a.arguments, a.step) for a in ending.actions] == [({"order_id": "#W1"}, 4)]
    assert ending.reply == "Done."


@pytest.mark.parametrize("compression", [Compression.Gzip, Compression.NoCompression, Compression.Deflate])
def test_an_instrumented_agent_needs_nothing_of_ours(desk: Desk, address: str, compression: Compression) -> None:
    """The SDK's exporter, packed as it likes, tells a whole case in one export."""
    with tracing(BatchSpanProcessor(OTLPSpanExporter(address, compression=compression))) as tracer:
        work(tracer)
    is_told_whole(desk)
    assert desk.kinds == ["registration", "steps", "resolution"]


def test_spans_that_leave_one_by_one_tell_the_same_case(desk: Desk, address: str) -> None:
    """Each in an export of its own, the agent's own last: with the page's processor they all name the case."""
    case = context.attach(baggage.set_baggage("aftercare.case.id", "case-1"))
    sending = SimpleSpanProcessor(OTLPSpanExporter(address, compression=Compression.Gzip))
    with tracing(page(1)["CaseOnEverySpan"](), sending) as tracer:
        work(tracer)
    context.detach(case)
    assert [s.number for s in desk.told("case-1")] == [1, 2, 3, 4, 5]
    ending = desk.endings["case-1"]
    assert isinstance(ending, Resolution)
    assert ([a.step for a in ending.actions], ending.reply) == ([4], "Done.")


def test_spans_that_leave_before_the_one_that_names_the_case_are_rejected(desk: Desk, address: str) -> None:
    """The page warns of it: what left before the agent's own span names no case."""
    with tracing(SimpleSpanProcessor(OTLPSpanExporter(address))) as tracer:
        work(tracer)
    assert (desk.told("case-1"), desk.kinds) == ([], ["registration", "resolution"])


def test_an_exporter_that_repeats_is_heard_once(desk: Desk, address: str) -> None:
    """It is told that all is well, as often as it asks."""
    exporter = OTLPSpanExporter(address, compression=Compression.Gzip)
    spans = finished()
    assert [exporter.export(spans) for _ in range(3)] == [SpanExportResult.SUCCESS] * 3
    exporter.shutdown()  # type: ignore[no-untyped-call]
    is_told_whole(desk)
    assert desk.kinds == ["registration", "steps", "resolution"]


def test_the_same_spans_in_json_tell_the_same_case(desk: Desk, address: str) -> None:
    """As the SDKs of other languages send them: ids in hexadecimal, enums as numbers."""
    export = MessageToDict(encode_spans(finished()), use_integers_for_enums=True)
    for one in (s for r in export["resourceSpans"] for scope in r["scopeSpans"] for s in scope["spans"]):
        for name in {"traceId", "spanId", "parentSpanId"} & one.keys():
            one[name] = base64.b64decode(one[name]).hex()
    assert httpx.post(address, json=export).json() == {}
    is_told_whole(desk)


def test_the_program_of_the_page_tells_a_case(desk: Desk, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pasted as it stands, with the exporter's own settings and nothing else."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address.removesuffix("/v1/traces"))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    page(0)
    assert [(s.name, s.receipt) for s in desk.told("case-1")] == [("cancel_pending_order", "op-1")]
    assert [a.arguments for a in desk.endings["case-1"].actions] == [{"order_id": "#W1"}]
