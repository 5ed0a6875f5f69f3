"""Who speaks to whom: which span's words were for the customer, and what was heard for the first time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aftercare.messages.case import StepKind
from aftercare.web.otlp import conventions as names
from aftercare.web.otlp.conventions import Operation, first
from aftercare.web.otlp.dialogue import Utterance, heard_on, newly_heard, said_on
from aftercare.web.otlp.reading import Span

_KINDS = {kind.value: kind for kind in StepKind}


@dataclass(frozen=True)
class Around:
    """A span and what stands around it in its export.

    `above` is the nearest operation above it, `in_call` whether that is part of a tool or of another call, and `turn`
    names the agent's span it belongs to, or the trace.
    """

    span: Span
    above: Span | None = None
    in_call: bool = False
    turn: str = ""


@dataclass(frozen=True)
class Talk:
    """What a span heard for the first time and what it said, and whether it said it to the customer."""

    heard: str = ""
    said: str = ""
    replies: bool = False


@dataclass(frozen=True)
class _Exchange:
    """One call of a model, or one span that stands for one: what it was given and what came back."""

    span: Span
    turn: str
    given: tuple[Utterance, ...]
    text: str
    ends: bool

    @property
    def answers(self) -> bool:
        """Whether its text could be meant for the customer."""
        return self.ends if named_kind(self.span) is None else named_kind(self.span) is StepKind.REPLY


def named_kind(span: Span) -> StepKind | None:
    """The kind of step that a span says it is."""
    return _KINDS.get(str(span.attributes.get(names.STEP_KIND, "")))


def around(span: Span, parent: Around | None) -> Around:
    """What stands around a span, from what stands around its parent."""
    if parent is None:
        return Around(span, turn=span.trace_id)
    over = parent.span
    calls = over.operation is Operation.TOOL or named_kind(over) not in (None, StepKind.REPLY)
    return Around(
        span,
        above=over if over.operation else parent.above,
        in_call=parent.in_call or calls,
        turn=over.source if over.operation is Operation.AGENT else parent.turn,
    )


def talk_of(stands: Sequence[Around]) -> dict[str, Talk]:
    """What was heard and said on spans, by source. Within a tool a model speaks to the tool, and not to the customer.

    In a turn the last text that asks for no tool is the reply, and so is an earlier one that the agent's own later
    history holds: it had been said. The same words heard by two calls in a row were said once.
    """
    speaking = (None, Operation.CHAT, Operation.AGENT)
    exchanges = [_exchange(stand) for stand in stands if stand.span.operation in speaking]
    inside = {stand.span.source for stand in stands if stand.in_call}
    outside = [e for e in exchanges if e.span.source not in inside]
    last = {e.turn: e.span.source for e in outside if e.answers}
    history = {(e.turn, u.text) for e in outside for u in e.given if u.role == "assistant" and u.text}
    talk = {stand.span.source: Talk() for stand in stands}
    talk |= {e.span.source: Talk(said=e.text) for e in exchanges}
    heard: dict[str, str] = {}
    for e in outside:
        words = newly_heard(e.given)
        replies = e.answers and (last[e.turn] == e.span.source or (e.turn, e.text) in history)
        talk[e.span.source] = Talk("" if words == heard.get(e.turn) else words, e.text, replies)
        heard[e.turn] = words or heard.get(e.turn, "")
    return talk


def _exchange(stand: Around) -> _Exchange:
    span, said = stand.span, said_on(stand.span)
    text = next((u.text for u in said if u.text), "")
    if not text and named_kind(span) is StepKind.REPLY:
        result = first(names.RESULT, span.attributes)
        text = result if isinstance(result, str) else ""
    reasons = span.attributes.get(names.FINISH_REASONS)
    finished = [str(reason) for reason in reasons] if isinstance(reasons, list) else []
    calls = any(u.calls for u in said) or any("tool" in reason or "function" in reason for reason in finished)
    return _Exchange(span, stand.turn, tuple(heard_on(span)), text, not calls and bool(text or "stop" in finished))
