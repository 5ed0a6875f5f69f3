"""Reads files of recorded cases, as JSON lines (plain or gzipped) or YAML, in our own format or tau-bench's."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from aftercare.demo.recorded import taubench
from aftercare.demo.recorded.format import Afterwards, RecordedCase


class BadRecording(ValueError):
    """A line that cannot be read: which file, which line, what is wrong."""


def read(path: Path, limit: int | None = None) -> Iterator[RecordedCase]:
    """The cases of a file, in our format or as tau-bench wrote them. Raises BadRecording."""
    for number, line in enumerate(_lines(path), 1):
        if limit is not None and number > limit:
            return
        try:
            yield _case(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            told = error.errors()[0]["msg"] if isinstance(error, ValidationError) else repr(error)
            raise BadRecording(f"{path.name}, case {number}: {told}") from error


def answers(paths: Sequence[Path], case_id: str) -> Afterwards:
    """What came of one case: the only way to it, and no other case's answers are opened on the way."""
    named = json.dumps(case_id)
    for path in paths:
        for line in _lines(path):
            if named in line and (case := _case(json.loads(line))).agent.case.id == case_id:
                return case.afterwards
    return Afterwards()


def _case(row: Any) -> RecordedCase:
    return taubench.case_of(row) if taubench.is_row(row) else RecordedCase.model_validate(row)


def _lines(path: Path) -> Iterator[str]:
    """A case a line; what a person wrote as YAML is turned into lines here."""
    if path.suffix == ".yaml":
        yield from _lines_of_yaml(path)
        return
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        yield from (line for line in lines if line.strip())


def _lines_of_yaml(path: Path) -> Iterator[str]:
    try:
        return map(json.dumps, yaml.safe_load(path.read_text("utf-8"))["cases"])
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise BadRecording(f"{path.name}: a YAML file has its cases under `cases` ({error})") from error
