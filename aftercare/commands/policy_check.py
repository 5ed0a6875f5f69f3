"""`aftercare policy check`: is every policy book whole, and does it do what its worked examples say?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.text import Text

from aftercare.commands.answering import DONE, NO, Answer, safe
from policies import book as books
from policies.examples import check as check_examples


@dataclass(frozen=True)
class Checked:
    """One book, and everything that is wrong with it."""

    domain: str
    digest: str | None
    rules: int
    actions: int
    examples: int
    problems: Sequence[str]


def domains(folder: Path | None) -> list[str]:
    """The domains that have a policy book in a folder."""
    return sorted(p.parent.name for p in (folder or books.SHIPPED).glob("*/rules.yaml"))


def check(folder: Path | None) -> Answer:
    """Check every book of a folder."""
    checked = [check_one(domain, folder) for domain in domains(folder)]
    if not checked:
        told = f"{folder or books.SHIPPED}: there is no policy book here (a folder with a rules.yaml)"
        return Answer({"books": [], "problems": [told]}, [Text(told, "red")], NO)
    lines = [line for one in checked for line in _lines(one)]
    return Answer({"books": [asdict(c) for c in checked]}, lines, NO if any(c.problems for c in checked) else DONE)


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
