"""From spans to steps: which spans are decision points of an agent, of which kind, and what they tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from aftercare.messages.base import NOT_REPORTED, Confidence, Json
from aftercare.messages.case import Step, StepKind
from aftercare.web.otlp import conventions as names
from aftercare.web.otlp.bounds import as_object, bounded, count, cut, exact_id, parsed, told
from aftercare.web.otlp.conventions import Operation, first
from aftercare.web.otlp.reading import Span, inherited
from aftercare.web.otlp.turns import Around, Talk, around, named_kind, talk_of

Writes = Callable[[str], bool]
NOT_TOLD = "not_told"  # stands where no span tells the arguments, so that no two such calls look the same
LONGEST_NAME, LONGEST_LINE = 120, 500
_CALLS = (Operation.TOOL, Operation.RETRIEVAL, Operation.EMBEDDINGS)


def steps_of(spans: Sequence[Span], writes: Writes) -> list[Step]:
    """The steps that spans tell, in their order, numbered as if the case began here.

    `spans` are one export's, by their start; `writes` tells of a tool, by its name, whether it changes a system of
    record. A span that is no decision point (an HTTP call, the agent's own span) gives no step, and neither does one
    that only tells again what the span above it tells.
    """
    stand = inherited(spans, around)
    telling = [span for span in spans if is_step(span) and not _tells_again(span, stand[span.source])]
    talk = talk_of([stand[span.source] for span in telling])
    return [_step(number, span, talk[span.source], writes) for number, span in enumerate(telling, 1)]


def is_step(span: Span) -> bool:
    """Whether a span is a decision point of an agent: by its operation, or because it names its kind itself."""
    return named_kind(span) is not None or span.operation not in (None, Operation.AGENT)


def confidence_of(attributes: Mapping[str, Json]) -> Confidence:
    """The confidence that is told, where it is one."""
    value = attributes.get(names.CONFIDENCE)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    return NOT_REPORTED


def _tells_again(span: Span, stand: Around) -> bool:
    """A model called through two instrumented libraries, or a tool seen from both its sides, is one call."""
    above = stand.above
    if above is None or above.operation is not span.operation or named_kind(span):
        return False
    return span.operation is Operation.CHAT or (span.operation in _CALLS and _name(above) == _name(span))


def _step(number: int, span: Span, talk: Talk, writes: Writes) -> Step:
    tells, kind = span.attributes, _kind(span, talk, writes)
    tokens_in, tokens_out = (count(first(n, tells)) for n in (names.INPUT_TOKENS, names.OUTPUT_TOKENS))
    return Step(
        number=number,
        kind=kind,
        name=_name(span),
        input=_input(span),
        output=_output(span, kind, talk),
        heard=cut(talk.heard),
        said=cut(talk.said) if kind is StepKind.REPLY else "",
        error=_error(span),
        receipt=exact_id(tells.get(names.RECEIPT)),
        confidence=confidence_of(tells),
        latency=span.latency,
        tokens=None if tokens_in is tokens_out is None else (tokens_in or 0) + (tokens_out or 0),
        at=span.ended_at,
        model=told(first(names.MODEL, tells), LONGEST_NAME),
        input_tokens=tokens_in,
        output_tokens=tokens_out,
        fallback=tells.get(names.FALLBACK) is True,
        source=span.source,
    )


def _kind(span: Span, talk: Talk, writes: Writes) -> StepKind:
    if kind := named_kind(span):
        return kind
    if span.operation is Operation.CHAT:
        return StepKind.REPLY if talk.replies else StepKind.REASON
    if span.operation is Operation.TOOL:
        return StepKind.ACT if writes(_name(span)) else StepKind.RETRIEVE
    return StepKind.CHECK_POLICY if span.operation is Operation.GUARDRAIL else StepKind.RETRIEVE


def _name(span: Span) -> str:
    """The tool's or the source's name, otherwise the operation's; of a span that has none, its own."""
    if span.operation is Operation.TOOL:
        name = first(names.TOOL_NAME, span.attributes) or span.name.removeprefix("execute_tool ")
    elif span.operation is Operation.RETRIEVAL:
        name = first(names.DATA_SOURCE, span.attributes) or Operation.RETRIEVAL
    else:
        name = span.operation or span.name
    return told(name, LONGEST_NAME)


def _input(span: Span) -> dict[str, Json]:
    if span.operation is Operation.CHAT:
        return {}  # what was heard is told as such
    if span.operation in (Operation.RETRIEVAL, Operation.EMBEDDINGS):
        query = first(names.QUERY, span.attributes)
        return {"query": bounded(query)} if query is not None else {NOT_TOLD: span.span_id}
    arguments = parsed(first(names.ARGUMENTS, span.attributes))
    if isinstance(arguments, dict) and arguments.keys() == {"args", "kwargs"}:
        arguments = arguments["kwargs"] or arguments["args"] or {}
    if arguments is None and span.operation is Operation.TOOL:
        return {NOT_TOLD: span.span_id}
    return as_object(arguments)


def _output(span: Span, kind: StepKind, talk: Talk) -> Json:
    if span.operation is Operation.CHAT:
        return cut(talk.said) if talk.said and kind is not StepKind.REPLY else None
    found = first(names.DOCUMENTS, span.attributes)
    if found is None:
        numbered = [v for n, v in span.attributes.items() if n.startswith(names.DOCUMENTS_NUMBERED)]
        found = numbered or first(names.RESULT, span.attributes)
    return bounded(parsed(found))


def _error(span: Span) -> str | None:
    """What kind of fault or refusal it met, and in which words; null where it met none."""
    fault = first(names.ERROR if span.failure is not None else names.ERROR[:1], span.attributes)
    if fault is None and span.failure is None:
        return None
    kind = told(fault, LONGEST_LINE)
    words = span.failure or told(span.attributes.get("exception.message"), LONGEST_LINE)
    if words.startswith(kind.rpartition(".")[2]):  # a description that begins with the exception's name, as SDKs write
        return cut(words or kind or "failed", LONGEST_LINE)
    return cut(f"{kind}: {words}" if words else kind, LONGEST_LINE)
