"""Older and other conventions say the same: each dialect's turn becomes the same steps."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aftercare.messages.case import StepKind
from aftercare.web.otlp.dialogue import heard_on, newly_heard, said_on
from aftercare.web.otlp.reading import Event, Span, spans_of
from aftercare.web.otlp.spans import steps_of
from tests.otlp.desk import WRITES, span, wire

HEARD, SAID = "Where is my parcel?", "It arrives tomorrow."
ASSISTANT = {"role": "assistant", "content": SAID}


def event(name: str, **attributes: Any) -> Event:
    return Event(name, attributes)


FORMS: dict[str, dict[str, Any]] = {
    "structured, as logs and newer SDKs have it": {
        "attributes": {
            "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": HEARD}]}],
            "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": SAID}]}],
        }
    },
    "JSON strings, with roles of another name": {
        "attributes": {
            "gen_ai.input.messages": json.dumps([{"role": "Human", "parts": [{"type": "text", "content": HEARD}]}]),
            "gen_ai.output.messages": json.dumps([{"role": "AI", "parts": [{"type": "text", "content": SAID}]}]),
        }
    },
    "on an event of the details": {
        "events": (
            event(
                "gen_ai.client.inference.operation.details",
                **{
                    "gen_ai.input.messages": json.dumps([{"role": "user", "content": HEARD}]),
                    "gen_ai.output.messages": json.dumps([ASSISTANT]),
                },
            ),
        )
    },
    "an event for each message, before 1.37": {
        "events": (
            event("gen_ai.system.message", content="Be kind."),
            event("gen_ai.user.message", content=HEARD),
            event("gen_ai.choice", index=0, finish_reason="stop", message=json.dumps(ASSISTANT)),
        )
    },
    "an event's content as JSON": {
        "events": (
            event("gen_ai.user.message", **{"gen_ai.event.content": json.dumps({"content": HEARD})}),
            event("gen_ai.choice", **{"gen_ai.event.content": json.dumps({"index": 0, "message": ASSISTANT})}),
        )
    },
    "prompt and completion events": {
        "events": (
            event("gen_ai.content.prompt", **{"gen_ai.prompt": json.dumps([{"role": "user", "content": HEARD}])}),
            event("gen_ai.content.completion", **{"gen_ai.completion": json.dumps([ASSISTANT])}),
        )
    },
    "OpenLLMetry, numbered": {
        "attributes": {
            "llm.request.type": "chat",
            "gen_ai.prompt.0.role": "system",
            "gen_ai.prompt.0.content": "Be kind.",
            "gen_ai.prompt.1.role": "user",
            "gen_ai.prompt.1.content": HEARD,
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.content": SAID,
        }
    },
    "OpenInference, numbered": {
        "attributes": {
            "openinference.span.kind": "LLM",
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.content": HEARD,
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.contents.0.message_content.type": "text",
            "llm.output_messages.0.message.contents.0.message_content.text": SAID,
        }
    },
}


@pytest.mark.parametrize("form", FORMS)
def test_what_was_heard_and_said_is_found_in_every_form(form: str) -> None:
    """One turn, told in eight ways, is the same turn."""
    told = {"gen_ai.operation.name": "chat", **FORMS[form].get("attributes", {})}
    if any(name.startswith(("llm.", "openinference.")) for name in told):
        del told["gen_ai.operation.name"]  # these dialects name the operation themselves
    (step,) = steps_of(read(span(1, **{**FORMS[form], "attributes": told})), WRITES.__contains__)
    assert (step.kind, step.heard, step.said) == (StepKind.REPLY, HEARD, SAID)


def read(*spans: Span) -> list[Span]:
    """The spans as they come over the wire."""
    return spans_of(wire(*spans))[0]


@pytest.mark.parametrize(
    "told",
    [
        {"llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "get_order"},
        {"gen_ai.completion.0.tool_calls.0.name": "get_order"},
        {"gen_ai.output.messages": json.dumps([{"role": "assistant", "tool_calls": [{"function": {}}]}])},
        {"gen_ai.output.messages": json.dumps([{"role": "assistant", "content": [{"type": "tool_use"}]}])},
    ],
)
def test_a_request_for_a_tool_is_seen_in_every_form(told: dict[str, Any]) -> None:
    """So that what is said beside it is not taken for the reply."""
    assert [u.calls for u in said_on(span(1, attributes=told))] == [True]


def test_an_openinference_agent_is_read_whole() -> None:
    """Tools, retrievals, guardrails and token counts under their own names."""
    kind = "openinference.span.kind"
    used = {
        kind: "TOOL",
        "tool.name": "cancel_pending_order",
        "input.value": '{"order_id": "#W1"}',
        "output.value": "ok",
    }
    found = {"input.value": "late parcel", "retrieval.documents.0.document.content": "Parcels are late on Mondays."}
    usage = {"llm.model_name": "small", "llm.token_count.prompt": 9, "llm.token_count.completion": 3}
    told = steps_of(
        [
            span(1, attributes={kind: "AGENT"}),
            span(2, attributes=used),
            span(3, attributes={kind: "RETRIEVER", **found}),
            span(4, attributes={kind: "GUARDRAIL"}, name="no insults"),
            span(5, attributes={kind: "LLM", **usage}),
            span(6, attributes={kind: "CHAIN"}),
        ],
        WRITES.__contains__,
    )
    act, retrieval, check, model = told
    assert (act.kind, act.name, act.input, act.output) == ("act", "cancel_pending_order", {"order_id": "#W1"}, "ok")
    assert (retrieval.kind, retrieval.input) == ("retrieve", {"query": "late parcel"})
    assert retrieval.output == ["Parcels are late on Mondays."]
    assert check.kind is StepKind.CHECK_POLICY
    assert (model.model, model.tokens) == ("small", 12)


def test_an_openllmetry_tool_tells_its_named_arguments() -> None:
    """Its decorator wraps them; the tool's own arguments are what counts."""
    told = {"traceloop.span.kind": "tool", "traceloop.entity.name": "get_order"}
    wrapped = json.dumps({"args": [], "kwargs": {"order_id": "#W1"}})
    (step,) = steps_of([span(1, attributes={**told, "traceloop.entity.input": wrapped})], WRITES.__contains__)
    assert (step.name, step.input) == ("get_order", {"order_id": "#W1"})


def test_thoughts_are_not_words() -> None:
    """Reasoning beside the text is neither heard nor said."""
    parts = [{"type": "reasoning", "content": "Hm."}, {"type": "text", "content": SAID}]
    told = {"gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": parts}])}
    assert [u.text for u in said_on(span(1, attributes=told))] == [SAID]


def test_only_the_customers_last_words_are_new() -> None:
    """What was said before stands in the history, and the system's words are nobody's."""
    history = [("user", "Hello"), ("assistant", "Hi"), ("user", HEARD), ("user", "Please."), ("system", "Be kind.")]
    told = json.dumps([{"role": role, "content": text} for role, text in history])
    heard = heard_on(span(1, attributes={"gen_ai.input.messages": told}))
    assert newly_heard(heard) == f"{HEARD}\nPlease."
    assert newly_heard(heard[:2]) == ""
