"""The attribute names that are read, and what they stand for.

They are those of the OpenTelemetry GenAI semantic conventions 0.1.0, the first release of their own repository, and
before it of the semantic conventions 1.27 to 1.41. Where a name was another once, the older one stands behind the
newer. Two more dialects are read where they say the same: OpenInference (`openinference.span.kind`, `llm.*`,
`input.value`) and OpenLLMetry (`traceloop.*`, `llm.request.type`, numbered `gen_ai.prompt.0.content`). `aftercare.*`
are our own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from aftercare.messages.base import Json

Names = tuple[str, ...]


class Operation(StrEnum):
    """What a span of an agent does, whatever the dialect calls it."""

    CHAT = "chat"
    TOOL = "execute_tool"
    RETRIEVAL = "retrieval"
    EMBEDDINGS = "embeddings"
    GUARDRAIL = "guardrail"
    AGENT = "invoke_agent"


# By attribute, what each dialect calls the operations; in lower case.
OPERATIONS: tuple[tuple[str, Mapping[str, Operation]], ...] = (
    (
        "gen_ai.operation.name",
        {
            "chat": Operation.CHAT,
            "generate_content": Operation.CHAT,
            "text_completion": Operation.CHAT,
            "execute_tool": Operation.TOOL,
            "retrieval": Operation.RETRIEVAL,
            "search_memory": Operation.RETRIEVAL,
            "embeddings": Operation.EMBEDDINGS,
            "invoke_agent": Operation.AGENT,
            "invoke_workflow": Operation.AGENT,
        },
    ),
    (
        "openinference.span.kind",
        {
            "llm": Operation.CHAT,
            "tool": Operation.TOOL,
            "retriever": Operation.RETRIEVAL,
            "reranker": Operation.RETRIEVAL,
            "embedding": Operation.EMBEDDINGS,
            "guardrail": Operation.GUARDRAIL,
            "agent": Operation.AGENT,
        },
    ),
    (
        "traceloop.span.kind",
        {"tool": Operation.TOOL, "agent": Operation.AGENT, "workflow": Operation.AGENT},
    ),
    (
        "llm.request.type",
        {
            "chat": Operation.CHAT,
            "completion": Operation.CHAT,
            "embedding": Operation.EMBEDDINGS,
            "rerank": Operation.RETRIEVAL,
        },
    ),
)

# The case
CASE_ID = "aftercare.case.id"
CONVERSATION_ID: Names = ("gen_ai.conversation.id", "session.id")
AGENT: Names = ("aftercare.agent", "gen_ai.agent.name", "gen_ai.agent.id", "agent.name", "service.name")
DOMAIN: Names = ("aftercare.domain",)
CUSTOMER: Names = ("aftercare.customer", "enduser.id", "user.id")
INTENT: Names = ("aftercare.intent",)
RELEASE: Names = ("aftercare.release",)
CHANNEL: Names = ("aftercare.channel",)
TICKET: Names = ("aftercare.ticket",)
CONTACT: Names = ("aftercare.contact",)
ENVIRONMENT: Names = ("aftercare.environment",)

# Its ending
ENDING = "aftercare.ending"
REASON = "aftercare.reason"
RESOLVED, ESCALATED = "resolved", "escalated"

# A step
STEP_KIND = "aftercare.step.kind"
CONFIDENCE = "aftercare.confidence"
RECEIPT = "aftercare.receipt"
FALLBACK = "aftercare.fallback"
TOOL_NAME: Names = ("gen_ai.tool.name", "tool.name", "traceloop.entity.name")
DATA_SOURCE: Names = ("gen_ai.data_source.id",)
ARGUMENTS: Names = ("gen_ai.tool.call.arguments", "input.value", "traceloop.entity.input")
RESULT: Names = ("gen_ai.tool.call.result", "output.value", "traceloop.entity.output")
QUERY: Names = ("gen_ai.retrieval.query.text", "gen_ai.memory.query.text", "input.value", "embedding.text")
DOCUMENTS: Names = ("gen_ai.retrieval.documents", "gen_ai.memory.records")
DOCUMENTS_NUMBERED = "retrieval.documents."
MODEL: Names = ("gen_ai.response.model", "gen_ai.request.model", "llm.model_name", "embedding.model_name")
INPUT_TOKENS: Names = ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt")
OUTPUT_TOKENS: Names = ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion")
ERROR: Names = ("error.type", "exception.type")
FINISH_REASONS = "gen_ai.response.finish_reasons"

# What was heard and said: whole as JSON or structured, numbered one attribute a field, or one event a message.
HEARD: Names = ("gen_ai.input.messages", "gen_ai.prompt")
HEARD_NUMBERED: Names = ("gen_ai.prompt.", "llm.input_messages.")
HEARD_EVENTS: Names = (
    "gen_ai.system.message",
    "gen_ai.user.message",
    "gen_ai.assistant.message",
    "gen_ai.tool.message",
)
SAID: Names = ("gen_ai.output.messages", "gen_ai.completion")
SAID_NUMBERED: Names = ("gen_ai.completion.", "llm.output_messages.")
SAID_EVENTS: Names = ("gen_ai.choice",)
# Events whose attributes stand for the span's own.
CARRIERS: Names = (
    "gen_ai.client.inference.operation.details",
    "gen_ai.content.prompt",
    "gen_ai.content.completion",
    "exception",
)


def first(names: Sequence[str], *tellers: Mapping[str, Any]) -> Json:
    """What is told under the first of the names that anybody tells; null where none is."""
    for name in names:
        for told in tellers:
            if (value := told.get(name)) not in (None, ""):
                return value
    return None


def operation_of(attributes: Mapping[str, Any]) -> Operation | None:
    """What a span does, in whichever dialect it says so; null for a span that is not an agent's."""
    for name, meanings in OPERATIONS:
        if operation := meanings.get(str(attributes.get(name, "")).lower()):
            return operation
    return None
