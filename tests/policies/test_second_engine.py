"""A second CEL engine, written by other people in another language, answers every shipped rule as ours does."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cel

from aftercare.messages.case import Step
from aftercare.messages.policy import Finding
from policies.book import Rule
from policies.cel import Expression, Facts, Unknown, replaced, total
from policies.examples import findings_of, steps_of
from policies.facts import Known, Records, moment_of, step_facts, with_records
from tests.policies.played import book, everything, needs_recordings

RULES = {rule.entry.id: rule for rule in book().rules}
MOST = 12  # of each rule and verdict


@dataclass(frozen=True)
class Asked:
    """A rule that was asked at a step, and all that was known."""

    finding: Finding
    steps: Sequence[Step]
    known: Known

    @property
    def rule(self) -> Rule:
        return RULES[self.finding.rule]

    def facts(self) -> Facts:
        step = next(s for s in self.steps if s.number == self.finding.step)
        trace = book().language.facts(step_facts(book(), step, self.steps, None))
        needed = book().mentioned(self.rule.require.text)
        return with_records(book(), trace, needed, Records(self.known), moment_of(step, self.steps))


def test_both_engines_answer_the_worked_examples_alike() -> None:
    """Every rule of the book is answered alike, and is asked at least twice."""
    asked = list(of_the_examples())
    assert differing(asked) == []
    assert all(Counter(a.finding.rule for a in asked)[rule] >= 2 for rule in RULES)


@needs_recordings
def test_both_engines_answer_the_recordings_alike() -> None:
    """A sample of several hundred answers, of every verdict, differs nowhere."""
    asked = of_the_recordings()
    assert len(asked) > 300
    assert differing(asked) == []


@needs_recordings
def test_both_engines_pick_the_same_steps() -> None:
    """Whether a rule is about a step is answered alike as well, for every rule at every sampled step."""
    for asked in of_the_recordings()[::8]:
        facts = asked.facts()
        for rule in book().rules:
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


def of_the_examples() -> Iterator[Asked]:
    for example in book().examples:
        findings, known = findings_of(book(), example)
        yield from (Asked(finding, steps_of(example), known) for finding in findings)


def of_the_recordings() -> list[Asked]:
    groups: dict[tuple[str, str], list[Asked]] = defaultdict(list)
    for case in everything():
        for finding in case.findings:
            groups[finding.rule, finding.verdict].append(Asked(finding, case.steps, case.known))
    return [asked for group in groups.values() for asked in spread(group)]
