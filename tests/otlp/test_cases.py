"""Which case a span is about, how it is registered, and how it ended."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from aftercare.messages.case import Escalation, Resolution
from aftercare.web.otlp.bounds import made_id
from aftercare.web.otlp.cases import CaseTrace, Export, cases_of
from aftercare.web.otlp.reading import Span
from tests.otlp.desk import TRACE, WRITES, chat, span, tool

CASE = {"aftercare.case.id": "case-1"}
OTHER = {"aftercare.case.id": "case-2"}


def cases(*spans: Span, domain: str = "retail") -> Export:
    return cases_of(spans, WRITES.__contains__, domain)


def one(*spans: Span, domain: str = "retail") -> CaseTrace:
    export = cases(*spans, domain=domain)
    assert not export.rejected
    (trace,) = export.cases
    return trace


def grouping(*spans: Span) -> dict[str, list[str]]:
    """The last figure of each step's span, by case."""
    return {trace.case_id: [s.source[-1] for s in trace.steps] for trace in cases(*spans).cases}


def test_a_span_is_about_the_case_it_names_or_one_above_it_does() -> None:
    """Through spans of any kind, however deep, and the nearest counts."""
    assert grouping(
        span(1, attributes=CASE),
        span(2, under=1, name="POST /tools"),
        tool(3, "get_order", under=2),
        tool(4, "get_order", under=2, attributes=OTHER),
        tool(5, "get_user", under=4),
    ) == {"case-1": ["3"], "case-2": ["4", "5"]}


def test_the_resource_names_the_case_of_what_names_none() -> None:
    """An agent that serves one case a process need say it only once."""
    talk = {"gen_ai.conversation.id": "conv_5j66"}
    spans = (
        tool(1, "a", resource=CASE),
        tool(2, "b", attributes=OTHER, resource=CASE),
        chat(3, attributes=talk, resource=CASE),
    )
    assert grouping(*spans) == {"case-1": ["1", "3"], "case-2": ["2"]}


def test_the_conversation_is_the_case_where_nothing_else_names_one() -> None:
    """An agent already instrumented names its conversation; below it, it is inherited."""
    talk = {"gen_ai.conversation.id": "conv_5j66"}
    assert grouping(chat(1, attributes=talk), tool(2, "a", under=1), tool(3, "b", attributes=talk | CASE)) == {
        "conv_5j66": ["1", "2"],
        "case-1": ["3"],
    }


def test_a_span_that_names_no_case_is_rejected_with_what_to_do() -> None:
    """Unless nothing is lost with it; a conversation whose name is no id is none."""
    export = cases(tool(1, "a"), span(2, name="GET /"), chat(3, attributes={"gen_ai.conversation.id": "ann lee"}))
    assert not export.cases
    assert {source[-1] for source in export.rejected} == {"1", "3"}
    assert all("set aftercare.case.id" in reason for reason in export.rejected.values())


def test_a_case_id_must_be_one_as_it_stands() -> None:
    """It is never bent into shape, and whatever stands below is not given to another case."""
    export = cases(span(1, attributes={"aftercare.case.id": "Ann Lee"}, resource=CASE), tool(2, "a", under=1))
    assert not export.cases
    assert all("is no id" in reason and "Ann" not in reason for reason in export.rejected.values())
    assert grouping(tool(1, "a", attributes={"aftercare.case.id": 4711})) == {"4711": ["1"]}


def test_a_case_is_registered_by_what_its_spans_and_resource_say() -> None:
    """Our own attributes first, then those of the conventions."""
    resource = {"aftercare.domain": "airline", "aftercare.release": "7", "service.name": "support"}
    told = {"aftercare.customer": "ann", "aftercare.intent": "refund", "aftercare.ticket": "zendesk:1"}
    case = one(span(1, attributes=CASE | told, resource=resource), tool(2, "a", under=1, at=5, resource=resource)).case
    assert case is not None
    assert (case.agent, case.domain, case.release, case.channel) == ("support", "airline", "7", "chat")
    assert (case.customer, case.intent, case.ticket) == ("ann", "refund", "zendesk:1")
    assert case.opened_at == datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_the_agent_is_the_one_that_is_named_most_plainly() -> None:
    """`aftercare.agent` over the conventions' name over the service's, and a name becomes an id."""
    service, named, ours = (
        {"service.name": "svc"},
        {"gen_ai.agent.name": "Shop Assistant (v2)"},
        {"aftercare.agent": "a"},
    )
    for attributes, agent in ((CASE, "svc"), (CASE | named, "Shop-Assistant-v2"), (CASE | named | ours, "a")):
        case = one(span(1, attributes=attributes, resource=service)).case
        assert case is not None
        assert case.agent == agent


def test_what_is_missing_for_a_registration_is_named() -> None:
    """A case is not registered under a domain or an agent that nobody named."""
    trace = one(tool(1, "a", attributes=CASE), domain="")
    assert (trace.case, trace.missing) == (None, ("aftercare.agent", "aftercare.domain"))
    assert len(trace.steps) == 1


def test_a_case_is_resolved_with_everything_it_did() -> None:
    """Acts without error, the last reply, and the intent and confidence of the span that says so."""
    ends = {"aftercare.ending": "resolved", "aftercare.intent": "cancel", "aftercare.confidence": 0.8}
    trace = one(
        span(1, attributes=CASE | ends, took=9),
        tool(2, "cancel_pending_order", {"order_id": "#W1"}, under=1, attributes={"aftercare.receipt": "op-1"}),
        tool(3, "cancel_pending_order", {"order_id": "#W2"}, under=1, failure="No."),
        chat(4, "Cancel it.", "Done.", under=1),
    )
    assert trace.ending is not None
    message = trace.ending.message(trace.steps)
    assert isinstance(message, Resolution)
    assert message.id == f"otlp-{TRACE}-0000000000000001"
    assert [(a.name, a.arguments, a.step, a.receipt) for a in message.actions] == [
        ("cancel_pending_order", {"order_id": "#W1"}, 1, "op-1")
    ]
    assert (message.intent, message.confidence, message.reply) == ("cancel", 0.8, "Done.")
    assert message.at == datetime(2026, 1, 1, 12, 0, 9, tzinfo=UTC)


def test_a_case_is_handed_over_with_its_reason() -> None:
    """And where none is told, that is what is said."""
    for told, reason in (({"aftercare.reason": "Too angry."}, "Too angry."), ({}, "The agent gave no reason.")):
        trace = one(span(1, attributes=CASE | {"aftercare.ending": "escalated"} | told))
        assert trace.ending is not None
        message = trace.ending.message(())
        assert isinstance(message, Escalation)
        assert message.reason == reason


def test_the_last_ending_counts_and_an_unknown_one_is_rejected() -> None:
    """A case that an agent ended twice in one export ended as it said last."""
    trace = one(
        span(1, at=5, attributes=CASE | {"aftercare.ending": "escalated"}),
        span(2, at=1, attributes=CASE | {"aftercare.ending": "resolved"}),
    )
    assert trace.ending is not None
    assert not trace.ending.resolved
    export = cases(span(1, attributes=CASE | {"aftercare.ending": "done"}))
    assert export.cases[0].ending is None
    assert "neither resolved nor escalated" in str(export.rejected)


def test_the_agents_own_span_says_the_reply_where_no_step_does() -> None:
    """Frameworks that tell no model calls still tell what came out."""
    said = chat(
        1, said="Done.", attributes=CASE | {"gen_ai.operation.name": "invoke_agent", "aftercare.ending": "resolved"}
    )
    trace = one(said)
    assert trace.steps == ()
    assert trace.ending is not None
    message = trace.ending.message(())
    assert isinstance(message, Resolution)
    assert message.reply == "Done."


def test_steps_are_read_beside_spans_of_other_cases() -> None:
    """A case below another's tool: its model spoke to that tool, and both keep their own numbers."""
    export = cases(
        tool(1, "ask_colleague", attributes=CASE),
        chat(2, "Hello colleague", "Hello", under=1, attributes=OTHER),
        tool(3, "get_order", under=2),
    )
    first, second = export.cases
    assert [(s.number, s.kind) for s in first.steps] == [(1, "retrieve")]
    assert [(s.number, s.kind, s.heard) for s in second.steps] == [(1, "reason", ""), (2, "retrieve", "")]


def test_a_loop_of_parents_ends() -> None:
    """Nobody sends such spans, and nobody hangs on them."""
    assert grouping(tool(1, "a", under=2), tool(2, "b", under=1, attributes=CASE)) == {"case-1": ["1", "2"]}


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 6), st.sampled_from([None, "x", "y", "no id"]))))
def test_every_span_is_in_one_case_or_rejected(shape: list[tuple[int, int, str | None]]) -> None:
    """Whatever the parents are, nothing is lost and nothing is counted twice."""
    spans = {
        id: tool(id, "t", under=under, attributes={"aftercare.case.id": case} if case else {})
        for id, under, case in shape
    }
    export = cases(*spans.values())
    again = sum(s.parent_id in {f"{id:016x}" for id in spans} for s in spans.values())  # a tool told by the one above
    told = sum(len(trace.steps) for trace in export.cases)
    assert len(spans) - again <= told + len(export.rejected) <= len(spans)


@given(st.text())
def test_a_name_becomes_an_id_or_nothing(name: str) -> None:
    """Whatever an agent is called, what stands in an id is one."""
    id = made_id(name)
    assert id is None or made_id(id) == id
