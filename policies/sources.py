"""YAML that remembers where each value stands, so that an error can name file, line and column."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    """Where the text of a value begins, counted from 1. `block` marks a literal block, which begins a line later."""

    line: int
    column: int
    block: bool = False

    def inside(self, line: int, column: int) -> tuple[int, int]:
        """Line and column in the file of a position in the value's own text."""
        if self.block:
            return self.line + line, self.column + column - 1
        return self.line + line - 1, (self.column + column - 1 if line == 1 else column)


@dataclass(frozen=True)
class Source:
    """One YAML file: its name, its data, and where each value stands, and the key before it."""

    file: str
    data: Any
    places: dict[Path, Place]
    keys: dict[Path, Place] = field(default_factory=dict)

    def place(self, path: Path) -> Place:
        """The place of a value, or of the nearest thing around it."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place(1, 1))

    def key(self, path: Path) -> Place:
        """The place of the key before a value, or of the nearest thing around it: where to look for an entry."""
        return self.keys.get(path) or self.place(path)


def read_source(file: str, text: str) -> Source:
    """Parse one file. Raises yaml.YAMLError, which carries its own line and column."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    source = Source(file, yaml.safe_load(text) or {}, {})
    if node is not None:
        _walk(node, (), source, text.splitlines())
    return source


def _walk(node: yaml.Node, path: Path, source: Source, lines: list[str]) -> None:
    places = source.places
    places[path] = _place(node, lines)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if (*path, str(key.value)) in places:
                raise yaml.MarkedYAMLError(problem=f"{key.value} is here a second time", problem_mark=key.start_mark)
            source.keys[(*path, str(key.value))] = Place(key.start_mark.line + 1, key.start_mark.column + 1)
            _walk(value, (*path, str(key.value)), source, lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _walk(value, (*path, index), source, lines)


def _place(node: yaml.Node, lines: list[str]) -> Place:
    line, column = node.start_mark.line, node.start_mark.column
    style = getattr(node, "style", None)
    if style in ("|", ">"):
        first = lines[line + 1] if line + 1 < len(lines) else ""
        return Place(line + 1, len(first) - len(first.lstrip()) + 1, block=True)
    return Place(line + 1, column + 1 + (1 if style in ("'", '"') else 0))
