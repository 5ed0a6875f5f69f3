"""The book of triggers for whoever looks: the one in force, and the one as it was edited."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from aftercare.commands.answering import NotAsked, wrong
from aftercare.commands.door import store
from aftercare.lifecycle.state import Refused
from aftercare.messages.triggers import TriggerRow
from aftercare.settings import Settings
from aftercare.store.cases import Cases
from aftercare.store.supervised import book_taken_last
from policies.triggers import Loaded, TriggersInvalid, file_in, from_texts, load_matrix, nearest, read_file


@dataclass(frozen=True)
class Book:
    """A book, and where it is from, in words."""

    loaded: Loaded
    origin: str
    place: str = ""
    problems: tuple[str, ...] = ()  # of the one that lies at the place, where it does not hold

    @property
    def name(self) -> str:
        """Its digest, as long as people need it."""
        return self.loaded.digest[:12]

    def row(self, trigger: str) -> TriggerRow:
        """A row by its name. Raises Refused, with a name like it."""
        rows = self.loaded.matrix.triggers
        if trigger not in rows:
            raise Refused([f"the book in force has no row {trigger}; {nearest(trigger, rows)}"])
        return rows[trigger]

    def chosen(self, trigger: str | None) -> Iterable[str]:
        """The names of all rows, or of the one that was asked for. Raises Refused."""
        if trigger:
            self.row(trigger)
        return [trigger] if trigger else list(self.loaded.matrix.triggers)


async def in_force(cases: Cases, settings: Settings, agent: str | None = None) -> Book:
    """The book that supervisors took last, or the one that they will take first."""
    kept = await book_taken_last(cases.database, agent) or await book_taken_last(cases.database)
    try:
        if kept:
            taken = from_texts(kept.texts)
            beside, problems = _beside(taken, settings)
            return Book(taken, f"the one supervisors took last{beside}", place(settings), problems)
    except (TriggersInvalid, KeyError, json.JSONDecodeError):
        told = f"the book that supervisors took last ({kept.digest[:12] if kept else ''}) is none for this program"
        raise NotAsked("book_invalid", [told, "use the program that the worker runs"]) from None
    return Book(load_matrix(settings.policies), f"{place(settings)}, which no supervisor has taken yet")


async def in_force_or_next(settings: Settings) -> Book:
    """The same where there may be no store yet: then it is the one that supervisors will take."""
    try:
        async with store(settings) as cases:
            return await in_force(cases, settings)
    except NotAsked as error:
        if error.error != "store":
            raise
        return Book(load_matrix(settings.policies), f"{place(settings)}; {error.reasons[0]}")


def edited(file: Path | None, settings: Settings) -> Book:
    """The book to be rehearsed: a file, or the one in the folder of policies."""
    if file is None:
        return Book(load_matrix(settings.policies), place(settings))
    if not file.is_file():
        raise wrong(f"{file}: there is no such file")
    return Book(read_file(file), str(file))


def _beside(taken: Loaded, settings: Settings) -> tuple[str, tuple[str, ...]]:
    """What is to be said of the book in the folder of policies, where it is another than the one taken."""
    try:
        lies = load_matrix(settings.policies)
    except TriggersInvalid as error:
        return f"; {place(settings)} does not hold", tuple(error.problems)
    return "" if lies.digest == taken.digest else f"; {place(settings)} is another, {lies.digest[:12]}", ()


def place(settings: Settings) -> str:
    """Where the book of these settings lies, in words."""
    own = file_in(settings.policies)
    return str(own) if settings.policies and own.parent == settings.policies else "the shipped book"
