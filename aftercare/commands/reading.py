"""What is typed or lies in a file, made into messages: JSON, actions, facts, ids, moments."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from aftercare.commands.answering import problems_of, wrong
from aftercare.lifecycle import intake
from aftercare.lifecycle.digest import digest_of
from aftercare.lifecycle.state import Refused
from aftercare.messages.base import Message
from aftercare.messages.case import Action

M = TypeVar("M", bound=Message)
LARGEST = 8 * 1024 * 1024


def message(model: type[M], raw: Any) -> M:
    """The message in raw JSON. Raises NotAsked with every problem."""
    try:
        intake.check_size(raw, LARGEST)
        return model.model_validate(raw)
    except ValidationError as error:
        raise wrong(*problems_of(error)) from None
    except Refused as refused:
        raise wrong(*refused.reasons) from None


def evidence(model: type[Message], raw: dict[str, Any]) -> dict[str, Any]:
    """Evidence as raw JSON, once it is known to be whole. Raises NotAsked with the list of what is missing."""
    try:
        intake.parse(model, raw)
    except Refused as refused:
        raise wrong(*refused.reasons) from None
    return raw


def json_from(source: str) -> Any:
    """The JSON of a file, or of the standard input for `-`: one document, or one a line."""
    if source.startswith("-") and source != "-":
        raise wrong(f"there is no option {source}")
    try:
        text = sys.stdin.read(LARGEST + 1) if source == "-" else _text_of(Path(source))
    except (OSError, UnicodeDecodeError) as error:
        raise wrong(f"{source} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}") from None
    if len(text) > LARGEST:
        raise wrong(f"{source} is larger than {LARGEST // 1024 // 1024} MB")
    try:
        return json.loads(text)
    except ValueError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise wrong(f"{source}: {error}") from None
        return [_line(source, number, line) for number, line in enumerate(lines, 1)]


def _text_of(file: Path) -> str:
    with file.open(encoding="utf-8") as opened:
        return opened.read(LARGEST + 1)


def _line(source: str, number: int, line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise wrong(f"{source}, line {number}: {error}") from None


def json_value(option: str, text: str | None) -> Any:
    """The JSON given to an option."""
    try:
        return None if text is None else json.loads(text)
    except ValueError as error:
        raise wrong(f"{option}: this is no JSON ({error}): {text}") from None


def actions(option: str, given: Sequence[str]) -> list[dict[str, Any]]:
    """Actions as typed: `name={"argument": ...}`, or the whole action as a JSON object."""
    return [_action(option, text) for text in given]


def _action(option: str, text: str) -> dict[str, Any]:
    if text.lstrip().startswith("{"):
        whole = json_value(option, text)
    else:
        name, _, arguments = text.partition("=")
        whole = {"name": name.strip(), "arguments": json_value(option, arguments) if arguments else {}}
    return message(Action, whole).model_dump(mode="json", exclude_unset=True)


def fact(text: str) -> dict[str, Any]:
    """A fact of a system of record: system,record,field,expected,found; the last two as JSON, else as they stand."""
    parts = [p.strip() for p in next(csv.reader([text], skipinitialspace=True), [])]
    if not 3 <= len(parts) <= 5:
        raise wrong(f"--fact takes system,record,field,expected,found (quote a part that holds a comma): {text}")
    system, record, field, *values = parts
    told = dict(zip(("expected", "found"), map(_value, values), strict=False))
    return {"kind": "fact", "system": system, "record": record, "field": field, **told}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text or None


def moment(at: datetime | None) -> str | None:
    """A time as typed; without a zone it is the reader's own."""
    return None if at is None else at.astimezone().isoformat()


def given(**options: Any) -> dict[str, Any]:
    """The options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def given_of(options: Any) -> dict[str, Any]:
    """The same of a group of options."""
    return given(**asdict(options))


def id_by_content(kind: str, *content: Any) -> str:
    """An id made of what is said: the same command again is the same message, and changes nothing."""
    return f"{kind}-{digest_of(list(content))[:12]}"


def id_of_today(kind: str, *content: Any) -> str:
    """The same for what may well happen again: the same words tomorrow are another message."""
    return id_by_content(kind, datetime.now(UTC).date().isoformat(), *content)
