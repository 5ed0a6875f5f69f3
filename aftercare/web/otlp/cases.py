"""From spans to cases: which case a span is about, how it is registered, what its spans tell of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aftercare.messages.base import Json
from aftercare.messages.case import Case, Step
from aftercare.web.otlp import conventions as names
from aftercare.web.otlp.bounds import cut, exact_id, made_id, told
from aftercare.web.otlp.conventions import Operation, first
from aftercare.web.otlp.dialogue import said_on
from aftercare.web.otlp.endings import Ending
from aftercare.web.otlp.reading import Span, inherited, instant
from aftercare.web.otlp.spans import LONGEST_LINE, LONGEST_NAME, Writes, confidence_of, is_step, steps_of

NO_CASE = (
    f"no case is named: set {names.CASE_ID} on the span, on one above it in the same export or on the resource; "
    f"{names.CONVERSATION_ID[0]} will do"
)
NO_ID = f"{names.CASE_ID} is no id: letters, digits and . _ : - only, at most 120"
NO_ENDING = f"{names.ENDING} is neither {names.RESOLVED} nor {names.ESCALATED}"


@dataclass(frozen=True)
class CaseTrace:
    """What one export tells of one case.

    `case` is null where the spans do not say enough to register it, and `missing` then names the attributes. Steps
    are numbered as if the case began here.
    """

    case_id: str
    case: Case | None
    missing: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    ending: Ending | None = None


@dataclass(frozen=True)
class Export:
    """What one export tells: its cases, and by source the spans that could not be made use of, each with the reason."""

    cases: tuple[CaseTrace, ...]
    rejected: Mapping[str, str]


@dataclass(frozen=True)
class _Named:
    """The case a span is about, by its own attribute or the conversation's; `wrong` where it names one by no id."""

    case_id: str | None = None
    conversation: str | None = None
    wrong: bool = False


def cases_of(spans: Sequence[Span], writes: Writes, domain: str = "") -> Export:
    """The cases that spans of one export are about, in the order in which they begin. `domain` is the usual one.

    Spans that tell nothing of a case (of a web server, of a database) are passed over, and not counted as rejected.
    """
    named = inherited(spans, _named)
    rejected: dict[str, str] = {}
    about: dict[str, list[Span]] = {}
    for span in spans:
        name = named[span.source]
        case_id = name.case_id or exact_id(span.resource.get(names.CASE_ID)) or name.conversation
        if name.wrong or not case_id:
            rejected |= {span.source: NO_ID if name.wrong else NO_CASE} if _tells(span) else {}
            continue
        about.setdefault(case_id, []).append(span)
        if names.ENDING in span.attributes and _ends(span) is None:
            rejected[span.source] = NO_ENDING
    # Steps are read from all spans together: a case's span may stand below one of another case.
    steps = {step.source: step for step in steps_of(spans, writes)}
    cases = [_case_trace(case_id, mine, steps, domain) for case_id, mine in about.items() if any(map(_tells, mine))]
    return Export(tuple(cases), rejected)


def _named(span: Span, parent: _Named | None) -> _Named:
    above = parent or _Named()
    conversation = exact_id(first(names.CONVERSATION_ID, span.attributes)) or above.conversation
    if names.CASE_ID in span.attributes:
        case_id = exact_id(span.attributes[names.CASE_ID])
        return _Named(case_id, conversation, wrong=case_id is None)
    return _Named(above.case_id, conversation, above.wrong)


def _tells(span: Span) -> bool:
    """Whether anything is lost when nothing is made of the span."""
    told_here = any(name in span.attributes for name in (names.CASE_ID, names.ENDING))
    return told_here or is_step(span) or span.operation is Operation.AGENT


def _case_trace(case_id: str, spans: Sequence[Span], steps: Mapping[str, Step], domain: str) -> CaseTrace:
    mine = [steps[span.source] for span in spans if span.source in steps]
    told_by = [span.attributes for span in spans] + [span.resource for span in spans]
    agent, line = made_id(first(names.AGENT, *told_by)), made_id(first(names.DOMAIN, *told_by)) or made_id(domain)
    missing = (*((names.AGENT[0],) if agent is None else ()), *((names.DOMAIN[0],) if line is None else ()))
    case = _case(case_id, agent, line, told_by, spans) if agent and line else None
    ending = max((s for s in spans if _ends(s) is not None), key=lambda s: (s.end, s.span_id), default=None)
    return CaseTrace(
        case_id=case_id,
        case=case,
        missing=missing,
        steps=tuple(step.model_copy(update={"number": number}) for number, step in enumerate(mine, 1)),
        ending=_ending(ending, told_by) if ending else None,
    )


def _case(case_id: str, agent: str, domain: str, told_by: Sequence[Mapping[str, Json]], spans: Sequence[Span]) -> Case:
    def name(of: names.Names) -> str:
        return told(first(of, *told_by), LONGEST_NAME)

    def line(of: names.Names) -> str:
        return told(first(of, *told_by), LONGEST_LINE)

    return Case(
        id=case_id,
        agent=agent,
        domain=domain,
        release=name(names.RELEASE) or None,
        channel=name(names.CHANNEL) or "chat",
        customer=line(names.CUSTOMER) or None,
        intent=name(names.INTENT) or "unknown",
        environment=line(names.ENVIRONMENT),
        opened_at=instant(min(span.start for span in spans)),
        ticket=name(names.TICKET) or None,
        contact=line(names.CONTACT) or None,
    )


def _ends(span: Span) -> bool | None:
    """Whether a span says that the case was resolved, or handed over; null where it says neither."""
    return {names.RESOLVED: True, names.ESCALATED: False}.get(str(span.attributes.get(names.ENDING)))


def _ending(span: Span, told_by: Sequence[Mapping[str, Json]]) -> Ending:
    return Ending(
        id=f"otlp-{span.trace_id}-{span.span_id}",
        source=span.source,
        resolved=bool(_ends(span)),
        reason=told(span.attributes.get(names.REASON), 20_000),
        intent=told(first(names.INTENT, span.attributes, *told_by), LONGEST_NAME) or "unknown",
        confidence=confidence_of(span.attributes),
        reply=cut(next((u.text for u in said_on(span) if u.text), "")),
        at=span.ended_at,
    )
