"""How the route of the traces stands in the OpenAPI description. OTLP's own messages are described by OTLP."""

from __future__ import annotations

from typing import Any

from aftercare.web.otlp.decoding import JSON, PROTOBUF

DESCRIPTION = (
    "OTLP/HTTP: an ExportTraceServiceRequest in protobuf or in OTLP's JSON, packed with gzip or not. Spans that follow "
    "the GenAI semantic conventions become steps of the case they name. Spans that were not taken in are counted in "
    "`partialSuccess`, with the reasons. Errors are a google.rpc.Status in the same encoding."
)


def _in_both(**properties: Any) -> dict[str, Any]:
    """A message in either encoding. Fields that nobody knows are ignored, as OTLP has it."""
    told = {"schema": {"type": "object", "properties": properties}}
    return {JSON: told, PROTOBUF: {"schema": {"type": "string", "format": "binary"}}}


def _problem(what: str) -> dict[str, Any]:
    return {"description": what, "content": _in_both(message={"type": "string"})}


_EXAMPLE = {
    "resourceSpans": [
        {
            "resource": {"attributes": [{"key": "aftercare.domain", "value": {"stringValue": "retail"}}]},
            "scopeSpans": [
                {
                    "spans": [
                        {
                            "traceId": "0af7651916cd43dd8448eb211c80319c",
                            "spanId": "b7ad6b7169203331",
                            "name": "execute_tool get_order",
                            "startTimeUnixNano": "1767268800000000000",
                            "endTimeUnixNano": "1767268801500000000",
                            "attributes": [
                                {"key": "aftercare.case.id", "value": {"stringValue": "case-1"}},
                                {"key": "aftercare.agent", "value": {"stringValue": "shop-assistant"}},
                                {"key": "gen_ai.operation.name", "value": {"stringValue": "execute_tool"}},
                                {"key": "gen_ai.tool.name", "value": {"stringValue": "get_order"}},
                            ],
                        }
                    ]
                }
            ],
        }
    ]
}
_ANSWER = {"type": "object", "properties": {"rejectedSpans": {"type": "string"}, "errorMessage": {"type": "string"}}}

REQUEST: dict[str, Any] = {"required": True, "content": _in_both()}
REQUEST["content"][JSON]["example"] = _EXAMPLE
RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "Taken in, or all but what is counted", "content": _in_both(partialSuccess=_ANSWER)},
    400: _problem("It cannot be read; sending it again does not help"),
    413: _problem("It is too large; send smaller batches"),
    415: _problem("Its content type or encoding is not read"),
    503: _problem("It was not taken in for now; send it again"),
}
