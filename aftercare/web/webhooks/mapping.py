"""Webhook sources: a YAML file each, checked whole, compiled once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from pydantic import ValidationError

from aftercare.web.webhooks.schema import FIELDS, NEEDS, TAKES, RuleEntry, Signature, SourceEntry
from policies.cel import CelError, Expression, Language
from policies.sources import Source as YamlSource
from policies.sources import read_source

SHIPPED = Path(__file__).parent / "sources"

# What names an event must be signed, and headers are not: a replay with another header would count again.
SIGNED = Language({"body": "map"})
ALL = Language({"body": "map", "header": "map"})
OF_THE_EVENT = ("id", "at")


class SourcesInvalid(ValueError):
    """Sources that cannot be used: every problem found, each with its file, line and column."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Rule:
    """A compiled rule. `fields` holds the expressions of the event, its id and its time among them."""

    name: str
    event: str
    when: Expression
    fields: Mapping[str, Expression]


@dataclass(frozen=True)
class Source:
    """A webhook source, ready to read what it sends. Without secrets nothing is believed, and nothing read."""

    name: str
    signature: Signature
    at: Expression | None
    rules: tuple[Rule, ...]
    secrets: tuple[str, ...] = field(default=(), repr=False)


def load_sources(folder: Path | None = None, environ: Mapping[str, str] = os.environ) -> dict[str, Source]:
    """The sources by name: those that are shipped, and those of a folder, which stand before them.

    The secrets are read from the environment. Raises SourcesInvalid with everything that is wrong in any file.
    """
    problems: list[str] = []
    sources: dict[str, Source] = {}
    for file in _files(folder, problems):
        try:
            sources[file.stem] = source_from(file.name, file.read_text("utf-8"), environ)
        except SourcesInvalid as error:
            problems += error.problems
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{file.name}: cannot be read: {error}")
    if problems:
        raise SourcesInvalid(problems)
    return sources


def source_from(file: str, text: str, environ: Mapping[str, str] = os.environ) -> Source:
    """One source from the text of its file. Raises SourcesInvalid."""
    compiler = _Compiler(file, text)
    source = compiler.source(environ)
    if source is None or compiler.problems:
        raise SourcesInvalid(compiler.problems)
    return source


def _files(folder: Path | None, problems: list[str]) -> list[Path]:
    found = {file.name: file for file in sorted(SHIPPED.glob("*.yaml"))}
    if folder and not folder.is_dir():
        problems.append(f"{folder}: there is no such folder of webhook sources")
    elif folder:
        found |= {file.name: file for file in sorted(folder.glob("*.yaml"))}
    return list(found.values())


class _Compiler:
    """Goes through a file once and gathers every problem."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.problems: list[str] = []
        self.yaml: YamlSource | None = None
        self.entry = self._read(text)

    def source(self, environ: Mapping[str, str]) -> Source | None:
        entry = self.entry
        if entry is None:
            return None
        if f"{entry.name}.yaml" != self.file:
            self._problem(("name",), f"the file of this source must be called {entry.name}.yaml")
        shared = {name: self._compiled((name,), getattr(entry, name), SIGNED) for name in OF_THE_EVENT}
        return Source(
            name=entry.name,
            signature=entry.signature,
            at=shared["at"],
            rules=tuple(self._rules(entry, {name: e for name, e in shared.items() if e})),
            secrets=tuple(environ.get(entry.signature.secret, "").split()),
        )

    def _read(self, text: str) -> SourceEntry | None:
        try:
            self.yaml = read_source(self.file, text)
            return SourceEntry.model_validate(self.yaml.data)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            at = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
            self.problems.append(f"{self.file}{at}: {getattr(error, 'problem', error)}")
        except ValidationError as error:
            for problem in error.errors():
                self._problem(tuple(problem["loc"]), problem["msg"].removeprefix("Value error, "))
        return None

    def _rules(self, entry: SourceEntry, shared: Mapping[str, Expression]) -> Iterator[Rule]:
        seen: set[str] = set()
        for index, rule in enumerate(entry.rules):
            path: tuple[str | int, ...] = ("rules", index)
            if rule.name in seen:
                self._problem((*path, "name"), "another rule has this name")
            seen.add(rule.name)
            self._check_fields(path, rule)
            when = self._compiled((*path, "when"), rule.when, ALL)
            yield Rule(rule.name, rule.event, when or ALL.compile("false"), {**shared, **self._fields(path, rule)})

    def _check_fields(self, path: tuple[str | int, ...], rule: RuleEntry) -> None:
        """An event is told what it can be told, and what it needs."""
        given = {name for name in FIELDS if getattr(rule, name) is not None}
        for name in sorted(given - {*TAKES[rule.event], *OF_THE_EVENT}):
            self._problem((*path, name), f"{rule.event} has no {name}; it has {', '.join(TAKES[rule.event])}")
        for needed in NEEDS[rule.event]:
            if not given & set(needed):
                self._problem(path, f"{rule.event} needs {' or '.join(needed)}")

    def _fields(self, path: tuple[str | int, ...], rule: RuleEntry) -> dict[str, Expression]:
        compiled = {
            name: self._compiled((*path, name), getattr(rule, name), SIGNED if name in OF_THE_EVENT else ALL)
            for name in FIELDS
        }
        return {name: expression for name, expression in compiled.items() if expression}

    def _compiled(self, path: tuple[str | int, ...], text: str | None, language: Language) -> Expression | None:
        """The expression, of one of the types its field may have."""
        if text is None:
            return None
        errors: list[CelError] = []
        for returns in FIELDS.get(str(path[-1]), ("bool",)):
            try:
                return language.compile(text, returns)
            except CelError as error:
                errors.append(error)
        self._problem(path, errors[0].message, errors[0].line, errors[0].column)
        return None

    def _problem(self, path: tuple[str | int, ...], message: str, line: int = 1, column: int = 1) -> None:
        place = self.yaml.place(path).inside(line, column) if self.yaml else (1, 1)
        named = ", ".join(part for part in (self._rule_of(path), _field_of(path)) if part)
        self.problems.append(f"{self.file}:{place[0]}:{place[1]}: {named + ': ' if named else ''}{message}")

    def _rule_of(self, path: tuple[str | int, ...]) -> str:
        if len(path) < 2 or path[0] != "rules" or self.yaml is None:
            return ""
        entry = self.yaml.data["rules"][path[1]]
        return f"rule {entry['name']}" if isinstance(entry, dict) and "name" in entry else f"rule {int(path[1]) + 1}"


def _field_of(path: tuple[str | int, ...]) -> str:
    inner = path[2:] if path[:1] == ("rules",) and len(path) > 1 else path
    return ".".join(str(part) for part in inner)
