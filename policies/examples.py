"""The worked examples of a book, run: what it makes of each, where that is not what the example says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aftercare.messages.case import Action, Step, StepKind
from aftercare.messages.policy import FactCheck, Finding
from policies import effects, engine
from policies.book import PolicyBook
from policies.facts import RecordRef
from policies.schema import ExampleEntry

Known = dict[RecordRef, dict[str, Any] | None]


def check(book: PolicyBook) -> list[str]:
    """One sentence for every worked example that does not hold."""
    told = ((example.example, "; ".join(_differences(book, example))) for example in book.examples)
    return [f"{book.domain}/examples.yaml: in {name!r} {differences}." for name, differences in told if differences]


def steps_of(example: ExampleEntry) -> tuple[Step, ...]:
    """The example's trace. Its acts get made-up receipts, so that what they met is known."""
    return tuple(
        Step(
            number=number,
            receipt=f"example-{number}" if step.kind is StepKind.ACT else None,
            **step.model_dump(),
        )
        for number, step in enumerate(example.steps, 1)
    )


def findings_of(book: PolicyBook, example: ExampleEntry) -> tuple[list[Finding], Known]:
    """What the audit finds, and the records it looked at."""
    known: Known = {}
    while True:
        findings, missing = engine.audit(book, None, steps_of(example), known)
        if not missing:
            return findings, known
        known |= _read(missing, example.records)


def checks_of(book: PolicyBook, example: ExampleEntry) -> list[FactCheck]:
    """The effects of the accepted acts, claimed as actions and looked for in the records as they stand afterwards."""
    acts = (s for s in steps_of(example) if s.kind is StepKind.ACT and s.error is None)
    actions = [Action(name=s.name, arguments=s.input, step=s.number, receipt=s.receipt) for s in acts]
    known: Known = {}
    while True:
        wanted, missing = effects.expected(book, actions, known)
        if not missing:
            return [effects.met(effect, example.afterwards.get(effect.record)) for effect in wanted]
        known |= _read(missing, example.records)


def _read(refs: Iterable[RecordRef], records: Mapping[str, dict[str, Any]]) -> Known:
    return {ref: records.get(f"{ref.kind}/{ref.id}") for ref in refs}


def _differences(book: PolicyBook, example: ExampleEntry) -> Iterator[str]:
    findings, _ = findings_of(book, example)
    rules = {rule.entry.id for rule in book.rules}
    for rule, wanted in example.findings.items():
        asked = [f for f in findings if f.rule == rule]
        if rule not in rules:
            yield f"there is no rule {rule}"
        elif not asked:
            yield f"rule {rule} was not asked"
        elif (verdict := engine.verdict_of(asked)) is not wanted:
            yield f"rule {rule} should say {wanted} and says {verdict}"
    if example.verification is not None:
        yield from _verification(book, example)


def _verification(book: PolicyBook, example: ExampleEntry) -> Iterator[str]:
    checks = checks_of(book, example)
    if (status := effects.status_of(checks)) is not example.verification:
        open_ = [f"{c.record} {c.field}: {c.note or f'{c.expected!r}, not {c.found!r}'}" for c in checks if not c.held]
        why = f" ({', '.join(open_)})" if open_ else ""
        yield f"verification should be {example.verification} and is {status}{why}"
