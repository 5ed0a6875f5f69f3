"""The book of triggers: one YAML file, read whole, with everything that is wrong with it by row and field."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from aftercare.messages import triggers as forms
from aftercare.messages.triggers import Matrix, TriggerRow
from policies.book import SHIPPED, BookInvalid
from policies.matrix_checks import problems_of_check, problems_of_row, problems_of_rows
from policies.sources import Path as Where
from policies.sources import Source, read_source

FILE = "triggers.yaml"
DOMAIN = "triggers"  # under which the store keeps it, beside the policy books
DETECTORS: dict[str, type[BaseModel]] = {
    "rate": forms.Rate,
    "mean": forms.Mean,
    "quantile": forms.Quantile,
    "burst": forms.Burst,
    "volume": forms.Volume,
}
PARTS: dict[str, type[BaseModel]] = {"baseline": forms.Baseline, "budget": forms.Budget, "starts": forms.Starts}
_DURATION = "a duration is expected, as in PT90S, PT15M or P1D"
_NO_ROW = "at least one row is needed: without any nothing is watched"
_FIELDS = "fields are expected here, and {} where there are none"
_INSTEAD = {"says": "-", "cooldown": "PT0S", "starts": {"workflow": forms.RETRAINING, "kind": "intent_classifier"}}
_SAID = {
    "missing": "is missing",
    "model_type": _FIELDS,
    "model_attributes_type": _FIELDS,
    "dict_type": _FIELDS,
    "time_delta_parsing": _DURATION,
    "time_delta_type": _DURATION,
    "union_tag_not_found": f"`detector` is missing: it is one of {', '.join(DETECTORS)}",
    "tuple_type": "a list is expected here",
    "string_pattern_mismatch": "a row's name is 1 to 60 of a-z 0-9 _ and begins with a letter",
}


class TriggersInvalid(BookInvalid):
    """A book of triggers that cannot be used: every problem found, each with its file, line, column, row and field."""


@dataclass(frozen=True)
class Loaded:
    """A book of triggers that holds, with its text. Two books with the same text have the same digest."""

    matrix: Matrix
    text: str

    @property
    def texts(self) -> str:
        """As the store keeps it: a JSON object of file name to text, as of every policy book."""
        return json.dumps({FILE: self.text}, sort_keys=True)

    @property
    def digest(self) -> str:
        """By which it is known, in the store too."""
        return hashlib.sha256(self.texts.encode()).hexdigest()


def load_matrix(folder: Path | None = None) -> Loaded:
    """The book as it lies in a folder, or the shipped one where none lies there. Raises TriggersInvalid."""
    return read_file(file_in(folder))


def file_in(folder: Path | None = None) -> Path:
    """Where the book of a folder lies: in it, or where it has none with what is shipped."""
    own = folder / FILE if folder else SHIPPED / FILE
    return own if own.exists() else SHIPPED / FILE


def read_file(file: Path) -> Loaded:
    """The book in a file. Raises TriggersInvalid."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        raise TriggersInvalid([f"{file.name}: it cannot be read: {why}"]) from None
    return Loaded(_known(text, file.name), text)


@lru_cache(maxsize=32)
def from_texts(texts: str) -> Loaded:
    """The book from its texts, as the store keeps it. Raises TriggersInvalid."""
    text = json.loads(texts)[FILE]
    return Loaded(_known(text, FILE), text)


def read_matrix(text: str, file: str = FILE) -> Matrix:
    """The book in a YAML text. Raises TriggersInvalid."""
    try:
        return _Reader(read_source(file, text)).matrix()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise TriggersInvalid([f"{file}{at}: {getattr(error, 'problem', None) or error}"]) from None
    except RecursionError:
        raise TriggersInvalid([f"{file}: it goes deeper than it can be followed, or holds itself"]) from None


_known = lru_cache(maxsize=8)(read_matrix)


def nearest(word: str, known: Collection[str]) -> str:
    """What may have been meant; all there is where nothing is near."""
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"


class _Reader:
    """Goes through one book once, gathers every problem, and gives the book or all that is wrong with it."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._problems: dict[tuple[int, int, str], None] = {}

    def matrix(self) -> Matrix:
        if not isinstance(self._source.data, dict):
            raise TriggersInvalid([f"{self._source.file}:1:1: `check` and `triggers` are expected here"])
        matrix = self._formed()
        for path, message in self._checked():
            self._problem(path, message)
        if matrix is None or self._problems:
            at = (f"{line}:{column}: {told}" for line, column, told in sorted(self._problems))
            raise TriggersInvalid([f"{self._source.file}:{problem}" for problem in at])
        return matrix

    def _formed(self) -> Matrix | None:
        try:
            return Matrix.model_validate(self._source.data)
        except ValidationError as error:
            for problem in error.errors():
                if problem["type"] == "too_short" and problem["input"]:
                    continue  # there are some, and what is wrong with each of them is said
                path = _path(problem["loc"])
                self._problem(path, _said(path, problem), problem["type"] == "missing")
            return None

    def _checked(self) -> Iterator[tuple[Where, str]]:
        """What is wrong with the sense of those parts whose form is right."""
        yield from problems_of_check(self._source.data.get("check"))
        rows = self._source.data.get("triggers")
        if rows == {}:
            yield ("triggers",), _NO_ROW
        for name, raw in rows.items() if isinstance(rows, dict) else ():
            yield from ((("triggers", str(name), *path), message) for path, message in _sense_of(raw))
        yield from problems_of_rows(rows)

    def _problem(self, path: Where, message: str, is_missing: bool = False) -> None:
        """The place is that of the key: there an entry begins, whatever form its value has."""
        place = self._source.key(path[:-1] if is_missing else path)
        named = _named(path)
        self._problems[place.line, place.column, f"{named}: {message}" if named else message] = None


def _sense_of(raw: Any) -> Iterator[tuple[Where, str]]:
    """What is wrong with the sense of a row, as far as its form is right: of the rest of it there is no sense."""
    try:
        yield from problems_of_row(TriggerRow.model_validate(raw))
        return
    except ValidationError as error:
        broken = {problem["loc"][: _depth(problem["loc"])] for problem in error.errors()}
    try:
        whole, places = _without(raw, broken)
        row = TriggerRow.model_validate(_INSTEAD | whole)
    except (ValidationError, AttributeError):
        return
    are_whole = len(places) == len(raw.get("detectors", ()))
    for path, message in problems_of_row(row, are_whole):
        if path[0] == "detectors" and len(path) > 1:
            if int(path[1]) >= len(places):
                continue
            path = ("detectors", places[int(path[1])], *path[2:])
        if path[:1] not in broken and path[:2] not in broken:
            yield path, message


def _depth(loc: tuple[str | int, ...]) -> int:
    """One kind of the evidence and one detector can be wrong by itself; any other field is wrong as a whole."""
    return 2 if loc and loc[0] in ("evidence", "detectors") else 1


def _without(raw: Any, broken: Collection[Where]) -> tuple[dict[str, Any], list[int]]:
    """A row without what is broken, and which of its detectors are left; of broken evidence the names are known."""
    whole = {name: value for name, value in raw.items() if (name,) not in broken}
    if isinstance(evidence := whole.get("evidence"), dict):
        whole["evidence"] = {kind: {} if ("evidence", kind) in broken else told for kind, told in evidence.items()}
    detectors = told if isinstance(told := whole.get("detectors"), list) else []
    places = [n for n in range(len(detectors)) if ("detectors", n) not in broken]
    whole["detectors"] = [detectors[n] for n in places] or [{"detector": "volume", "cases": 1}]
    return whole, places


def _path(loc: tuple[str | int, ...]) -> Where:
    """Where in the file an error is: without the names of forms that pydantic adds."""
    plain = tuple(str(part) if n < 2 else part for n, part in enumerate(loc) if part != "[key]")
    return plain[:4] + plain[5:] if len(plain) > 4 and plain[2] == "detectors" else plain


def _named(path: Where) -> str:
    """`row csat, detectors.1.notice`: detectors are counted from 1."""
    if path[:1] == ("triggers",) and len(path) > 1:
        field = ".".join(str(part + 1) if isinstance(part, int) else part for part in path[2:])
        return f"row {path[1]}" + (f", {field}" if field else "")
    return ".".join(map(str, path))


def _said(path: Where, problem: Any) -> str:
    """A problem of form in our words."""
    kind = problem["type"]
    if kind == "extra_forbidden":
        return f"there is no such field; {nearest(str(path[-1]), _fields(path[:-1], problem['loc']))}"
    if kind == "union_tag_invalid":
        tag = problem["ctx"]["tag"]
        return f"there is no detector {tag}; {nearest(tag, DETECTORS)}"
    if kind == "too_short":
        return "at least one is needed"
    return _SAID.get(kind) or str(problem["msg"]).replace("Input should be", "it must be")


def _fields(path: Where, loc: tuple[str | int, ...]) -> Collection[str]:
    """The fields there are at a place of the file."""
    form: type[BaseModel] = Matrix
    match path:
        case ("check",):
            form = forms.Checking
        case ("triggers", _):
            form = TriggerRow
        case ("triggers", _, "evidence", _):
            form = forms.Counts
        case ("triggers", _, "detectors", int()):
            form = DETECTORS[str(loc[4])]
        case ("triggers", _, str(part)) if part in PARTS:
            form = PARTS[part]
    return form.model_fields
