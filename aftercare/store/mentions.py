"""A person in the rows of others: looked for in every table, replaced where that may be, reported where it may not."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Table, Text, and_, cast, delete, false, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from aftercare.learning.datasets.freezing import digest_of
from aftercare.learning.datasets.problems import customer_mark
from aftercare.lifecycle.intake import digest_in_inbox
from aftercare.lifecycle.personal import Person
from aftercare.messages.work import Standing
from aftercare.store.datasets import STAGED
from aftercare.store.release_tables import ReleaseRow
from aftercare.store.traces import DECISIONS, Decision, Elsewhere

Values = dict[str, Any]
TABLES: Mapping[str, Table] = {name: ReleaseRow.metadata.tables[name] for name in DECISIONS}
# What is frozen while everything is looked through: by the name of the dataset, or of an attempt at one.
_FROZEN = {name: TABLES[name].c[column] for name, column in (("example", "dataset"), ("dataset", "id"))}


class Mentions:
    """Where a person is mentioned. Looking takes its time and locks nothing; replacing is quick."""

    def __init__(self, person: Person) -> None:
        self._person, self._hints = person, person.hints()
        self._mark, self._instead = customer_mark(person.customer), secrets.token_hex(8)
        self._found: list[tuple[Table, ColumnElement[bool]]] = []
        self._frozen: set[str] = set()
        self._reported: Counter[str] = Counter()

    async def look(self, connection: AsyncConnection) -> None:
        """Look through every table."""
        self._frozen = await _frozen(connection)
        for table in TABLES.values():
            await self._look_through(connection, table, true())

    async def replace(self, connection: AsyncConnection) -> tuple[Counter[str], list[Values]]:
        """Take the known values out of what was found, and out of datasets that were frozen since.

        Gives how many rows that were by table, and those of cases as they were.
        """
        since = [name for name in await _frozen(connection) if name not in self._frozen or STAGED in name]
        for name, frozen in _FROZEN.items():
            await self._look_through(connection, TABLES[name], frozen.in_(since))
        replaced: Counter[str] = Counter()
        of_cases: list[Values] = []
        for table, row in self._found:
            # A group that bears a mention has no name left to be known by: it begins anew.
            changed = change if table.name != "detector" else _removed
            for before in await changed(connection, table, row, partial(self._forgotten, table)):
                replaced[table.name] += 1
                of_cases += [before] if "case_id" in before else []
        return replaced, of_cases

    async def _look_through(self, connection: AsyncConnection, table: Table, which: ColumnElement[bool]) -> None:
        async with connection.stream(select(table).where(self._likely(table), which)) as rows:
            async for row in rows.mappings():
                self._report(table, row)
                if changes(dict(row), partial(self._forgotten, table)):
                    self._found.append((table, key_of(table, row)))

    def problems(self) -> tuple[str, ...]:
        """What was found where nothing of a person should stand."""
        return tuple(f"{place}, {count} rows: {_advice(place)}" for place, count in sorted((+self._reported).items()))

    def _likely(self, table: Table) -> ColumnElement[bool]:
        """Rows that may hold a known value: more than do, and never fewer."""
        if self._hints is None:
            return true()
        texts = [cast(table.c[name], Text) for name in DECISIONS[table.name]]
        marked = table.c.problem == self._mark if table.name == "example" else false()
        return or_(marked, *(text.icontains(hint, autoescape=True) for text in texts for hint in self._hints))

    def _forgotten(self, table: Table, row: Values) -> Values:
        decisions = DECISIONS[table.name].items()
        told = {n: self._person.forgotten(row[n]) for n, d in decisions if d.elsewhere is Elsewhere.REPLACED}
        if table.name == "evidence" and told["body"] != row["body"] and row["standing"] != Standing.WAITING:
            # The digest of a short text tells the text; that of what waits is how its case's answer finds it.
            told["digest"] = digest_in_inbox(row["kind"], told["body"])
        if table.name == "example":
            # A problem has its customer's mark, by which others would know whose it was.
            problem = self._instead if row["problem"] == self._mark else row["problem"]
            told |= {"digest": digest_of(told["body"]), "problem": problem}
        return told

    def _report(self, table: Table, row: Mapping[Any, Any]) -> None:
        for name, decision in DECISIONS[table.name].items():
            self._reported[f"{table.name}.{name}"] += self._should_not(decision, row[name])

    def _should_not(self, decision: Decision, value: Any) -> bool:
        match decision.elsewhere:
            case Elsewhere.REPORTED:
                return self._person.stands_in(value)
            case Elsewhere.REPORTED_IF_ALL:
                return isinstance(value, str) and value != self._person.customer and self._person.is_named(value)
            case Elsewhere.REPLACED:
                return False


async def _frozen(connection: AsyncConnection) -> set[str]:
    return {name for column in _FROZEN.values() for (name,) in await connection.execute(select(column).distinct())}


def _advice(place: str) -> str:
    if place.endswith(".customer"):
        return "a known value is the id of another customer: erase that one too, if it is the same person"
    if place == "policy_book.texts":
        return "a policy book is yours to edit"
    return "no personal data belongs there, and nothing was changed"


async def change(
    connection: AsyncConnection, table: Table, where: ColumnElement[bool], to: Callable[[Values], Values]
) -> list[Values]:
    """Write what each row is to become, where that differs; gives the rows that changed, as they were."""
    rows = [dict(row) for row in (await connection.execute(select(table).where(where))).mappings()]
    changed = [(row, told) for row in rows if (told := changes(row, to))]
    for row, told in changed:
        await connection.execute(update(table).where(key_of(table, row)).values(**told))
    return [row for row, _ in changed]


async def _removed(
    connection: AsyncConnection, table: Table, where: ColumnElement[bool], to: Callable[[Values], Values]
) -> list[Values]:
    rows = [dict(row) for row in (await connection.execute(select(table).where(where))).mappings()]
    removed = [row for row in rows if changes(row, to)]
    for row in removed:
        await connection.execute(delete(table).where(key_of(table, row)))
    return removed


def changes(row: Values, to: Callable[[Values], Values]) -> Values:
    """What of a row would become something else."""
    return {name: value for name, value in to(row).items() if value != row[name]}


def key_of(table: Table, row: Mapping[Any, Any]) -> ColumnElement[bool]:
    """The row itself, by its natural key."""
    return and_(true(), *(column == row[column.name] for column in table.primary_key.columns))
