"""The policy book: five YAML files at one moment, checked whole, compiled once, known by their digest."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from aftercare.messages.policy import BookPin
from policies import schema
from policies.cel import CelError, Expression, Language
from policies.sources import Source, read_source

SHIPPED = Path(__file__).parent

LOOKS_FOR = ("equals", "same_items", "contains_all", "increases_by", "grows_by")

# What every step brings with it, whatever the domain.
STEP_FACTS: Mapping[str, str] = {
    "step.number": "int",
    "step.kind": "string",
    "step.name": "string",
    "step.refused": "bool",
    "step.heard": "string",
    "step.said": "string",
    "now": "time",  # when the step was taken
    "last_heard": "string",  # the customer's latest words before this step was taken
    "last_said": "string",  # the agent's latest words before this step was taken
    "earlier": "list",  # the steps before: number, kind, name, input, output, refused, heard, said
    "case.customer": "string",
    "case.channel": "string",
}


class BookInvalid(ValueError):
    """A book that cannot be used: every problem found, each with its file, line and column."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class NoSuchBook(BookInvalid):
    """There is no book for this domain at all."""


@dataclass(frozen=True)
class Record:
    name: str
    entry: schema.RecordEntry
    which: Expression


@dataclass(frozen=True)
class Derived:
    name: str
    value: Expression


@dataclass(frozen=True)
class Rule:
    entry: schema.RuleEntry
    when: Expression
    require: Expression


@dataclass(frozen=True)
class Effect:
    entry: schema.EffectEntry
    looks_for: str
    value: Expression
    each: Expression | None
    when: Expression | None

    @property
    def texts(self) -> tuple[str, ...]:
        """Everything it says of facts."""
        entry = self.entry
        return self.value.text, entry.record, entry.field, entry.each or "", entry.when or ""


@dataclass(frozen=True)
class PolicyBook:
    """A book ready to be asked. Two books with the same texts have the same digest."""

    domain: str
    digest: str
    texts: Mapping[str, str]
    language: Language
    zone: tzinfo | None
    clauses: Mapping[str, schema.ClauseEntry]
    records: tuple[Record, ...]
    derived: tuple[Derived, ...]
    rules: tuple[Rule, ...]
    effects: Mapping[str, tuple[Effect, ...]]
    outcomes: schema.OutcomesFile
    examples: tuple[schema.ExampleEntry, ...]

    def pin(self) -> BookPin:
        """What a case keeps of the book it was opened under."""
        return BookPin(domain=self.domain, digest=self.digest, clauses=tuple(self.clauses), timing=self.outcomes.timing)

    def mentioned(self, *texts: str) -> set[str]:
        """The records and derived facts that these texts rest on, directly or through each other."""
        sources = {r.name: r.which.text for r in self.records} | {d.name: d.value.text for d in self.derived}
        found: set[str] = set()
        todo = list(texts)
        while todo:
            words = set(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", todo.pop()))
            for name in (words & sources.keys()) - found:
                found.add(name)
                todo.append(sources[name])
        return found


def domains(folder: Path | None = None) -> list[str]:
    """The domains that have a book."""
    return sorted(p.parent.name for p in (folder or SHIPPED).glob("*/rules.yaml"))


def load(domain: str, folder: Path | None = None) -> PolicyBook:
    """The book of a domain as it lies on disk. Raises BookInvalid."""
    where = (folder or SHIPPED) / domain
    if not where.is_dir():
        known = ", ".join(domains(folder))
        raise NoSuchBook([f"there is no policy book for the domain {domain!r}; there are: {known}"])
    texts = {name: (where / name).read_text("utf-8") for name in schema.FILES if (where / name).exists()}
    return from_texts(domain, json.dumps(texts, sort_keys=True))


@lru_cache(maxsize=32)
def from_texts(domain: str, texts_json: str) -> PolicyBook:
    """The book from its texts (a JSON object of file name to text), as the store keeps it. Raises BookInvalid."""
    texts: dict[str, str] = json.loads(texts_json)
    return _Compiler(domain, texts, hashlib.sha256(texts_json.encode()).hexdigest()).book()


class _Compiler:
    """Goes through the files once, gathers every problem, and gives the book or all that is wrong with it."""

    def __init__(self, domain: str, texts: dict[str, str], digest: str) -> None:
        self.domain, self.texts, self.digest = domain, texts, digest
        self.problems: list[str] = []
        self.sources: dict[str, Source] = {}
        self.files = {name: self._read(name, model) for name, model in schema.FILES.items()}

    def book(self) -> PolicyBook:
        if self.problems:
            raise BookInvalid(self.problems)
        clauses: schema.ClausesFile = self.files["clauses.yaml"]
        facts: schema.FactsFile = self.files["facts.yaml"]
        outcomes: schema.OutcomesFile = self.files["outcomes.yaml"]
        self.step_language = Language(dict(STEP_FACTS) | {f"args.{n}": t for n, t in facts.arguments.items()})
        self.language = Language(self.step_language.declared | dict(_declared(facts)))
        self.effect_language = Language(self.language.declared | {"item": "any"})
        book = PolicyBook(
            domain=self.domain,
            digest=self.digest,
            texts=self.texts,
            language=self.language,
            zone=datetime.strptime(facts.zone, "%z").tzinfo if facts.zone else None,
            clauses=clauses.clauses,
            records=tuple(self._records(facts)),
            derived=tuple(self._derived(facts)),
            rules=tuple(self._rules(clauses)),
            effects={name: tuple(self._effects(name, action)) for name, action in outcomes.actions.items()},
            outcomes=outcomes,
            examples=self.files["examples.yaml"].examples,
        )
        if self.problems:
            raise BookInvalid(self.problems)
        return book

    def _read(self, name: str, model: type[schema.Entry]) -> Any:
        text = self.texts.get(name)
        if text is None:
            self.problems.append(f"{self.domain}/{name}: the file is missing")
            return None
        try:
            self.sources[name] = source = read_source(name, text)
            return model.model_validate(source.data)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            at = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
            self.problems.append(f"{self.domain}/{name}{at}: {getattr(error, 'problem', error)}")
        except ValidationError as error:
            for problem in error.errors():
                self._problem(name, tuple(problem["loc"]), problem["msg"])
        return None

    def _problem(self, file: str, path: tuple[str | int, ...], message: str, line: int = 1, column: int = 1) -> None:
        at_line, at_column = self.sources[file].place(path).inside(line, column)
        data: Any = self.sources[file].data
        name = next((str(p) for p in reversed(path) if isinstance(p, str)), "")
        if len(path) > 1 and path[0] == "rules" and isinstance(path[1], int):
            entry = data["rules"][path[1]]
            named = f"rule {entry['id']}" if isinstance(entry, dict) and "id" in entry else f"rule {path[1] + 1}"
            name = f"{named}, {path[2]}" if len(path) > 2 else named
        self.problems.append(f"{self.domain}/{file}:{at_line}:{at_column}: {name}: {message}")

    def _compile(
        self, file: str, path: tuple[str | int, ...], text: str, returns: str, language: Language
    ) -> Expression:
        try:
            return language.compile(text, returns)
        except CelError as error:
            self._problem(file, path, error.message, error.line, error.column)
            return language.compile("false")

    def _records(self, facts: schema.FactsFile) -> Iterator[Record]:
        for name, entry in facts.records.items():
            path: tuple[str | int, ...] = ("records", name, "id" if entry.id else "each")
            if bool(entry.id) == bool(entry.each):
                self._problem("facts.yaml", ("records", name), "needs either id or each")
                continue
            text, returns = (entry.id, "string") if entry.id else (entry.each, "any")
            yield Record(name, entry, self._compile("facts.yaml", path, text or "", returns, self.language))

    def _derived(self, facts: schema.FactsFile) -> Iterator[Derived]:
        for name, entry in facts.derived.items():
            path = ("derived", name, "value")
            yield Derived(name, self._compile("facts.yaml", path, entry.value, entry.type, self.language))

    def _rules(self, clauses: schema.ClausesFile) -> Iterator[Rule]:
        seen: set[str] = set()
        for index, entry in enumerate(self.files["rules.yaml"].rules):
            path: tuple[str | int, ...] = ("rules", index)
            if entry.clause not in clauses.clauses:
                self._problem("rules.yaml", (*path, "clause"), f"there is no clause {entry.clause!r} in clauses.yaml")
            if entry.id in seen:
                self._problem("rules.yaml", (*path, "id"), "another rule has this id")
            seen.add(entry.id)
            # `when` may look at the trace alone, so that no record is read for a step the rule is not about.
            when = self._compile("rules.yaml", (*path, "when"), entry.when, "bool", self.step_language)
            require = self._compile("rules.yaml", (*path, "require"), entry.require, "bool", self.language)
            yield Rule(entry, when, require)

    def _effects(self, action: str, entry: schema.ActionEntry) -> Iterator[Effect]:
        for index, effect in enumerate(entry.effects):
            path: tuple[str | int, ...] = ("actions", action, "effects", index)
            given = [k for k in LOOKS_FOR if getattr(effect, k)]
            if len(given) != 1:
                self._problem("outcomes.yaml", path, f"needs one of {', '.join(LOOKS_FOR)}")
                continue
            returns = {"increases_by": "double", "grows_by": "int"}.get(given[0], "any")
            each = self._of_effect(path, "each", effect.each, "any")
            when = self._of_effect(path, "when", effect.when, "bool")
            value = self._of_effect(path, given[0], getattr(effect, given[0]), returns)
            assert value is not None
            yield Effect(effect, given[0], value, each, when)

    def _of_effect(self, path: tuple[str | int, ...], field: str, text: str | None, returns: str) -> Expression | None:
        return self._compile("outcomes.yaml", (*path, field), text, returns, self.effect_language) if text else None


def _declared(facts: schema.FactsFile) -> Iterator[tuple[str, str]]:
    for name, entry in facts.records.items():
        if entry.each:
            yield name, "map"
        else:
            yield from ((f"{name}.{field}", kind) for field, kind in entry.fields.items())
    yield from ((name, entry.type) for name, entry in facts.derived.items())
