"""The form of a policy book's files, as a person writes them."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from aftercare.messages.base import Instant
from aftercare.messages.case import StepKind
from aftercare.messages.policy import Severity, Timing, Verdict, Verification

TypeName = Literal["string", "int", "double", "bool", "time", "any", "list", "strings", "map"]


class Entry(BaseModel):
    """Something a person wrote: a field nobody knows is a mistake, and is said to be one."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ClauseEntry(Entry):
    """A clause of the written policy: where it stands there, and what it says in our own words."""

    section: str
    bullet: int = Field(ge=1)
    says: str
    decided: Literal["by_rule", "by_effect", "not_decidable", "nothing_to_decide"] = "by_rule"
    why: str = ""


class RecordEntry(Entry):
    """A record that rules may ask about: where it is kept, which one it is, and the type of each field.

    `id` gives one id; `each` a list of ids, and then the fact is a map from id to record.
    """

    system: str
    kind: str
    id: str | None = None
    each: str | None = None
    fields: dict[str, TypeName] = {}


class DerivedEntry(Entry):
    """A fact worked out from others, named once and used by rules and effects alike."""

    type: TypeName
    value: str


class FactsFile(Entry):
    """What rules may ask about. `zone` is where the times of records that name no zone are at home, as in -05:00."""

    zone: str | None = Field(default=None, pattern=r"^([+-]\d\d:\d\d|Z)$")
    arguments: dict[str, TypeName] = {}
    records: dict[str, RecordEntry] = {}
    derived: dict[str, DerivedEntry] = {}


class RuleEntry(Entry):
    """A rule: the steps it is about (`when`), what must hold there (`require`), and the clause it stands for."""

    id: str = Field(pattern=r"^[a-z0-9-]+$")
    clause: str
    says: str
    since: date
    when: str
    require: str
    severity: Severity = Severity.MAJOR


class EffectEntry(Entry):
    """A fact that an action must leave in a system of record.

    `record` and `field` may name facts in braces. Exactly one of five says what to look for: `equals` a value,
    `same_items` in any order, `contains_all` of a list of items, a number that `increases_by` so much, or a list or
    map that `grows_by` so many entries. With `each`, a list, the effect is looked for once per item, under that name.
    """

    record: str
    field: str
    each: str | None = None
    when: str | None = None
    equals: str | None = None
    same_items: str | None = None
    contains_all: str | None = None
    increases_by: str | None = None
    grows_by: str | None = None


class ActionEntry(Entry):
    """What an action does, and the effects that must then be seen."""

    does: str
    system: str
    effects: tuple[EffectEntry, ...]


class OutcomesFile(Entry):
    timing: Timing = Timing()
    actions: dict[str, ActionEntry] = {}


class ExampleStep(Entry):
    """A step of an example, numbered by its place. An `act` is given a receipt, so that its records are known."""

    name: str = ""
    kind: StepKind = StepKind.ACT
    input: dict[str, Any] = {}
    output: Any = None
    heard: str = ""
    said: str = ""
    error: str | None = None
    at: Instant | None = None


class ExampleEntry(Entry):
    """A worked example: a trace and the records, by `kind/id`, and what the book must make of it.

    `records` are as they stood before every step, `afterwards` as they stand in the end. `findings` gives the worst
    verdict of each rule it names, and `verification` what the accepted acts come to when claimed.
    """

    example: str
    steps: tuple[ExampleStep, ...]
    records: dict[str, dict[str, Any]] = {}
    afterwards: dict[str, dict[str, Any]] = {}
    findings: dict[str, Verdict] = {}
    verification: Verification | None = None


class RulesFile(Entry):
    rules: tuple[RuleEntry, ...] = ()


class ClausesFile(Entry):
    source: str
    clauses: dict[str, ClauseEntry]


class ExamplesFile(Entry):
    examples: tuple[ExampleEntry, ...] = ()


FILES: dict[str, type[Entry]] = {
    "clauses.yaml": ClausesFile,
    "facts.yaml": FactsFile,
    "rules.yaml": RulesFile,
    "outcomes.yaml": OutcomesFile,
    "examples.yaml": ExamplesFile,
}
