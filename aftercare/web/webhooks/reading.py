"""From a request to events: its signature first, over the bytes as they came, then its body by the rules. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from aftercare.lifecycle.intake import check_size
from aftercare.lifecycle.state import Refused
from aftercare.web.webhooks.events import EVENTS, Event
from aftercare.web.webhooks.mapping import ALL, Rule, Source
from aftercare.web.webhooks.refusals import Unmapped, Unreadable
from aftercare.web.webhooks.schema import FIELDS, TEXT
from aftercare.web.webhooks.signatures import check_fresh, verify
from policies.cel import Expression, Facts, Unknown

LARGEST = 1024 * 1024  # bytes


def read(source: Source, headers: Mapping[str, str], body: bytes, now: datetime) -> list[Event]:
    """The events a request tells of, in the order of the source's rules; none where no rule is about it.

    Either every rule that applies gives its event, or the request is refused as a whole. Raises a WebhookRefused.
    """
    named = {name.lower(): value for name, value in headers.items()}
    signed_at = verify(source.signature, source.secrets, named, body, now)
    facts = _facts(body, named)
    if signed_at is None:
        _check_fresh(source, facts, now)
    applying = [rule for rule in source.rules if _applies(source, rule, facts)]
    return [_event(source, rule, facts, body) for rule in applying]


def _facts(body: bytes, headers: Mapping[str, str]) -> Facts:
    """What the rules may ask about."""
    try:
        data = json.loads(body.decode("utf-8"))
        check_size([data, dict(headers)], LARGEST)
    except (ValueError, RecursionError):  # no UTF-8 and no JSON among them
        raise Unreadable("the body is no JSON in UTF-8, or nested too deeply") from None
    except Refused as refused:
        raise Unreadable(refused.reasons[0]) from None
    if not isinstance(data, dict):
        raise Unreadable(f"a JSON object is expected, and this is {type(data).__name__}")
    return ALL.facts({"body": data, "header": dict(headers)})


def _check_fresh(source: Source, facts: Facts, now: datetime) -> None:
    """Where no time is signed beside the body, the body's own time is what tells a replay."""
    at = _moment(_asked(source, "", "at", source.at, facts) if source.at else None, f"{source.name}.yaml, at")
    if at is None:
        raise Unmapped(f"{source.name}.yaml, at: the body does not say when it was sent, and nothing else does")
    check_fresh(at, now, source.signature.tolerance)


def _applies(source: Source, rule: Rule, facts: Facts) -> bool:
    answer = _asked(source, rule.name, "when", rule.when, facts)
    if not isinstance(answer, bool):
        raise Unmapped(f"{_where(source, rule.name, 'when')}: must be true or false")
    return answer


def _event(source: Source, rule: Rule, facts: Facts, body: bytes) -> Event:
    given = {name: _asked(source, rule.name, name, expression, facts) for name, expression in rule.fields.items()}
    told = {name: _text(value) if FIELDS[name] is TEXT else value for name, value in given.items()}
    told["at"] = _moment(given.get("at"), _where(source, rule.name, "at"))
    told["id"] = _id(source, rule, told.get("id"), body)
    known = {name: value for name, value in told.items() if value is not None}
    try:
        return EVENTS[rule.event](source=source.name, rule=rule.name, **known)
    except ValidationError as error:
        # Only the first, without what was given: it may be a customer's.
        problem = error.errors(include_input=False, include_url=False)[0]
        field = str(problem["loc"][0]) if problem["loc"] else "value"
        raise Unmapped(f"{_where(source, rule.name, field)}: {problem['msg'].removeprefix('Value error, ')}") from None


def _id(source: Source, rule: Rule, given: Any, body: bytes) -> str:
    """The same for every delivery of the same event. Hashed: what a vendor puts into an id is not ours to know."""
    of = f"id {given}".encode() if given is not None else b"body " + body
    return f"{source.name}:{rule.name}:{hashlib.sha256(of).hexdigest()[:32]}"


def _asked(source: Source, rule: str, field: str, expression: Expression, facts: Facts) -> Any:
    answer = expression.ask(facts)
    if isinstance(answer, Unknown):
        raise Unmapped(f"{_where(source, rule, field)}: {_why(expression, answer)}")
    return answer


def _why(expression: Expression, unknown: Unknown) -> str:
    """Why there is no answer, in the words of the file alone: the engine's may hold those of the body."""
    missing = re.fullmatch(r"there is no (\w+)", unknown.why)
    if missing and re.search(rf"\b{missing[1]}\b", expression.text):
        return f"{unknown.why} in this body; ask has() first where it may be missing"
    if unknown.why.startswith("No matching overloads found"):  # types, and no values
        return f"does not fit what stands in this body: {unknown.why[0].lower()}{unknown.why[1:]}"
    return "has no answer for this body"


def _where(source: Source, rule: str, field: str) -> str:
    return f"{source.name}.yaml, {f'rule {rule}, ' if rule else ''}{field}"


def _text(value: Any) -> Any:
    """A number that stands for a name is its digits; an empty text says nothing."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None if value == "" else value


def _moment(value: Any, where: str) -> datetime | None:
    """A moment from seconds since 1970 or from ISO 8601."""
    if value in (None, ""):
        return None
    try:
        match value:
            case datetime():
                at = value
            case bool():
                raise ValueError
            case int() | float():
                at = datetime.fromtimestamp(value, UTC)
            case _:
                at = datetime.fromisoformat(value)
        if at.tzinfo is None:
            raise ValueError
        return at.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        raise Unmapped(f"{where}: must be seconds since 1970, or a time by ISO 8601 with its zone") from None
