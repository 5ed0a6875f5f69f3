"""From an export to spans: plain values, and what each span takes over from those above it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from aftercare.messages.base import Json
from aftercare.web.otlp import conventions as names

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
T = TypeVar("T")


@dataclass(frozen=True)
class Event:
    """Something that happened within a span."""

    name: str
    attributes: Mapping[str, Json]


@dataclass(frozen=True)
class Span:
    """One operation of an agent. Ids in hexadecimal, times in nanoseconds since 1970 and 0 where unknown.

    `failure` is null for a span that did not fail, and what it says of its failure, perhaps nothing, for one that did.
    Attributes of events that only carry them are among the span's own.
    """

    trace_id: str
    span_id: str
    parent_id: str = ""
    name: str = ""
    start: int = 0
    end: int = 0
    attributes: Mapping[str, Json] = field(default_factory=dict)
    resource: Mapping[str, Json] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    failure: str | None = None

    @property
    def source(self) -> str:
        """By what its step is known again."""
        return f"otlp:{self.trace_id}/{self.span_id}"

    @property
    def operation(self) -> names.Operation | None:
        """What it does; null for a span that is not an agent's."""
        return names.operation_of(self.attributes)

    @property
    def latency(self) -> float | None:
        """How long it took, in seconds."""
        return (self.end - self.start) / 1e9 if 0 < self.start <= self.end else None

    @property
    def ended_at(self) -> datetime | None:
        """When it ended."""
        return instant(self.end)


def instant(nanoseconds: int) -> datetime | None:
    """A time of OTLP; null where it is unknown."""
    return EPOCH + timedelta(microseconds=nanoseconds // 1000) if nanoseconds > 0 else None


def spans_of(export: ExportTraceServiceRequest) -> tuple[list[Span], int]:
    """The spans of an export by their start, each once, and how many have no valid id."""
    found, nameless = {}, 0
    for holder in export.resource_spans:
        resource = attributes_of(holder.resource.attributes)
        for wire in (wire for scope in holder.scope_spans for wire in scope.spans):
            if _is_id(wire.trace_id, 16) and _is_id(wire.span_id, 8):
                span = _span(wire, resource)
                found[span.source] = span
            else:
                nameless += 1
    return sorted(found.values(), key=lambda s: (s.start, s.span_id, s.trace_id)), nameless


def attributes_of(pairs: Iterable[KeyValue]) -> dict[str, Json]:
    """Attributes as plain values, by name."""
    return {pair.key: _value(pair.value) for pair in pairs}


def inherited(spans: Sequence[Span], of: Callable[[Span, T | None], T]) -> dict[str, T]:
    """What each span makes of what its parent in the same export made, by source; a loop of parents is cut."""
    there = {span.source: span for span in spans}
    made: dict[str, T] = {}
    for span in spans:
        for one in reversed(list(_unmade(span, there, made))):
            made[one.source] = of(one, made.get(_parent(one)))
    return made


def _unmade(span: Span, there: Mapping[str, Span], made: Mapping[str, T]) -> Iterator[Span]:
    """The span and those above it, up to one that is made."""
    seen: set[str] = set()
    above: Span | None = span
    while above and above.source not in made and above.source not in seen:
        seen.add(above.source)
        yield above
        above = there.get(_parent(above))


def _parent(span: Span) -> str:
    return f"otlp:{span.trace_id}/{span.parent_id}"


def _span(wire: WireSpan, resource: Mapping[str, Json]) -> Span:
    events = tuple(Event(e.name, attributes_of(e.attributes)) for e in wire.events)
    carried = {k: v for e in events if e.name in names.CARRIERS for k, v in e.attributes.items()}
    return Span(
        trace_id=wire.trace_id.hex(),
        span_id=wire.span_id.hex(),
        parent_id=wire.parent_span_id.hex(),
        name=wire.name,
        start=wire.start_time_unix_nano,
        end=wire.end_time_unix_nano,
        attributes=carried | attributes_of(wire.attributes),
        resource=resource,
        events=events,
        failure=wire.status.message if wire.status.code == Status.STATUS_CODE_ERROR else None,
    )


def _is_id(id: bytes, length: int) -> bool:
    return len(id) == length and any(id)


def _value(value: AnyValue) -> Json:
    match value.WhichOneof("value"):
        case "array_value":
            return [_value(part) for part in value.array_value.values]
        case "kvlist_value":
            return attributes_of(value.kvlist_value.values)
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case "string_value" | "bool_value" | "int_value" | "double_value" as which:
            return getattr(value, which)
        case _:
            return None
