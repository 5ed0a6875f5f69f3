"""How every verb answers: to people in lines, to machines as one JSON document, and with the same exit code.

0: done. 1: asked, and the answer is no (a case refused; a check found a problem). 2: could not be asked at all (what
was typed cannot be used; Temporal, its worker or the store gave no answer).
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from cyclopts import Parameter
from pydantic import BaseModel, ValidationError
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text
from sqlalchemy.exc import SQLAlchemyError
from temporalio.exceptions import TemporalError
from temporalio.service import RPCError

from aftercare.lifecycle.state import Refused
from policies.book import BookInvalid

DONE, NO, NOT_ASKED = 0, 1, 2
WIDTH = 100

AsJson = Annotated[
    bool, Parameter(name="--json", negative=(), show_default=False, help="Print one JSON document and nothing else.")
]
CODES = "Exit code 0: done; 1: refused; 2: wrong input, or no answer from Temporal or the store."


@dataclass(frozen=True)
class Answer:
    """What a verb found: a document for machines, lines for people."""

    document: Any
    lines: Sequence[RenderableType] = ()
    code: int = DONE


@dataclass
class NotAsked(Exception):
    """Nothing could be asked: the error in a word, and every reason. `more` stands in the JSON beside them."""

    error: str
    reasons: list[str]
    more: dict[str, Any] = field(default_factory=dict)


def wrong(*reasons: str) -> NotAsked:
    """What was typed, or what a file holds, cannot be used; nothing was sent."""
    return NotAsked("wrong_input", list(reasons))


async def answered(as_json: bool, work: Awaitable[Answer]) -> int:
    """Do the work, print its answer, and give the exit code."""
    try:
        answer = await work
    except Refused as refused:
        return _said_no(as_json, NO, NotAsked("refused", list(refused.reasons)))
    except NotAsked as error:
        return _said_no(as_json, NOT_ASKED, error)
    except BookInvalid as error:
        return _said_no(as_json, NOT_ASKED, NotAsked("book_invalid", error.problems))
    except RPCError as error:
        return _said_no(as_json, NOT_ASKED, NotAsked("temporal", [f"{error.status.name}: {error.message}", DOCTOR]))
    except TemporalError as error:
        return _said_no(as_json, NOT_ASKED, NotAsked("temporal", [str(error.__cause__ or error), DOCTOR]))
    except (SQLAlchemyError, OSError) as error:
        told = f"the store does not answer ({type(error).__name__})"
        return _said_no(as_json, NOT_ASKED, NotAsked("store", [told, DOCTOR]))
    try:
        show(as_json, answer)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read it has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return answer.code


DOCTOR = "`aftercare doctor` says what is missing"


def show(as_json: bool, answer: Answer) -> None:
    """Print an answer."""
    if as_json:
        print(as_document(answer.document))
        return
    console = to_people()
    for line in answer.lines:
        console.print(line, highlight=False, markup=False, soft_wrap=isinstance(line, str | Text))


def to_people(stderr: bool = False) -> Console:
    """A console that is never narrower than a table needs where nobody looks at it."""
    console = Console(stderr=stderr, emoji=False)  # `:loop:` is somebody's word, and no picture
    return console if console.is_terminal else Console(stderr=stderr, emoji=False, width=WIDTH)


def as_document(document: Any) -> str:
    """One JSON document."""
    plain = document.model_dump(mode="json") if isinstance(document, BaseModel) else document
    return json.dumps(plain, indent=2, default=_plain)


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)


def _said_no(as_json: bool, code: int, error: NotAsked) -> int:
    if as_json:
        print(as_document({"error": error.error, "reasons": error.reasons, **error.more}))
        return code
    console = to_people(stderr=True)
    console.print(Text(f"{error.error.replace('_', ' ')}:", "red"))
    for reason in error.reasons:
        if error.error == "refused":
            console.print(Hanging("  ", reason), highlight=False)
        else:  # places in files, as a machine wants them too
            console.print(Text(f"  {safe(reason)}"), highlight=False, soft_wrap=True)
    return code


def misused(message: str) -> int:
    """A command line that cannot be read, to a machine; cyclopts itself tells people."""
    return _said_no(True, NOT_ASKED, NotAsked("wrong_input", [line for line in message.splitlines() if line]))


# Ids are the one thing that has a pattern.
PLAIN = {"string_pattern_mismatch": "an id is 1 to 120 of A-Z a-z 0-9 . _ : - and begins with a letter or a figure"}


def problems_of(error: ValidationError) -> list[str]:
    """Every problem of a message, a line each; what was given is shown only where it is short."""
    return [_problem(p["loc"], PLAIN.get(p["type"], p["msg"]), p["input"]) for p in error.errors()]


def _problem(where: Sequence[Any], message: str, given: Any) -> str:
    shown = f" (given: {given!r})" if isinstance(given, str | int | float) and len(repr(given)) <= 80 else ""
    place = f"{'.'.join(map(str, where))}: " if where else ""
    return f"{place}{message.removeprefix('Value error, ')}{shown}"


@dataclass(frozen=True)
class Hanging:
    """A label, and words beside it for as many lines as the terminal makes of them. Plain ones are made safe here."""

    label: str
    words: object
    style: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Line by line, the later ones under the first."""
        beside = max(options.max_width - len(self.label), WIDTH // 4)
        words = self.words if isinstance(self.words, Text) else Text(safe(self.words), self.style)
        for number, line in enumerate(words.wrap(console, beside, overflow="fold")):
            line.rstrip()
            label = " " * len(self.label) if number else self.label
            yield Text(label, overflow="ignore", no_wrap=True).append_text(line)


def hung(line: Text) -> Hanging:
    """A line that stands in a little, and goes on under itself."""
    indent = len(line.plain) - len(line.plain.lstrip(" "))
    return Hanging(" " * indent, line[indent:] if indent else line)


def safe(words: object) -> str:
    """Somebody's words for a terminal, in one line: what would move its cursor or colour it is left out."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "�" for c in str(words))
