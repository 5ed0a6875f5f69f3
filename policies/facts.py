"""What was known at a step: the trace up to it, the tool's arguments, and the records as they stood just before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from aftercare.messages.base import Message
from aftercare.messages.case import Action, Case, Step, StepKind
from policies.book import PolicyBook
from policies.cel import Facts, Unknown


class RecordRef(Message):
    """A record of a system of record, now, or as it stood just before an operation (`before`, its receipt)."""

    system: str
    kind: str
    id: str
    before: str | None = None


Known = Mapping[RecordRef, dict[str, Any] | None]


class Records:
    """The records that were read. What is asked for and was not read yet is noted in `missing`."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self.missing: set[RecordRef] = set()

    def look_up(self, ref: RecordRef) -> dict[str, Any] | None:
        """The record; None if the system has none, or if nobody has looked yet."""
        if ref not in self._known:
            self.missing.add(ref)
            return None
        return self._known[ref]


class Moment:
    """The moment of a step or an action: which records can be told as of then, and from when."""

    def __init__(self, before: str | None, knowable: bool = True) -> None:
        self.before, self.knowable = before, knowable


def moment_of(step: Step, steps: Sequence[Step]) -> Moment:
    """The records as a step met them: just before its own operation, or else before the next one that has a receipt.

    A write that went through without a receipt leaves no way to tell what it met.
    """
    if step.receipt:
        return Moment(step.receipt)
    wrote_unseen = step.kind is StepKind.ACT and step.error is None
    later = (s.receipt for s in steps if s.number > step.number and s.receipt)
    return Moment(next(later, None), knowable=not wrote_unseen)


def step_facts(book: PolicyBook, step: Step, steps: Sequence[Step], case: Case | None) -> dict[str, Any]:
    """What the trace alone tells about a step."""
    before = [s for s in steps if s.number < step.number]
    heard = next((s.heard for s in (step, *reversed(before)) if s.heard), None)
    said = next((s.said for s in reversed(before) if s.said), None)
    known: dict[str, Any] = {
        "step.number": step.number,
        "step.kind": str(step.kind),
        "step.name": step.name,
        "step.refused": step.error is not None,
        "step.heard": step.heard,
        "step.said": step.said,
        "now": step.at,
        "last_heard": heard,
        "last_said": said,
        "earlier": [_told(s) for s in before],
        "case.customer": case.customer if case else None,
        "case.channel": case.channel if case else None,
    }
    known |= argument_facts(book, step.input)
    return {name: value for name, value in known.items() if value is not None}


def argument_facts(book: PolicyBook, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call that have the type the book declares for them."""
    typed = {
        f"args.{n}": fitted(v, book.language.declared[f"args.{n}"], book.zone)
        for n, v in arguments.items()
        if f"args.{n}" in book.language.declared
    }
    return {name: value for name, value in typed.items() if value is not None}


def with_records(book: PolicyBook, facts: Facts, needed: set[str], records: Records, moment: Moment) -> Facts:
    """The facts, with the records and derived facts that are needed, in the book's order."""
    for record in book.records if moment.knowable else ():
        if record.name not in needed:
            continue
        which = record.which.ask(facts)
        if isinstance(which, Unknown):
            continue
        kind, system = record.entry.kind, record.entry.system
        if record.entry.each:
            found = {i: records.look_up(RecordRef(system=system, kind=kind, id=i, before=moment.before)) for i in which}
            facts = facts.plus({record.name: {i: r for i, r in found.items() if r is not None}})
        elif body := records.look_up(RecordRef(system=system, kind=kind, id=which, before=moment.before)):
            fields = {f"{record.name}.{f}": fitted(body.get(f), t, book.zone) for f, t in record.entry.fields.items()}
            facts = facts.plus({name: value for name, value in fields.items() if value is not None})
    for derived in book.derived:
        if derived.name in needed and not isinstance(value := derived.value.ask(facts), Unknown):
            facts = facts.plus({derived.name: value})
    return facts


def action_as_step(action: Action, number: int) -> Step:
    """An action seen as the step that takes it."""
    return Step(
        number=action.step or number,
        kind=StepKind.ACT,
        name=action.name,
        input=action.arguments,
        receipt=action.receipt,
    )


def fitted(value: Any, kind: str, zone: tzinfo | None = None) -> Any:
    """The value as the declared type, or None where it is not of that type."""
    match kind, value:
        case ("double", bool()) | ("int", bool()):
            return None
        case "double", int() | float():
            return float(value)
        case "time", str():
            return _instant(value, zone)
        case "list", list() | tuple():
            return list(value)
        case "strings", list() | tuple() if all(isinstance(v, str) for v in value):
            return list(value)
        case ("int", int()) | ("string", str()) | ("bool", bool()) | ("map", dict()) | ("any", _):
            return value
    return None


def _instant(text: str, zone: tzinfo | None) -> datetime | None:
    """The moment a text names. A date alone names none, nor does a time without a zone unless the book gives one."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return moment if moment.tzinfo and len(text) > len("2024-01-01") else None


def _told(step: Step) -> dict[str, Any]:
    refused = step.error is not None
    return {
        "number": step.number,
        "kind": str(step.kind),
        "name": step.name,
        "input": step.input,
        # What a refused call answered is no fact: rules decide from arguments and records.
        "output": None if refused else step.output,
        "refused": refused,
        "heard": step.heard,
        "said": step.said,
    }
