"""A second CEL engine, written by other people in another language, answers every shipped rule as ours does."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cel

from aftercare.messages.case import Step
from aftercare.messages.policy import Finding
from policies.book import PolicyBook, Rule
from policies.cel import Expression, Facts, Unknown, replaced, total
from policies.examples import findings_of, steps_of
from policies.facts import Known, Records, moment_of, step_facts, with_records
from tests.policies.played import book, everything, in_each_domain, needs_recordings

MOST = 12  # of each rule and verdict


@dataclass(frozen=True)
class Asked:
    """A rule that was asked at a step, and all that was known."""

    book: PolicyBook
    finding: Finding
    steps: Sequence[Step]
    known: Known

    @property
    def rule(self) -> Rule:
        return next(r for r in self.book.rules if r.entry.id == self.finding.rule)

    def facts(self) -> Facts:
        step = next(s for s in self.steps if s.number == self.finding.step)
        trace = self.book.language.facts(step_facts(self.book, step, self.steps, None))
        needed = self.book.mentioned(self.rule.require.text)
        return with_records(self.book, trace, needed, Records(self.known), moment_of(step, self.steps))


@in_each_domain
def test_both_engines_answer_the_worked_examples_alike(domain: str) -> None:
    """Every rule of the book is answered alike, and is asked at least twice."""
    asked = list(of_the_examples(domain))
    assert differing(asked) == []
    assert all(Counter(a.finding.rule for a in asked)[rule.entry.id] >= 2 for rule in book(domain).rules)


@needs_recordings
@in_each_domain
def test_both_engines_answer_the_recordings_alike(domain: str) -> None:
    """A sample of several hundred answers, of every verdict, differs nowhere."""
    asked = of_the_recordings(domain)
    assert len(asked) > 300
    assert differing(asked) == []


@needs_recordings
@in_each_domain
def test_both_engines_pick_the_same_steps(domain: str) -> None:
    """Whether a rule is about a step is answered alike as well, for every rule at every sampled step."""
    for asked in of_the_recordings(domain)[::8]:
        facts = asked.facts()
        for rule in book(domain).rules:
            assert second(rule.when, facts) == first(rule.when, facts), rule.entry.id


def differing(asked: Sequence[Asked]) -> list[tuple[str, int | None, Any, Any]]:
    answers = ((a.finding, first(a.rule.require, f := a.facts()), second(a.rule.require, f)) for a in asked)
    return [(f.rule, f.step, ours, theirs) for f, ours, theirs in answers if ours != theirs]


def first(expression: Expression, facts: Facts) -> Any:
    """Our answer; None where there is none."""
    answer = expression.ask(facts)
    return None if isinstance(answer, Unknown) else answer


def second(expression: Expression, facts: Facts) -> Any:
    """The other engine's answer; None where it fails, which is its way of having none."""
    variables = nested(facts.known) | {"lists": {}}
    try:
        return cel.evaluate(expression.text, cel.Context(variables, FUNCTIONS))
    except Exception:
        return None


def undetermined(why: str) -> bool:
    raise ValueError(why)


def numbers(_: object, count: int) -> list[int]:
    """`lists.range`, which that engine lacks: it takes `lists` for a variable."""
    return list(range(count))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "total": total,
    "replaced": replaced,
    "undetermined": undetermined,
    "range": numbers,
}


def nested(known: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted names as maps within maps, since that engine knows no others."""
    result: dict[str, Any] = {}
    for name, value in known.items():
        *way, last = name.split(".")
        inner = result
        for part in way:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return result


def spread(group: Sequence[Asked]) -> Sequence[Asked]:
    """Some of a group, evenly from its beginning to its end."""
    return group[:: -(-len(group) // MOST)]


def of_the_examples(domain: str) -> Iterator[Asked]:
    for example in book(domain).examples:
        findings, known = findings_of(book(domain), example)
        yield from (Asked(book(domain), finding, steps_of(example), known) for finding in findings)


def of_the_recordings(domain: str) -> list[Asked]:
    groups: dict[tuple[str, str], list[Asked]] = defaultdict(list)
    for case in everything(domain):
        for finding in case.findings:
            groups[finding.rule, finding.verdict].append(Asked(book(domain), finding, case.steps, case.known))
    return [asked for group in groups.values() for asked in spread(group)]
