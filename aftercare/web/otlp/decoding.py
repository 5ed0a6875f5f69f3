"""From bytes to an export: unpacked within a limit, then read as protobuf or as OTLP's own JSON."""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Iterator
from typing import Any

from google.protobuf.json_format import ParseDict
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

PROTOBUF, JSON = "application/x-protobuf", "application/json"
LARGEST = 20 * 1024 * 1024  # bytes, unpacked: what the OTLP specification recommends
MOST_SPANS = 20_000  # in one export; exporters send 512 or so
_PACKED = {"gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
_PLACE = re.compile(r"ExportTraceServiceRequest(?:\.\w+(?:\[\d+\])?)+")


class NoExport(Exception):
    """An export that cannot be read. The same bytes again will not be read either. `status` is HTTP's."""

    status = 400


class TooLarge(NoExport):
    """More bytes or spans than are taken in one export."""

    status = 413


class Unsupported(NoExport):
    """A content type or encoding that is not read."""

    status = 415


def media_type(content_type: str) -> str:
    """The media type of a Content-Type header. Raises Unsupported for one that OTLP does not have."""
    media = content_type.partition(";")[0].strip().lower()
    if media not in (PROTOBUF, JSON):
        raise Unsupported(f"Content-Type must be {PROTOBUF} or {JSON}")
    return media


def decoded(body: bytes, media: str, encoding: str = "", largest: int = LARGEST) -> ExportTraceServiceRequest:
    """The export in a body of the media type, packed as its Content-Encoding says.

    `largest` in bytes, before and after unpacking. Raises NoExport with what is wrong; fields nobody knows are ignored.
    """
    body = unpacked(body, encoding, largest)
    export = _of_json(body) if media == JSON else _of_protobuf(body)
    if sum(len(scope.spans) for holder in export.resource_spans for scope in holder.scope_spans) > MOST_SPANS:
        raise TooLarge(f"at most {MOST_SPANS:,} spans are taken in one export; send smaller batches")
    return export


def unpacked(body: bytes, encoding: str, largest: int) -> bytes:
    """The body itself. Never holds more than `largest` bytes, whatever it was packed to become."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        content = body
    elif encoding in _PACKED:
        content = _inflated(body, encoding, largest)
    else:
        raise Unsupported(f"Content-Encoding must be {', '.join(_PACKED)} or none")
    if len(content) > largest:
        raise TooLarge(f"at most {largest / 1024:,.0f} kB are taken in one export; send smaller batches")
    return content


def _inflated(body: bytes, encoding: str, largest: int) -> bytes:
    inflating = zlib.decompressobj(_PACKED[encoding])
    try:
        content = inflating.decompress(body, largest + 1)
    except zlib.error:
        raise NoExport(f"the body is not {encoding}, though Content-Encoding says so") from None
    if len(content) <= largest and not inflating.eof:
        raise NoExport(f"the {encoding} body ends too early")
    if inflating.unused_data:
        raise NoExport(f"there is more behind the end of the {encoding} body")
    return content


def _of_protobuf(body: bytes) -> ExportTraceServiceRequest:
    try:
        return ExportTraceServiceRequest.FromString(body)
    except DecodeError:
        raise NoExport("the body is no ExportTraceServiceRequest in protobuf") from None


def _of_json(body: bytes) -> ExportTraceServiceRequest:
    try:
        export = json.loads(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise NoExport("the body is not UTF-8") from None
    except (ValueError, RecursionError):
        raise NoExport("the body is no JSON") from None
    if not isinstance(export, dict):
        raise NoExport("the body must be a JSON object with resourceSpans")
    for span in _objects(export, "resourceSpans", "scopeSpans", "spans"):
        _to_base64(span, "traceId", "spanId", "parentSpanId")
        for link in _objects(span, "links"):
            _to_base64(link, "traceId", "spanId")
    try:
        return ParseDict(export, ExportTraceServiceRequest(), ignore_unknown_fields=True)
    except Exception as error:  # whatever the parser trips over is the export's fault
        place = _PLACE.search(str(error))  # the rest of its words may quote what a customer said
        where = f" at {place.group()[:200]}" if place else ""
        raise NoExport(f"the body is no ExportTraceServiceRequest in JSON{where}") from None


def _objects(holder: dict[str, Any], name: str, *deeper: str) -> Iterator[dict[str, Any]]:
    """The objects in a list, or in the lists within them; what is no object is left for the parser to refuse."""
    found = holder.get(name)
    for part in found if isinstance(found, list) else ():
        if isinstance(part, dict):
            yield from _objects(part, *deeper) if deeper else (part,)


def _to_base64(holder: dict[str, Any], *names: str) -> None:
    """OTLP's JSON has ids in hexadecimal, where the protobuf library expects base64."""
    for name in names:
        if isinstance(holder.get(name), str):
            try:
                holder[name] = base64.b64encode(binascii.unhexlify(holder[name])).decode()
            except ValueError:
                raise NoExport(f"{name} must be hexadecimal") from None
