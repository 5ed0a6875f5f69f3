"""The audit: every rule asked at every step it is about, with a verdict that may be `undetermined`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from aftercare.messages.case import Case, Step
from aftercare.messages.policy import Finding, Verdict
from policies.book import PolicyBook, Rule
from policies.cel import Facts, Unknown
from policies.facts import Known, RecordRef, Records, moment_of, step_facts, with_records


def audit(
    book: PolicyBook, case: Case | None, steps: Sequence[Step], known: Known, first: int = 1
) -> tuple[list[Finding], set[RecordRef]]:
    """The findings on the steps from number `first` on, and the records that would have to be read to say more.

    Pure: read what is missing, and ask again with it. Nothing is missing on the last call.
    """
    records = Records(known)
    findings = [
        finding for step in steps if step.number >= first for finding in _findings(book, step, steps, case, records)
    ]
    return findings, records.missing


def verdict_of(findings: Sequence[Finding]) -> Verdict:
    """The verdict of a whole: a violation anywhere, else anything undetermined, else compliant.

    Where no rule had anything to say the verdict is undetermined: nobody looked at anything.
    """
    verdicts = {f.verdict for f in findings}
    for verdict in (Verdict.VIOLATION, Verdict.UNDETERMINED, Verdict.COMPLIANT):
        if verdict in verdicts:
            return verdict
    return Verdict.UNDETERMINED


def _findings(
    book: PolicyBook, step: Step, steps: Sequence[Step], case: Case | None, records: Records
) -> Iterator[Finding]:
    trace = book.language.facts(step_facts(book, step, steps, case))
    asked = [(rule, rule.when.ask(trace)) for rule in book.rules if _in_force(rule, case)]
    applying = [(rule, answer) for rule, answer in asked if answer is not False]
    if not applying:
        return
    needed = book.mentioned(*(rule.require.text for rule, _ in applying))
    facts = with_records(book, trace, needed, records, moment_of(step, steps))
    for rule, answer in applying:
        yield _finding(book, rule, step, answer if isinstance(answer, Unknown) else rule.require.ask(facts), facts)


def _in_force(rule: Rule, case: Case | None) -> bool:
    return case is None or case.opened_at is None or rule.entry.since <= case.opened_at.date()


def _finding(book: PolicyBook, rule: Rule, step: Step, answer: Any, facts: Facts) -> Finding:
    entry = rule.entry
    verdict = Verdict.UNDETERMINED
    if isinstance(answer, bool):
        verdict = Verdict.COMPLIANT if answer is True else Verdict.VIOLATION
    used = _used(rule, facts)
    told = {
        Verdict.COMPLIANT: "kept",
        Verdict.VIOLATION: "broken",
        Verdict.UNDETERMINED: f"cannot be told ({_plain(answer)})",
    }[verdict]
    return Finding(
        rule=entry.id,
        clause=entry.clause,
        verdict=verdict,
        severity=entry.severity,
        step=step.number,
        sentence=f"Step {step.number}, {step.name or step.kind}: {told}. {entry.says}",
        facts=used,
    )


def _used(rule: Rule, facts: Facts) -> dict[str, Any]:
    """The facts the rule names, where they are short enough to read."""
    text = rule.require.text
    named = [n for n in facts.known if n != "earlier" and re.search(rf"(?<![\w.]){re.escape(n)}(?!\w)", text)]
    return {n: _written(facts.known[n]) for n in named if len(str(facts.known[n])) <= 300}


def _written(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _plain(answer: Any) -> str:
    return (answer.why if isinstance(answer, Unknown) else str(answer))[:200]
