"""`aftercare policy check`: is every policy book whole, does it do what its examples say; are the triggers in order?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.text import Text

from aftercare.commands.answering import DONE, NO, Answer, safe
from policies import book as books
from policies.examples import check as check_examples
from policies.triggers import FILE, TriggersInvalid, file_in, load_matrix


@dataclass(frozen=True)
class Checked:
    """One book, and everything that is wrong with it."""

    domain: str
    digest: str | None
    rules: int
    actions: int
    examples: int
    problems: Sequence[str]


@dataclass(frozen=True)
class CheckedTriggers:
    """The book of triggers, and everything that is wrong with it. A folder without one has the shipped one."""

    file: str
    digest: str | None
    rows: int
    problems: Sequence[str]


def domains(folder: Path | None) -> list[str]:
    """The domains that have a policy book in a folder."""
    return sorted(p.parent.name for p in (folder or books.SHIPPED).glob("*/rules.yaml"))


def check(folder: Path | None) -> Answer:
    """Check every book of a folder, that of the triggers among them."""
    checked, triggers = [check_one(domain, folder) for domain in domains(folder)], check_triggers(folder)
    document: dict[str, Any] = {"books": [asdict(c) for c in checked], "triggers": asdict(triggers)}
    lines, holds = _lines_of_triggers(triggers), not triggers.problems and all(not c.problems for c in checked)
    if checked:
        return Answer(document, [line for one in checked for line in _lines(one)] + lines, DONE if holds else NO)
    told = f"{folder or books.SHIPPED}: there is no policy book here (a folder with a rules.yaml)"
    return Answer(document | {"problems": [told]}, [Text(safe(told), "red"), *lines], NO)


def check_triggers(folder: Path | None) -> CheckedTriggers:
    """The book of triggers of a folder."""
    file = file_in(folder)
    name = FILE if folder and file.parent == folder else f"{FILE} (shipped)"
    try:
        book = load_matrix(folder)
    except TriggersInvalid as error:
        return CheckedTriggers(name, None, 0, error.problems)
    return CheckedTriggers(name, book.digest, len(book.matrix.triggers), ())


def check_one(domain: str, folder: Path | None) -> Checked:
    """One book: its files, its rules, its examples."""
    try:
        book = books.load(domain, folder)
    except books.BookInvalid as error:
        return Checked(domain, None, 0, 0, 0, error.problems)
    problems = check_examples(book)
    return Checked(domain, book.digest, len(book.rules), len(book.outcomes.actions), len(book.examples), problems)


def _lines(checked: Checked) -> list[Text]:
    lines = [Text(safe(problem), "red") for problem in checked.problems]
    if checked.digest:
        held = f"{len(checked.problems)} do not hold" if checked.problems else "all hold"
        told = f"{checked.rules} rules, {checked.actions} actions, {checked.examples} examples, {held}"
        lines.append(Text(f"{checked.domain} {checked.digest[:12]}: {told}"))
    return lines


def _lines_of_triggers(checked: CheckedTriggers) -> list[Text]:
    if checked.problems:
        return [Text(safe(problem), "red") for problem in checked.problems]
    return [Text(f"{checked.file} {(checked.digest or '')[:12]}: {checked.rows} rows, all hold")]
