"""Effects: what an action must leave in the systems of record, and whether it is there.

Verify effects, not steps: an outcome is a state in the system of record, whatever the path to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aftercare.messages.case import Action
from aftercare.messages.policy import FactCheck, Verification
from policies.book import Effect, PolicyBook
from policies.cel import Facts, Unknown
from policies.facts import Known, Moment, RecordRef, Records, action_as_step, step_facts, with_records

CENT = 0.011  # amounts are sums of rounded cents
FROM_BEFORE = ("increases_by", "grows_by")  # told from how the field stood before


@dataclass(frozen=True)
class Expected:
    """A fact to look for. `known` is false where the book cannot tell what should be there."""

    system: str
    record: str
    field: str
    looks_for: str
    value: Any = None
    known: bool = True
    why: str = ""

    @property
    def ref(self) -> RecordRef:
        """The record as it stands now."""
        kind, _, identity = self.record.partition("/")
        return RecordRef(system=self.system, kind=kind, id=identity)


def expected(book: PolicyBook, actions: Sequence[Action], known: Known) -> tuple[list[Expected], set[RecordRef]]:
    """The net effects of the actions, and the records still to be read to tell them.

    An action is judged against the records as they stood before its own operation, named by its receipt. A later
    effect on the same field takes the place of an earlier one.
    """
    records = Records(known)
    each = [_of_action(book, a, n, records) for n, a in enumerate(actions, 1)]
    return net(e for effects in each for e in effects), records.missing


def undone(effects: Iterable[Expected], opening: str | None, known: Known) -> tuple[list[Expected], set[RecordRef]]:
    """The same fields as they stood before the first operation of the case."""
    records = Records(known)
    result: dict[tuple[str, str, str], Expected] = {}
    for effect in effects:
        if "{" in effect.record + effect.field:
            continue  # a record nobody can name
        field = effect.field.split(".")[0] if effect.looks_for != "increases_by" else effect.field
        before = records.look_up(effect.ref.model_copy(update={"before": opening})) if opening else None
        wanted = replace(effect, field=field, looks_for="equals", value=at(before, field), known=before is not None)
        result[effect.system, effect.record, field] = wanted
    return list(result.values()), records.missing


def corrected(undo: Iterable[Expected], right: Iterable[Expected]) -> list[Expected]:
    """What must stand after a person's own actions: theirs, and the agent's taken back wherever theirs are silent."""
    right = list(right)
    spoken = {(e.system, e.record, e.field.split(".")[0]) for e in right}
    return [e for e in undo if (e.system, e.record, e.field.split(".")[0]) not in spoken] + right


def net(effects: Iterable[Expected]) -> list[Expected]:
    """One expectation per field: the last one, or the sum of what it gains, or all that it must contain."""
    result: dict[tuple[str, ...], Expected] = {}
    for effect in effects:
        key: tuple[str, ...] = (effect.system, effect.record, effect.field)
        if effect.looks_for in ("contains_all", "grows_by"):
            key = (*key, effect.looks_for)
        earlier = result.get(key)
        if earlier and earlier.looks_for == effect.looks_for:
            effect = _added(earlier, effect)
        result[key] = effect
    return list(result.values())


def _added(earlier: Expected, later: Expected) -> Expected:
    """Amounts add up, and so do the items a list must contain; anything else is superseded."""
    if later.looks_for in (*FROM_BEFORE, "contains_all") and not (earlier.known and later.known):
        return earlier if later.known else later  # a sum with an unknown in it is unknown
    if later.looks_for in FROM_BEFORE:
        start, more = earlier.value
        return replace(later, value=(start, more + later.value[1]))
    if later.looks_for == "contains_all":
        return replace(later, value=[*earlier.value, *later.value])
    return later


def met(effect: Expected, record: dict[str, Any] | None) -> FactCheck:
    """Look for one fact in the record as it stands now."""
    check = FactCheck(system=effect.system, record=effect.record, field=effect.field, held=None)
    if not effect.known:
        return check.model_copy(update={"note": effect.why or "what should be there cannot be told"})
    found = at(record, effect.field)
    wanted = effect.value
    match effect.looks_for:
        case "equals":
            held = same(found, wanted)
        case "same_items":
            held = isinstance(found, list) and same(sorted(map(str, found)), sorted(map(str, wanted)))
        case "contains_all":
            held = isinstance(found, list | dict) and _contains_all(_entries(found), wanted)
        case "grows_by":
            found, wanted = _size(found), wanted[0] + wanted[1]
            held = found == wanted
        case _:
            wanted = round(wanted[0] + wanted[1], 2)
            held = same(found, wanted)
    return check.model_copy(update={"held": held} if held else {"held": False, "expected": wanted, "found": found})


def at(value: Any, field: str) -> Any:
    """The value at a dotted path; a path through a list gives the list of what is there. Absent is None."""
    for index, key in enumerate(parts := field.split(".")):
        if isinstance(value, list):
            return [at(v, ".".join(parts[index:])) for v in value]
        value = value.get(key) if isinstance(value, dict) else None
    return value


def same(a: Any, b: Any) -> bool:
    """Equal, where amounts may differ by a rounded cent and an absent value is null."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, int | float) and isinstance(b, int | float):
        return abs(a - b) < CENT
    if isinstance(a, dict) and isinstance(b, dict):
        return all(same(a.get(k), b.get(k)) for k in a.keys() | b.keys())
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


def _entries(found: list[Any] | dict[str, Any]) -> list[Any]:
    return list(found.values() if isinstance(found, dict) else found)


def _size(found: Any) -> int | None:
    return len(found) if isinstance(found, list | dict) else None


def _contains_all(found: list[Any], wanted: list[Any]) -> bool:
    left = list(found)
    # The most particular first, so that a general item does not take another's match.
    for item in sorted(wanted, key=lambda w: -len(w) if isinstance(w, dict) else 0):
        match = next((f for f in left if _includes(f, item)), None)
        if match is None:
            return False
        left.remove(match)
    return True


def _includes(found: Any, item: Any) -> bool:
    if isinstance(found, dict) and isinstance(item, dict):
        return all(same(found.get(k), v) for k, v in item.items())
    return same(found, item)


def _of_action(book: PolicyBook, action: Action, number: int, records: Records) -> Iterator[Expected]:
    entry = book.outcomes.actions.get(action.name)
    if entry is None:
        return
    step = action_as_step(action, number)
    before = action.receipt
    effects = book.effects[action.name]
    texts = [t for e in effects for t in e.texts]
    facts = with_records(
        book,
        book.language.facts(step_facts(book, step, [step], None)),
        book.mentioned(*texts),
        records,
        Moment(before, knowable=before is not None),
    )
    for effect in effects:
        for known in _each(effect, facts):
            applies = effect.when.ask(known) if effect.when else True
            if applies is not False:
                yield _expected(entry.system, effect, known, records, before)


def _each(effect: Effect, facts: Facts) -> list[Facts]:
    """The facts once for every item the effect is about; as they are where there are no items, or nobody can tell."""
    items = effect.each.ask(facts) if effect.each else None
    return [facts.plus({"item": item}) for item in items] if isinstance(items, list) else [facts]


def _expected(system: str, effect: Effect, facts: Facts, records: Records, before: str | None) -> Expected:
    record, field = _filled(effect.entry.record, facts), _filled(effect.entry.field, facts)
    value = effect.value.ask(facts)
    result = Expected(system, record, field, effect.looks_for, value)
    if "{" in record + field or isinstance(value, Unknown):
        why = value.why if isinstance(value, Unknown) else "the record cannot be named"
        return replace(result, value=None, known=False, why=why)
    if effect.looks_for in FROM_BEFORE:
        start = at(records.look_up(result.ref.model_copy(update={"before": before})), field)
        start = _size(start) if effect.looks_for == "grows_by" else start
        return replace(result, value=(start, value), known=isinstance(start, int | float))
    return result


def _filled(template: str, facts: Facts) -> str:
    def told(name: re.Match[str]) -> str:
        value = facts.known.get(name[1], at(facts.known, name[1]))
        return name[0] if value is None else str(value)

    return re.sub(r"\{([\w.]+)\}", told, template)


def status_of(checks: Sequence[FactCheck]) -> Verification:
    """Failed where any fact differs; else unverifiable where any could not be told, or none was looked for."""
    if any(c.held is False for c in checks):
        return Verification.FAILED
    if not checks or any(c.held is None for c in checks):
        return Verification.UNVERIFIABLE
    return Verification.VERIFIED
