"""What an exporter is answered, in the encoding it spoke: a response, or a Status that says why not."""

from __future__ import annotations

import json

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from aftercare.web.otlp.bounds import cut
from aftercare.web.otlp.decoding import JSON


def success(media: str, rejected: int = 0, message: str = "") -> bytes:
    """Everything was taken in, or all but `rejected` spans, for the reasons in the message."""
    answer = ExportTraceServiceResponse()
    if rejected:
        answer.partial_success.rejected_spans = rejected
        answer.partial_success.error_message = cut(message)
    return json.dumps(MessageToDict(answer)).encode() if media == JSON else answer.SerializeToString()


def failure(media: str, message: str) -> bytes:
    """A google.rpc.Status that says what was wrong."""
    if media == JSON:
        return json.dumps({"message": cut(message)}).encode()
    # On the wire a Status is the same: a number under 1, which OTLP leaves out, and the message under 2.
    return ExportTracePartialSuccess(error_message=cut(message)).SerializeToString()
