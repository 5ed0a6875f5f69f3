"""The one place that knows the rule language: CEL, compiled once, with every fact declared by its dotted name.

A misspelt fact is an error when the book is loaded. A fact that is not known when a rule is asked is no error:
the answer is then `Unknown`, and the verdict `undetermined`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cel_expr_python import cel

_TYPES: Mapping[str, Any] = {
    "string": cel.Type.STRING,
    "int": cel.Type.INT,
    "double": cel.Type.DOUBLE,
    "bool": cel.Type.BOOL,
    "time": cel.Type.TIMESTAMP,
    "any": cel.Type.DYN,
    "list": cel.Type.List(cel.Type.DYN),
    "strings": cel.Type.List(cel.Type.STRING),
    "map": cel.Type.Map(cel.Type.STRING, cel.Type.DYN),
}

_EXTENSIONS = "name: aftercare\nextensions:\n" + "".join(f"- name: {n}\n" for n in ("lists", "strings", "sets", "math"))


class CelError(ValueError):
    """An expression that does not compile: what is wrong, and at which line and column of the expression."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.message, self.line, self.column = message, line, column


@dataclass(frozen=True)
class Unknown:
    """The expression has no answer from what is known, and why."""

    why: str


def total(numbers: Sequence[Any]) -> float:
    """The sum of a list of numbers."""
    return float(sum(n.value() if hasattr(n, "value") else n for n in numbers))


def replaced(items: Sequence[Any], old: Sequence[Any], new: Sequence[Any]) -> list[str]:
    """`items` with one occurrence of each of `old` replaced by its partner in `new`."""
    result = [str(i) for i in items]
    for before, after in zip(old, new, strict=True):
        result[result.index(str(before))] = str(after)
    return result


def _overload(name: str, returns: str, parameters: Sequence[str], member: bool, impl: Any) -> Any:
    overload = cel.Overload(
        f"{name}_overload",
        return_type=_TYPES[returns],
        parameters=[_TYPES[p] for p in parameters],
        is_member=member,
        impl=impl,
    )
    return cel.FunctionDecl(name, [overload])


def _undetermined(why: str) -> bool:
    raise ValueError(why)


def _functions() -> list[Any]:
    return [
        _overload("total", "double", ["list"], False, total),
        _overload("replaced", "strings", ["strings", "strings", "strings"], True, replaced),
        _overload("undetermined", "bool", ["string"], False, _undetermined),
    ]


class Expression:
    """A compiled expression."""

    def __init__(self, text: str, compiled: Any) -> None:
        self.text = text
        self._compiled = compiled

    def ask(self, facts: Facts) -> Any:
        """The plain value, or `Unknown`: also where it would take more steps than the engine allows."""
        try:
            result = self._compiled.eval(facts.activation)
        except RuntimeError as error:
            return Unknown(_plainly(str(error)))
        if result.type() == cel.Type.ERROR:
            return Unknown(_plainly(str(result.value())))
        return result.plain_value()


class Facts:
    """What is known at one moment, by dotted name."""

    def __init__(self, language: Language, known: Mapping[str, Any]) -> None:
        self.known = dict(known)
        self._language = language
        self.activation = language.env.Activation(self.known)

    def plus(self, more: Mapping[str, Any]) -> Facts:
        """The same facts and some more."""
        return Facts(self._language, self.known | dict(more))


class Language:
    """CEL with a fixed list of declared facts."""

    def __init__(self, declared: Mapping[str, str]) -> None:
        self.declared = dict(declared)
        self.env = cel.NewEnv(
            config=cel.NewEnvConfigFromYaml(_EXTENSIONS),
            variables={name: _TYPES[kind] for name, kind in declared.items()},
            functions=_functions(),
        )

    def compile(self, text: str, returns: str | None = None) -> Expression:
        """Compile, and insist on the type it returns. Raises CelError with line and column."""
        try:
            compiled = self.env.compile(text)
        except RuntimeError as error:
            raise _explain(str(error)) from None
        actual = compiled.return_type()
        # What comes out of a record is dynamic: its type is seen when it is asked for.
        fits = returns in (None, "any") or "DYN" in actual.name() or _TYPES[returns or "any"].is_assignable_from(actual)
        if not fits:
            raise CelError(f"must be {returns}, and is {actual.name().lower()}")
        return Expression(text, compiled)

    def facts(self, known: Mapping[str, Any]) -> Facts:
        """Facts for one question or many."""
        return Facts(self, known)


def _plainly(fault: str) -> str:
    """An evaluation fault in words for people."""
    if named := re.search(r'No value with name "(.+?)" found', fault):
        return f"{named[1]} is not known"
    if named := re.search(r'Key not found in map : "?(.+?)"?$', fault):
        return f"there is no {named[1]}"
    return fault.split(": ", 1)[-1]


def _explain(raw: str) -> CelError:
    head = raw.split("ERROR: <input>:", 1)
    if len(head) < 2:
        return CelError(raw)
    line, column, rest = head[1].split(":", 2)
    message = rest.split("\n", 1)[0].replace(" (in container '')", "").strip()
    return CelError(message, int(line), int(column))
