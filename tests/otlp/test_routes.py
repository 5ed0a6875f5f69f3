"""The route: what an exporter is answered, in the encoding it spoke, and what is refused at the door."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from fastapi import HTTPException
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from aftercare.web.otlp.decoding import JSON, PROTOBUF
from aftercare.web.otlp.taking import Crowded
from tests.otlp.desk import TRACE, Desk, span, tool, wire

CASE = {"aftercare.case.id": "case-1", "aftercare.agent": "shop-assistant"}
PROTO = {"Content-Type": PROTOBUF}


def export_in_json(**attributes: str) -> dict[str, Any]:
    """An export of one tool's span, as OTLP's JSON has it."""
    told = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_order", **attributes}
    pairs = [{"key": name, "value": {"stringValue": value}} for name, value in told.items()]
    one = {"traceId": TRACE, "spanId": "00000000000000aa", "name": "execute_tool", "attributes": pairs}
    return {"resourceSpans": [{"scopeSpans": [{"spans": [one]}]}]}


async def test_an_export_in_protobuf_is_answered_in_protobuf() -> None:
    """With nothing in it where everything was taken in."""
    desk = Desk()
    answer = await desk.send(tool(1, "get_order", attributes=CASE))
    assert (answer.status_code, answer.headers["content-type"]) == (200, PROTOBUF)
    assert ExportTraceServiceResponse.FromString(answer.content) == ExportTraceServiceResponse()
    assert [s.name for s in desk.told("case-1")] == ["get_order"]


async def test_an_export_in_json_is_answered_in_json() -> None:
    """The same route, the same steps; the ids are hexadecimal."""
    desk = Desk()
    async with desk.client() as client:
        answer = await client.post("/v1/traces", json=export_in_json(**CASE))
    assert (answer.status_code, answer.headers["content-type"], answer.json()) == (200, JSON, {})
    assert [s.source for s in desk.told("case-1")] == [f"otlp:{TRACE}/00000000000000aa"]


async def test_an_export_without_spans_is_welcome() -> None:
    """Of nothing, everything was taken in."""
    assert (await Desk().send()).status_code == 200


async def test_spans_that_are_not_taken_in_are_counted_with_the_reason() -> None:
    """In both encodings it is a success in part, which no exporter repeats."""
    desk = Desk()
    answer = await desk.send(tool(1, "a", attributes=CASE), tool(2, "b"), span(0, name="no id"))
    partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert (answer.status_code, partial.rejected_spans) == (200, 2)
    assert "set aftercare.case.id" in partial.error_message
    assert "no valid trace or span id" in partial.error_message
    async with desk.client() as client:
        told = (await client.post("/v1/traces", json=export_in_json())).json()["partialSuccess"]
    assert told["rejectedSpans"] == "1"
    assert told["errorMessage"].startswith("1 spans: no case is named")


async def test_the_domain_of_the_deployment_is_the_usual_one() -> None:
    """A case whose spans name none is opened under it, and under none where there is none."""
    desk = Desk()
    await desk.send(tool(1, "get_order", attributes=CASE), domain="airline")
    assert desk.cases["case-1"].domain == "airline"
    answer = await Desk().send(tool(1, "get_order", attributes=CASE), domain="")
    assert b"set aftercare.domain" in answer.content


async def test_a_body_that_cannot_be_read_is_refused_as_a_status() -> None:
    """In the encoding of the request: a google.rpc.Status in protobuf, or its JSON."""
    async with Desk().client() as client:
        proto = await client.post("/v1/traces", content=b"\xff", headers=PROTO)
        told = await client.post("/v1/traces", content=b"{", headers={"Content-Type": JSON})
    assert (proto.status_code, proto.headers["content-type"]) == (400, PROTOBUF)
    assert "no ExportTraceServiceRequest" in Status.FromString(proto.content).message
    assert (told.status_code, told.json()) == (400, {"message": "the body is no JSON"})


@pytest.mark.parametrize("body", [bytes(1_001), gzip.compress(bytes(1_000_000), mtime=0)])
async def test_a_body_that_is_too_large_is_refused(body: bytes) -> None:
    """As it comes, and unpacked."""
    packed = {"Content-Encoding": "gzip"} if body[:2] == b"\x1f\x8b" else {}
    async with Desk().client(largest=1_000) as client:
        answer = await client.post("/v1/traces", content=body, headers=PROTO | packed)
    assert answer.status_code == 413
    assert "at most" in Status.FromString(answer.content).message


async def test_too_many_spans_are_refused() -> None:
    """However small they are."""
    export = wire()
    spans = export.resource_spans.add().scope_spans.add().spans
    for number in range(1, 20_002):
        spans.add(trace_id=bytes.fromhex(TRACE), span_id=number.to_bytes(8))
    async with Desk().client() as client:
        answer = await client.post("/v1/traces", content=export.SerializeToString(), headers=PROTO)
    assert answer.status_code == 413
    assert "at most 20,000 spans" in Status.FromString(answer.content).message


async def test_what_otlp_does_not_have_is_not_read() -> None:
    """Another content type, or another encoding; the answer says which there are."""
    async with Desk().client() as client:
        typed = await client.post("/v1/traces", content=b"x", headers={"Content-Type": "text/plain"})
        packed = await client.post("/v1/traces", content=b"x", headers=PROTO | {"Content-Encoding": "br"})
    assert (typed.status_code, packed.status_code) == (415, 415)
    assert PROTOBUF in typed.json()["message"]
    assert packed.headers["accept-encoding"] == "gzip, deflate"


async def test_who_may_not_write_is_refused_before_anything_is_read() -> None:
    """The dependency refuses; who may is named to the port."""

    def nobody() -> None:
        raise HTTPException(403, "not you")

    desk = Desk()
    answer = await desk.send(tool(1, "a", attributes=CASE), may_write=nobody)
    assert (answer.status_code, desk.kinds) == (403, [])
    await desk.send(tool(1, "a", attributes=CASE), may_write=lambda: "key-7")
    assert desk.by == "key-7"


async def test_a_crowded_case_is_sent_again() -> None:
    """503 with a time to wait is what exporters repeat."""

    desk = Desk()
    desk.fails["steps"] = Crowded("come again")
    answer = await desk.send(tool(1, "a", attributes=CASE))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert Status.FromString(answer.content).message == "come again"


packing = st.sampled_from([("", lambda body: body), ("gzip", gzip.compress), ("gzip", lambda body: body)])
garbage = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
fields = st.sampled_from(
    ["traceId", "spanId", "parentSpanId", "attributes", "events", "links", "kind", "status", "name"]
)
nearly = st.dictionaries(fields, garbage, max_size=5).map(
    lambda one: {
        "resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": TRACE, "spanId": "00000000000000aa"} | one]}]}]
    }
)
bodies = st.one_of(
    st.tuples(st.just(PROTOBUF), st.binary()),
    st.tuples(st.just(PROTOBUF), st.binary(max_size=40).map(lambda junk: wire(span(1)).SerializeToString() + junk)),
    st.tuples(st.just(JSON), st.binary() | st.text().map(str.encode)),
    st.tuples(st.just(JSON), (garbage | nearly).map(lambda value: json.dumps(value).encode())),
    st.tuples(st.text(st.characters(max_codepoint=126, min_codepoint=33)), st.binary()),
)


@settings(max_examples=300, deadline=None)
@given(bodies, packing)
async def test_garbage_is_the_senders_fault(body: tuple[str, bytes], packing: tuple[str, Any]) -> None:
    """Whatever comes, nothing breaks: it is taken, or refused with a reason."""
    (media, content), (encoding, pack) = body, packing
    headers = {"Content-Type": media} | ({"Content-Encoding": encoding} if encoding else {})
    async with Desk().client() as client:
        answer = await client.post("/v1/traces", content=pack(content), headers=headers)
    assert answer.status_code in (200, 400, 415)
    if answer.status_code != 200:
        told = answer.json() if answer.headers["content-type"] == JSON else Status.FromString(answer.content)
        assert told["message"] if isinstance(told, dict) else told.message


async def test_the_example_of_the_description_is_taken_in() -> None:
    """What stands in the OpenAPI description works as it stands."""
    desk = Desk()
    async with desk.client() as client:
        post = (await client.get("/openapi.json")).json()["paths"]["/v1/traces"]["post"]
        answer = await client.post("/v1/traces", json=post["requestBody"]["content"][JSON]["example"])
    assert answer.json() == {}
    assert [(s.name, s.latency) for s in desk.told("case-1")] == [("get_order", 1.5)]
    assert set(post["responses"]) == {"200", "400", "413", "415", "503"}
