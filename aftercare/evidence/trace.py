"""Evidence read from the steps of one episode: what was repeated, given up, taken back, doubted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile

from aftercare.evidence.calls import (
    Record,
    answer,
    intent_of,
    is_write,
    parts_of,
    record_of,
    settings_of,
    signature,
    touched,
    words_in,
)
from aftercare.evidence.findings import Findings, Numbers, findings, in_order
from aftercare.evidence.uses import Uses
from aftercare.messages.base import NOT_REPORTED
from aftercare.messages.case import Step, StepKind

# Words of a tool's name: what it takes back was done before to the same record; what it sets it may set again.
UNDOING = frozenset({"cancel", "delete", "remove", "undo", "revert", "reverse", "rollback", "void", "withdraw"})
SETTING = frozenset({"modify", "update", "change", "set", "edit", "replace", "reschedule", "move", "rebook", "assign"})


def loops(steps: Sequence[Step]) -> Findings:
    """Calls repeated with the same name and arguments, although nothing between could have changed the answer.

    Each names the call before and its repeat. No loop is: a repeat after an accepted act that has a value in common
    with the call, or that told nothing about itself; one that brought another answer than before, such as a retry that
    succeeds. An act that was accepted and is sent again is a loop whatever it answers.
    """
    latest: dict[str, Step] = {}
    acts: list[tuple[Step, set[str]]] = []
    found: list[Numbers] = []
    for step in in_order(steps):
        named = signature(step)
        if named is not None:
            before = latest.get(named)
            if before and _says_the_same(before, step) and not _changed_since(before, acts):
                found.append((before.number, step.number))
            latest[named] = step
        if is_write(step):
            acts.append((step, touched(step)))
    return findings("loop", found)


def dead_ends(steps: Sequence[Step]) -> Findings:
    """Ways that ended in a refusal or fault and were given up: each names the failed calls of one tool.

    Given up is a tool that was not accepted later, an act one that was not accepted later on the same record. No dead
    end is a failure that told something new which a later call asked with.
    """
    ordered = in_order(steps)
    uses = Uses(ordered)
    failing: dict[tuple[str, Record], list[Step]] = {}
    for step in ordered:
        if step.kind is StepKind.REPLY:
            continue
        way = (step.name, record_of(step) if step.kind is StepKind.ACT else frozenset())
        if step.error is None:
            failing.pop(way, None)
        else:
            failing.setdefault(way, []).append(step)
    given_up = [chain for chain in failing.values() if not any(uses.asked_with(step) for step in chain)]
    return findings("dead_end", [tuple(step.number for step in chain) for chain in given_up])


def backtracks(steps: Sequence[Step]) -> Findings:
    """Going back: an act taken back or superseded by a later one on the same record, or another intent decided for.

    Each names what was gone back on, and the step that did. Superseded is a setting that a later act of the same name
    sets to another value. Another intent counts where the agent had looked something up under the first, and had
    neither acted on it nor answered.
    """
    ordered = in_order(steps)
    return findings("backtrack", {*_acts_taken_back(ordered), *_intents_left(ordered)})


def low_confidence(steps: Sequence[Step], below: float) -> Findings:
    """Steps whose reported confidence is below the threshold. Unknown where no step reported any."""
    told = [(step.number, step.confidence) for step in in_order(steps) if step.confidence != NOT_REPORTED]
    return findings("low_confidence", [(number,) for number, value in told if value < below], bool(told))


def fallbacks(steps: Sequence[Step]) -> Findings:
    """Steps in which the agent fell back on an answer for when it knows none."""
    return findings("fallback", [(step.number,) for step in steps if step.fallback])


def errors(steps: Sequence[Step]) -> Findings:
    """Steps that met a refusal or a fault."""
    return findings("error", [(step.number,) for step in steps if step.error is not None])


def _says_the_same(before: Step, repeat: Step) -> bool:
    return is_write(before) or answer(before) == answer(repeat)


def _changed_since(call: Step, acts: Sequence[tuple[Step, set[str]]]) -> bool:
    """Whether an act accepted after a call may have changed what it answers."""
    about = touched(call)
    later = takewhile(lambda act: act[0].number > call.number, reversed(acts))
    return any(not values or values & about for _, values in later)


def _acts_taken_back(ordered: Sequence[Step]) -> Iterator[Numbers]:
    """For each accepted act the latest one before it that it takes back, if it does."""
    acts: dict[tuple[str, str], list[Step]] = {}
    for act in (step for step in ordered if is_write(step)):
        record = record_of(act)
        earlier = {step.number: step for part in record for step in acts.get(part, ())}
        taken_back = [number for number, step in earlier.items() if _takes_back(act, step)]
        if taken_back:
            yield max(taken_back), act.number
        for part in record:
            acts.setdefault(part, []).append(act)


def _takes_back(act: Step, before: Step) -> bool:
    words = set(words_in(act.name))
    if act.name != before.name:
        undoes = UNDOING & words and not UNDOING & set(words_in(before.name))
        return bool(undoes) and record_of(act) <= record_of(before)
    same = (record_of(act), parts_of(act)) == (record_of(before), parts_of(before))
    first, second = settings_of(before), settings_of(act)
    return bool(SETTING & words) and same and any(first[key] != second[key] for key in first.keys() & second.keys())


def _intents_left(ordered: Sequence[Step]) -> Iterator[Numbers]:
    decided: Step | None = None
    worked = False
    for step in ordered:
        if is_write(step) or step.kind is StepKind.REPLY:
            decided = None
        elif step.kind is not StepKind.CLASSIFY:
            worked = True
        elif intent := intent_of(step):
            if decided and worked and intent_of(decided) != intent:
                yield decided.number, step.number
            decided, worked = step, False
