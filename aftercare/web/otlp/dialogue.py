"""What was heard and what was said: the messages on a span, in whichever of their forms they stand there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from aftercare.messages.base import Json
from aftercare.web.otlp import conventions as names
from aftercare.web.otlp.bounds import parsed
from aftercare.web.otlp.reading import Event, Span

_ROLES = {"human": "user", "ai": "assistant", "model": "assistant", "developer": "system"}
_CALLS = ("tool_call", "tool_use", "function_call")
_THOUGHT = ("reasoning", "thinking")
_MOST_NUMBERED = 10_000


@dataclass(frozen=True)
class Utterance:
    """One message to or from a model: who spoke, what text, and whether it asks for a tool."""

    role: str
    text: str = ""
    calls: bool = False


def heard_on(span: Span) -> list[Utterance]:
    """What the model was given, the history included, oldest first."""
    return _utterances(span, names.HEARD, names.HEARD_NUMBERED, names.HEARD_EVENTS, "user")


def said_on(span: Span) -> list[Utterance]:
    """What the model answered; several are choices, of which the first is taken."""
    return _utterances(span, names.SAID, names.SAID_NUMBERED, names.SAID_EVENTS, "assistant")


def newly_heard(history: Sequence[Utterance]) -> str:
    """What the customer said since the agent last did anything: the last words of a history, if they are a user's."""
    spoken = [u for u in history if u.role != "system"]
    last = list(takewhile(lambda u: u.role == "user", reversed(spoken)))
    return "\n".join(u.text for u in reversed(last) if u.text)


def _utterances(
    span: Span, whole: names.Names, numbered: names.Names, events: names.Names, role: str
) -> list[Utterance]:
    """From the first form that holds any messages."""
    raw = _whole(names.first(whole, span.attributes))
    raw = raw or next((found for prefix in numbered if (found := _numbered(span.attributes, prefix))), [])
    raw = raw or [_of_event(event, role) for event in span.events if event.name in events]
    return [_utterance(message, role) for message in raw]


def _whole(value: Json) -> list[Json]:
    value = parsed(value)
    if value is None:
        return []
    if isinstance(value, dict) and isinstance(value.get("messages"), list):
        value = value["messages"]
    return value if isinstance(value, list) else [value]


def _numbered(attributes: Mapping[str, Json], prefix: str) -> list[Json]:
    """Messages spread over attributes such as `gen_ai.prompt.0.content`."""
    found: dict[int, dict[str, Json]] = {}
    for name, value in attributes.items():
        number, _, field = name.removeprefix(prefix).partition(".")
        if name.startswith(prefix) and number.isdecimal() and len(number) < 6:
            found.setdefault(int(number), {})[field.removeprefix("message.")] = value
    return [_gathered(found[number]) for number in sorted(found)[:_MOST_NUMBERED]]


def _gathered(fields: dict[str, Json]) -> Json:
    """Contents and tool calls that are numbered themselves, as lists."""
    texts = [value for name, value in sorted(fields.items()) if name.endswith(".message_content.text")]
    calls = [name for name in fields if name.startswith(("tool_calls.", "function_call"))]
    return {"content": texts} | fields | {"tool_calls": calls}


def _of_event(event: Event, role: str) -> Json:
    """A message that is an event: its body stands in attributes, or as JSON in one of them."""
    told: dict[str, Any] = dict(event.attributes)
    for name in ("gen_ai.event.content", "message"):
        inner = parsed(told.get(name))
        if isinstance(inner, dict):
            told |= inner
    named = event.name.removeprefix("gen_ai.").removesuffix(".message")
    return {"role": role if event.name in names.SAID_EVENTS else named} | told


def _utterance(message: Json, role: str) -> Utterance:
    if not isinstance(message, dict):
        return Utterance(role, _text(message))
    spoken_by = str(message.get("role") or role).lower()
    content = parsed(names.first(("parts", "content"), message))
    return Utterance(
        role=_ROLES.get(spoken_by, spoken_by),
        text=_text(content),
        calls=bool(message.get("tool_calls")) or any(_type_of(part) in _CALLS for part in _parts(content)),
    )


def _text(content: Json) -> str:
    return "\n".join(text for part in _parts(content) if (text := _text_of(part)))


def _parts(content: Json) -> Iterator[Json]:
    yield from content if isinstance(content, list) else [content]


def _text_of(part: Json) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, dict) or _type_of(part) in _THOUGHT:
        return ""
    text = names.first(("content", "text"), part)
    return text if isinstance(text, str) else ""


def _type_of(part: Json) -> str:
    return str(part.get("type", "")) if isinstance(part, dict) else ""
