"""From bytes to spans: both encodings, packed or not, and what cannot be read."""

from __future__ import annotations

import base64
import gzip
import json
import tracemalloc
import zlib
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from aftercare.web.otlp.decoding import JSON, PROTOBUF, NoExport, TooLarge, Unsupported, decoded, media_type, unpacked
from aftercare.web.otlp.reading import spans_of
from tests.otlp.desk import TRACE, span, wire

EXPORT = wire(span(1, name="one", attributes={"a": 1, "b": ["x", 2.5, True]}), span(2, under=1))


def as_json(**span: Any) -> bytes:
    """OTLP's JSON of an export with one span."""
    told = {"traceId": TRACE, "spanId": "00000000000000aa", **span}
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [told]}]}]}).encode()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("", bytes), ("identity", bytes), ("gzip", gzip.compress), ("GZIP", gzip.compress), ("deflate", zlib.compress)],
)
def test_protobuf_is_read_packed_or_not(encoding: str, pack: Any) -> None:
    """Whatever Content-Encoding an exporter uses, the export is the same."""
    assert decoded(pack(EXPORT.SerializeToString()), PROTOBUF, encoding) == EXPORT


def test_json_has_ids_in_hexadecimal() -> None:
    """In either case, on spans and on their links, and not in base64 as the library would have it."""
    link = {"traceId": TRACE.upper(), "spanId": "00000000000000BB"}
    export = decoded(as_json(traceId=TRACE.upper(), parentSpanId="00000000000000ab", links=[link]), JSON)
    ((one,), nameless) = spans_of(export)
    assert (one.trace_id, one.span_id, one.parent_id, nameless) == (TRACE, "00000000000000aa", "00000000000000ab", 0)
    linked = export.resource_spans[0].scope_spans[0].spans[0].links[0]
    assert (linked.trace_id.hex(), linked.span_id.hex()) == (TRACE, "00000000000000bb")


def test_json_has_large_numbers_as_strings_and_unknown_fields_do_not_matter() -> None:
    """Both forms of a number are read; a field of a later OTLP is passed over."""
    told = [{"key": "n", "value": {"intValue": "9007199254740993"}, "soon": {}}, {"key": "m", "value": {"intValue": 7}}]
    export = decoded(as_json(startTimeUnixNano="1767268800000000001", kind=3, later=[1], attributes=told), JSON)
    ((one,), _) = spans_of(export)
    assert (one.start, dict(one.attributes)) == (1767268800000000001, {"n": 9007199254740993, "m": 7})


def test_both_encodings_say_the_same() -> None:
    """An export in protobuf and the same in JSON are the same spans."""
    told = MessageToDict(EXPORT)
    for holder in told["resourceSpans"]:
        for one in holder["scopeSpans"][0]["spans"]:
            for name in {"traceId", "spanId", "parentSpanId"} & one.keys():
                one[name] = base64.b64decode(one[name]).hex()
    assert decoded(json.dumps(told).encode(), JSON) == EXPORT


def test_a_bomb_is_refused_before_it_goes_off() -> None:
    """A packed body is unpacked to the limit and no further, however much it would become."""
    bomb = gzip.compress(bytes(50_000_000), mtime=0)
    assert len(bomb) < 60_000
    tracemalloc.start()
    with pytest.raises(TooLarge, match="at most 98 kB are taken"):
        unpacked(bomb, "gzip", largest=100_000)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1_000_000


@pytest.mark.parametrize("packed", [1_000, 1_001])
def test_the_limit_is_the_limit(packed: int) -> None:
    """A body of just that size is taken, and one byte more is not."""
    body = gzip.compress(bytes(packed), mtime=0)
    if packed == 1_000:
        assert len(unpacked(body, "gzip", largest=1_000)) == 1_000
    else:
        with pytest.raises(TooLarge):
            unpacked(body, "gzip", largest=1_000)


@pytest.mark.parametrize(
    ("body", "media", "encoding", "wrong"),
    [
        (b"\xff\xff", PROTOBUF, "", "no ExportTraceServiceRequest in protobuf"),
        (b"plain", PROTOBUF, "gzip", "not gzip"),
        (gzip.compress(b"{}", mtime=0)[:-4], JSON, "gzip", "ends too early"),
        (gzip.compress(b"{}", mtime=0) * 2, JSON, "gzip", "more behind the end"),
        (b"{", JSON, "", "no JSON"),
        (b"[" * 100_000, JSON, "", "no JSON"),
        (b"\xe9", JSON, "", "not UTF-8"),
        (b"[]", JSON, "", "a JSON object with resourceSpans"),
        (as_json(spanId="not hex"), JSON, "", "spanId must be hexadecimal"),
        (as_json(links=[{"traceId": "WTqtr7Blxyz"}]), JSON, "", "traceId must be hexadecimal"),
        (as_json(attributes=5), JSON, "", r"at ExportTraceServiceRequest.resourceSpans\[0\]"),
        (as_json(startTimeUnixNano="9" * 5_000), JSON, "", "in JSON"),
    ],
)
def test_what_is_wrong_is_said_in_words(body: bytes, media: str, encoding: str, wrong: str) -> None:
    """A body that cannot be read is refused for good, and never quoted."""
    with pytest.raises(NoExport, match=wrong) as refused:
        decoded(body, media, encoding)
    assert refused.value.status == 400


def test_what_customers_said_is_in_no_error() -> None:
    """The parser's own words would quote the body."""
    with pytest.raises(NoExport) as refused:
        decoded(as_json(attributes="ann@example.com"), JSON)
    assert "ann@" not in str(refused.value)


def test_other_types_and_encodings_are_refused() -> None:
    """Only what OTLP/HTTP has is read; parameters of the type do not matter."""
    assert media_type("Application/JSON; charset=utf-8") == JSON
    for refused in ("", "text/plain", "application/grpc"):
        with pytest.raises(Unsupported, match=PROTOBUF):
            media_type(refused)
    with pytest.raises(Unsupported, match="gzip, deflate or none"):
        unpacked(b"", "br", largest=10)


def test_spans_without_a_valid_id_are_counted() -> None:
    """Too short, or all zero: nobody could know such a span again."""
    spans, nameless = spans_of(wire(span(1), span(0), span(2, trace="ab"), span(3, trace="0" * 32)))
    assert ([s.span_id[-1] for s in spans], nameless) == (["1"], 3)


def test_spans_come_by_their_start_and_each_once() -> None:
    """Ties by the span's id, so that the same spans always become the same steps."""
    spans, _ = spans_of(wire(span(3, at=2), span(2, at=1), span(1, at=1), span(3, at=2)))
    assert [s.span_id[-1] for s in spans] == ["1", "2", "3"]
