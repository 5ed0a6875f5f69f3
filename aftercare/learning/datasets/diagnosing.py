"""Diagnosing: what the rows of a dataset say together, counted as they come and from nothing else."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from aftercare.learning.datasets.diagnosis import (
    ClauseLine,
    Confusion,
    Diagnosis,
    FactLine,
    IntentLine,
    KindLine,
    Quote,
    RankedCase,
    ReviewerLine,
    StepLine,
)
from aftercare.learning.datasets.example import Correction, Deciding, Example, Turn
from aftercare.learning.datasets.ranking import RANKED_BY, points_of

SHOWN = 50  # of each list: what a person still reads
UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Known:
    """A row as it is told: where it stands, and what it says."""

    row: int
    case_id: str
    problem: str
    side: str
    example: Example


@dataclass
class _Values:
    cases: int = 0
    values: int = 0
    total: float = 0
    lowest: float = float("inf")
    highest: float = float("-inf")

    def take(self, values: Iterable[float | None]) -> None:
        self.cases += 1
        for value in values:
            if value is not None:
                self.values, self.total = self.values + 1, self.total + value
                self.lowest, self.highest = min(self.lowest, value), max(self.highest, value)


@dataclass
class Diagnosing:
    """A diagnosis in the making."""

    rows: int = 0
    _unreadable: int = 0
    _unsettled: int = 0
    _problems: set[str] = field(default_factory=set)
    _sides: Counter[str] = field(default_factory=Counter)
    _outcomes: Counter[str] = field(default_factory=Counter)
    _intents: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _confusions: Counter[tuple[str, str]] = field(default_factory=Counter)
    _clauses: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _says: dict[str, str] = field(default_factory=dict)
    _steps: dict[tuple[str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _facts: Counter[tuple[str, str]] = field(default_factory=Counter)
    _reviewers: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _ranked: list[RankedCase] = field(default_factory=list)
    _said: dict[int, list[Quote]] = field(default_factory=dict)
    _overrides: int = 0
    _kinds: dict[tuple[str, str], _Values] = field(default_factory=lambda: defaultdict(_Values))

    def take(self, known: Known) -> None:
        """Count a row."""
        told = known.example
        self.rows += 1
        self._unsettled += not told.settled
        self._problems.add(known.problem)
        self._sides[known.side] += 1
        self._outcomes[told.outcome or "not settled"] += 1
        self._intents[told.intent].update(["cases", *_contradicted(told)])
        self._clauses_of(told)
        self._steps_of(told)
        self._facts.update({(f.system, f.field) for f in told.differing})
        self._rank(known)
        for override in told.overrides:
            self._override(override)
        for (kind, family), values in _claimed(told).items():
            self._kinds[kind, family].take(values)

    def take_row(self, row: int, case_id: str, problem: str, side: str, body: Mapping[str, Any]) -> str:
        """Count a row as the store keeps it; where it cannot be read, that, and give the error's type."""
        try:
            self.take(Known(row, case_id, problem, side, Example.model_validate(body)))
        except ValidationError as error:  # its text quotes what people said
            self._unreadable += 1
            return type(error).__name__
        return ""

    def made(self) -> Diagnosis:
        """The diagnosis of what was counted."""
        ranked = self._ranking()
        steps = [StepLine(kind=k, name=n, **counts) for (k, n), counts in self._steps.items()]
        clauses = [ClauseLine(clause=c, says=self._says.get(c, ""), **counts) for c, counts in self._clauses.items()]
        made = Diagnosis(
            rows=self.rows,
            unreadable=self._unreadable,
            problems=len(self._problems),
            unsettled=self._unsettled,
            sides=_by_count(self._sides),
            outcomes=_by_count(self._outcomes),
            intents=_most((IntentLine(intent=i, **counts) for i, counts in self._intents.items()), "cases"),
            confusions=_most((Confusion(took_for=a, is_really=b, cases=n) for (a, b), n in self._confusions.items())),
            clauses=_most(clauses, "broken", "named", "undetermined"),
            steps=_most(steps, "cases", "named", "flagged"),
            facts=_most(FactLine(system=s, field=f, cases=n) for (s, f), n in self._facts.items()),
            reviewers=_most((ReviewerLine(reviewer=r, **c) for r, c in self._reviewers.items()), "overrides"),
            ranked_by=RANKED_BY,
            cases=tuple(ranked[:SHOWN]),
            overrides=self._overrides,
            said=tuple([quote for case in ranked for quote in self._said.get(case.row, ())][:SHOWN]),
            kinds=_most(_kind_line(*key, told) for key, told in self._kinds.items()),
        )
        return made.model_copy(update={"headline": headline_of(made)})

    def _clauses_of(self, told: Example) -> None:
        found = {(flag.clause, "broken" if flag.verdict == "violation" else "undetermined") for flag in told.flags}
        named = {(o.deciding.clause, "named") for o in told.overrides if o.deciding.clause}
        for clause, how in found | named:
            self._clauses[clause][how] += 1
        self._says |= {f.clause: f.says for f in told.flags if f.says}
        self._says |= {o.deciding.clause: o.deciding.says for o in told.overrides if o.deciding.says}

    def _steps_of(self, told: Example) -> None:
        found = set(_wrong_at(told))
        for kind, name, how in found:
            self._steps[kind, name][how] += 1
        for kind, name in {(kind, name) for kind, name, _ in found}:
            self._steps[kind, name]["cases"] += 1

    def _override(self, told: Correction) -> None:
        self._overrides += 1
        took_for = told.original.intent if told.original else "unknown"
        by = self._reviewers[told.reviewer]
        by["overrides"] += 1
        by[{"actions": "actions", "undo": "undone"}.get(told.final, "nothing_to_do")] += 1
        if told.corrected_intent not in (UNCHANGED, took_for):
            by["intents_corrected"] += 1
            self._confusions[took_for, told.corrected_intent] += 1

    def _rank(self, known: Known) -> None:
        points, because = points_of(known.example)
        self._ranked.append(
            RankedCase(
                row=known.row,
                case_id=known.case_id,
                problem=known.problem,
                side=known.side,
                intent=known.example.intent,
                points=points,
                because=tuple(because),
            )
        )
        if known.example.overrides:
            self._said[known.row] = [_quote(known, override) for override in known.example.overrides]
        if len(self._ranked) > 4 * SHOWN:
            self._forget_the_least()

    def _forget_the_least(self) -> None:
        """Of a large dataset no more is held than will be shown."""
        self._ranked = self._ranking()[: 2 * SHOWN]
        held = {case.row for case in self._ranked}
        self._said = {row: quotes for row, quotes in self._said.items() if row in held}

    def _ranking(self) -> list[RankedCase]:
        return sorted(self._ranked, key=lambda case: (-case.points, case.row))


def headline_of(told: Diagnosis) -> str:
    """The sentence for people: how many cases, what about, who says so, and where it goes wrong most."""
    if not told.rows:
        return "No evidence is left to learn from."
    about = told.intents[0]
    parts = [f"{_cases(told.rows)} of {_count(told.problems, 'problem')}"]
    if len(told.intents) > 1 or about.intent != "unknown":
        parts.append(f"most about {about.intent} ({about.cases})")
    if told.reviewers:
        corrected = sum(line.overridden for line in told.intents)
        parts.append(f"{corrected} corrected by {_count(len(told.reviewers), 'reviewer')}")
    if told.clauses and (most := told.clauses[0]).broken + most.named:
        parts.append(f"clause {most.clause} in {most.broken or most.named}")
    if told.steps:
        worst = told.steps[0]
        parts.append(f"it goes wrong most at {worst.name or worst.kind} ({worst.cases})")
    return "; ".join(parts) + "."


def _contradicted(told: Example) -> Iterator[str]:
    came_back = any(back.same_issue for back in told.came_back)
    ways = {
        "overridden": bool(told.overrides),
        "escalated": told.decision.ended == "escalated" or any(later.ended == "escalated" for later in told.later),
        "broken": any(flag.verdict == "violation" for flag in told.flags),
        "failed": told.verification == "failed",
        "came_back": came_back,
    }
    return (way for way, holds in ways.items() if holds)


def _wrong_at(told: Example) -> Iterator[tuple[str, str, str]]:
    """The steps at which it went wrong, each with who says so."""
    steps = {turn.number: turn for turn in told.steps}
    pointed = (
        ("errors", (turn.number for turn in told.steps if turn.error)),
        ("named", (o.deciding.step for o in told.overrides)),
        ("flagged", (flag.step for flag in told.flags if flag.verdict == "violation")),
        ("noted", (said.step for said in told.feedback if said.claimed)),
    )
    for how, numbers in pointed:
        for number in numbers:
            if number in steps:
                yield (*_named(steps[number]), how)


def _named(turn: Turn) -> tuple[str, str]:
    return turn.kind, turn.name


def _claimed(told: Example) -> Mapping[tuple[str, str], list[float | None]]:
    values: dict[tuple[str, str], list[float | None]] = defaultdict(list)
    for said in told.feedback:
        if said.claimed:
            values[said.kind, said.family].append(said.value)
    return values


def _quote(known: Known, override: Correction) -> Quote:
    return Quote(
        row=known.row,
        case_id=known.case_id,
        reviewer=override.reviewer,
        says=override.rationale,
        decided=_decided(override.deciding),
    )


def _decided(by: Deciding) -> str:
    if by.kind == "clause":
        return f"clause {by.clause}"
    return f"step {by.step}" if by.kind == "step" else f"{by.system} {by.record}, {by.field}"


def _kind_line(kind: str, family: str, told: _Values) -> KindLine:
    known = {"lowest": told.lowest, "mean": told.total / told.values, "highest": told.highest} if told.values else {}
    return KindLine(kind=kind, family=family, cases=told.cases, values=told.values, **known)


def _most(lines: Iterable[Any], *by: str) -> tuple[Any, ...]:
    """The lines with the highest counts first, and of equal ones always the same first."""

    def order(line: Any) -> tuple[Any, ...]:
        return (*(-getattr(line, name) for name in by or ("cases",)), line.model_dump_json())

    return tuple(sorted(lines, key=order)[:SHOWN])


def _by_count(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _cases(count: int) -> str:
    return _count(count, "case")


def _count(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
