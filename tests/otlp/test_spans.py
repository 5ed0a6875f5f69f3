"""Which spans become steps, of which kind, and what the steps tell."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercare.lifecycle.intake import LARGEST_REPORT, check_size
from aftercare.messages.case import Step, StepKind
from aftercare.web.otlp.reading import Span
from aftercare.web.otlp.spans import steps_of
from tests.otlp.desk import TRACE, WRITES, chat, span, tool

ASKED, ANSWER = "Please cancel order #W1.", "Order #W1 is cancelled."


def steps(*spans: Span) -> list[Step]:
    return steps_of(spans, WRITES.__contains__)


def agent(id: int, under: int = 0, **told: Any) -> Span:
    return span(id, under=under, attributes={"gen_ai.operation.name": "invoke_agent"}, **told)


def test_a_turn_becomes_what_the_agent_thought_did_and_said() -> None:
    """The agent's own span gives no step; model calls, look-ups and acts do, in their order."""
    told = steps(
        agent(1),
        chat(2, ASKED, calls="get_order", under=1),
        tool(3, "get_order", {"order_id": "#W1"}, {"status": "pending"}, under=1),
        tool(4, "cancel_pending_order", {"order_id": "#W1"}, {"status": "cancelled"}, under=1),
        chat(5, ASKED, ANSWER, under=1),
    )
    assert [(s.number, s.kind, s.name) for s in told] == [
        (1, StepKind.REASON, "chat"),
        (2, StepKind.RETRIEVE, "get_order"),
        (3, StepKind.ACT, "cancel_pending_order"),
        (4, StepKind.REPLY, "chat"),
    ]
    assert (told[0].heard, told[3].heard) == (ASKED, "")
    assert [s.said for s in told] == ["", "", "", ANSWER]


def test_a_tool_tells_its_arguments_its_result_and_its_receipt() -> None:
    """Structured or as a JSON string, arguments and results are read; the receipt is ours."""
    told = tool(1, "cancel_pending_order", {"order_id": "#W1"}, {"status": "cancelled"})
    plain = span(
        2,
        attributes={**told.attributes, "gen_ai.tool.call.arguments": {"order_id": "#W1"}, "aftercare.receipt": "op-1"},
    )
    first, second = steps(told, plain)
    assert first.input == second.input == {"order_id": "#W1"}
    assert first.output == second.output == {"status": "cancelled"}
    assert (first.receipt, second.receipt) == (None, "op-1")


def test_a_model_call_tells_its_model_its_tokens_and_its_time() -> None:
    """Latency in seconds, `at` its end, tokens in all, and where it was read from."""
    usage = {"gen_ai.usage.input_tokens": 120, "gen_ai.usage.output_tokens": 8, "aftercare.confidence": 0.9}
    (step,) = steps(chat(7, said=ANSWER, took=1.5, attributes={"gen_ai.request.model": "small", **usage}))
    assert (step.model, step.input_tokens, step.output_tokens, step.tokens) == ("small", 120, 8, 128)
    assert (step.latency, step.confidence) == (1.5, 0.9)
    assert step.at == datetime(2026, 1, 1, 12, 0, 1, 500_000, tzinfo=UTC)
    assert step.source == f"otlp:{TRACE}/0000000000000007"


def test_a_span_may_say_which_kind_of_step_it_is() -> None:
    """`aftercare.step.kind` decides, for a model call, for a tool, and for a span of no convention at all."""
    kinds = [
        chat(1, ASKED, "cancel", attributes={"aftercare.step.kind": "classify"}),
        tool(2, "get_order", attributes={"aftercare.step.kind": "act"}),
        span(3, name="refund rules", attributes={"aftercare.step.kind": "check_policy", "input.value": '{"days": 30}'}),
        tool(4, "get_order", attributes={"aftercare.step.kind": "nonsense"}),
    ]
    told = steps(*kinds)
    assert [s.kind for s in told] == [StepKind.CLASSIFY, StepKind.ACT, StepKind.CHECK_POLICY, StepKind.RETRIEVE]
    assert (told[0].said, told[0].output) == ("", "cancel")
    assert (told[2].name, told[2].input) == ("refund rules", {"days": 30})
    whole = chat(5, ASKED, ANSWER, attributes={"gen_ai.operation.name": "invoke_agent", "aftercare.step.kind": "reply"})
    (reply,) = steps(whole)
    assert (reply.kind, reply.heard, reply.said) == (StepKind.REPLY, ASKED, ANSWER)


def test_spans_that_are_no_decision_points_give_no_steps() -> None:
    """What a web server, a database and a workflow engine tell is passed over."""
    server = span(1, attributes={"http.request.method": "POST"}, name="POST /chat")
    assert steps(server, span(2, attributes={"db.system.name": "sqlite"}), agent(3)) == []


def test_retrievals_and_embeddings_are_look_ups() -> None:
    """Both are `retrieve`, with the query and what was found."""
    found = [{"id": "faq-1", "score": 0.9}]
    asked = {"gen_ai.retrieval.query.text": "late parcel", "gen_ai.retrieval.documents": json.dumps(found)}
    retrieval = span(1, attributes={"gen_ai.operation.name": "retrieval", "gen_ai.data_source.id": "faq", **asked})
    told = steps(retrieval, span(2, attributes={"gen_ai.operation.name": "embeddings"}))
    assert [(s.kind, s.name) for s in told] == [(StepKind.RETRIEVE, "faq"), (StepKind.RETRIEVE, "embeddings")]
    assert (told[0].input, told[0].output) == ({"query": "late parcel"}, found)


def test_calls_whose_arguments_nobody_told_do_not_look_the_same() -> None:
    """Content is not captured by default; two such calls are not taken for one that was repeated."""
    one, other, empty = steps(tool(1, "get_order"), tool(2, "get_order"), tool(3, "get_order", {}))
    assert one.input != other.input
    assert empty.input == {}


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ({"attributes": {"error.type": "timeout"}}, "timeout"),
        ({"attributes": {"error.type": "ToolError"}, "failure": "No such order."}, "ToolError: No such order."),
        ({"attributes": {"error.type": "shop.Refused"}, "failure": "Refused: too late"}, "Refused: too late"),
        ({"failure": ""}, "failed"),
        ({"failure": "Too late."}, "Too late."),
        ({"attributes": {"exception.type": "KeyError", "exception.message": "W1"}, "failure": ""}, "KeyError: W1"),
        ({"attributes": {"exception.type": "KeyError"}}, None),
    ],
)
def test_a_fault_is_told_where_the_span_failed(told: dict[str, Any], error: str | None) -> None:
    """By its type and its words; an exception that was handled within is none."""
    (step,) = steps(tool(1, "get_order", **told))
    assert step.error == error


def test_what_was_said_on_the_way_is_no_reply() -> None:
    """Of several texts in a turn only the last was for the customer, and none that asks for a tool."""
    told = steps(
        agent(1),
        chat(2, "Which intent is this?", "cancel_order", under=1),
        chat(3, ASKED, "Let me look.", calls="get_order", under=1),
        chat(4, ASKED, ANSWER, under=1),
    )
    assert [(s.kind, s.said or s.output) for s in told] == [
        (StepKind.REASON, "cancel_order"),
        (StepKind.REASON, "Let me look."),
        (StepKind.REPLY, ANSWER),
    ]
    assert steps(chat(1, ASKED, "Let me look.", calls="get_order"))[0].kind is StepKind.REASON


def test_every_reply_of_a_conversation_in_one_trace_is_one() -> None:
    """What stands in the agent's own later history was said to the customer."""
    history = [{"role": "user", "content": ASKED}, {"role": "assistant", "content": ANSWER}]
    later = {"gen_ai.input.messages": json.dumps([*history, {"role": "user", "content": "Thanks!"}])}
    told = steps(agent(1), chat(2, ASKED, ANSWER, under=1), chat(3, said="Bye.", under=1, attributes=later))
    assert [(s.kind, s.heard, s.said) for s in told] == [
        (StepKind.REPLY, ASKED, ANSWER),
        (StepKind.REPLY, "Thanks!", "Bye."),
    ]


def test_a_model_that_a_tool_asks_speaks_to_the_tool() -> None:
    """Its prompt was not heard from the customer, and its answer not said to him, however deep it stands."""
    told = steps(
        tool(1, "summarise"),
        agent(2, under=1),
        chat(3, "Summarise: ...", "A summary.", under=2),
        chat(4, ASKED, ANSWER),
    )
    assert [(s.kind, s.heard, s.said) for s in told[1:]] == [
        (StepKind.REASON, "", ""),
        (StepKind.REPLY, ASKED, ANSWER),
    ]
    assert told[1].output == "A summary."


def test_a_call_that_two_libraries_tell_counts_once() -> None:
    """A model call within a model call, and a tool within the tool of the same name, are told by the outer one."""
    told = steps(
        chat(1, ASKED, ANSWER),
        chat(2, ASKED, ANSWER, under=1),
        tool(3, "get_order"),
        span(4, under=3, name="POST /mcp"),
        tool(5, "get_order", under=4),
        tool(6, "get_user", under=3),
    )
    assert [s.source[-1] for s in told] == ["1", "3", "6"]


def test_without_content_the_last_finished_call_is_the_reply() -> None:
    """Finish reasons tell it where no text was captured; nothing is invented."""
    asks, ends = ({"gen_ai.response.finish_reasons": [reason]} for reason in ("tool_calls", "stop"))
    told = steps(chat(1, attributes=asks), chat(2, attributes=ends))
    assert [(s.kind, s.said) for s in told] == [(StepKind.REASON, ""), (StepKind.REPLY, "")]


def test_texts_are_cut_visibly() -> None:
    """Whatever is too long ends with three dots, and the step keeps its limits."""
    long = "x" * 70_000
    said, used = steps(chat(1, long, long), tool(2, long, {"a": long}, {"b": [long] * 4}, failure=long))
    assert (len(said.heard), len(said.said), said.said[-4:]) == (20_000, 20_000, "x...")
    assert (len(used.name), len(used.input["a"]), len(used.error or "")) == (120, 20_000, 500)
    assert isinstance(used.output, str)
    assert used.output.endswith("...")


def test_what_no_database_keeps_is_replaced() -> None:
    """NUL and half characters become a mark, NaN is unknown, and what is nested too deeply ends in three dots."""
    deep = f'{{"a\\u0000": "b\\ud800", "n": NaN, "deep": {"[" * 60}{"]" * 60}}}'
    (step,) = steps(tool(1, "get\x00order", attributes={"gen_ai.tool.call.arguments": deep}))
    assert step.name == "get\ufffdorder"
    assert (step.input["a\ufffd"], step.input["n"]) == ("b\ufffd", None)
    assert str(step.input["deep"]) == f"{'[' * 31}'...'{']' * 31}"


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(
    [
        *("aftercare.step.kind", "aftercare.confidence", "aftercare.receipt", "gen_ai.tool.name"),
        *("gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "gen_ai.input.messages", "gen_ai.output.messages"),
        *("gen_ai.usage.input_tokens", "gen_ai.request.model", "error.type", "gen_ai.response.finish_reasons"),
        *("gen_ai.prompt.0.content", "llm.output_messages.1.message.content", "input.value"),
    ]
)
told = st.dictionaries(names, values | values.map(lambda value: json.dumps(value)), max_size=8)
operations = st.sampled_from(["chat", "execute_tool", "retrieval", "embeddings", "invoke_agent"])


@given(st.lists(st.tuples(operations, told, st.integers(0, 4)), max_size=4))
def test_every_span_can_be_read(spans: list[tuple[str, dict[str, Any], int]]) -> None:
    """Whatever stands in the attributes and whoever is whose parent, steps are made that any store can keep."""
    made = steps(
        *(
            span(number, under=parent, attributes={"gen_ai.operation.name": operation, **attributes})
            for number, (operation, attributes, parent) in enumerate(spans, 1)
        )
    )
    for step in made:
        sent = step.model_dump(mode="json")
        check_size(sent, LARGEST_REPORT)  # what the gateway asks of every message
        assert Step.model_validate_json(json.dumps(sent)) == step
