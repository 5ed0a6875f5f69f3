"""Scrubbing: a person taken out of every table, in a transaction of the caller's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, Text, and_, cast, delete, exists, false, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from aftercare.lifecycle.intake import digest_in_inbox
from aftercare.lifecycle.personal import Person, learned
from aftercare.messages.erasure import Traces
from aftercare.messages.outcome import Stage
from aftercare.messages.work import Standing
from aftercare.store.traces import DECISIONS, Decision, Elsewhere

TOGETHER = 500

Values = dict[str, Any]
TABLES: Mapping[str, Table] = {name: SQLModel.metadata.tables[name] for name in DECISIONS}
CASES, STEPS, EVIDENCE = TABLES["support_case"], TABLES["step"], TABLES["evidence"]
FEEDBACK, HISTORY = TABLES["feedback"], TABLES["history"]


async def scrub(connection: AsyncConnection, customer: str, known: Sequence[str]) -> Traces:
    """Reduce the rows of the customer's cases, and take what is known of the person out of all the others."""
    own = [row.case_id for row in await connection.execute(select(CASES.c.case_id).where(CASES.c.customer == customer))]
    told = await _learned(connection, customer, own)
    rows = await reduce_cases(connection, own) + await _reduce_imported(connection, customer)
    found = _Mentions(Person(customer, {*known, *told}), set(own))
    for name in DECISIONS:
        await found.replace(connection, TABLES[name])
    return Traces(
        cases=len(own),
        learned=len(told - set(known)),
        rows=dict(+rows),
        mentions=dict(+found.mentions),
        running=tuple(sorted(await _unsettled(connection, found.cases))),
        problems=tuple(found.problems()),
    )


async def _learned(connection: AsyncConnection, customer: str, own: Sequence[str]) -> set[str]:
    told: set[str] = set()
    for some in _chunks(own):
        cases = await connection.execute(select(CASES.c.body).where(CASES.c.case_id.in_(some)))
        contacts = [str(row.body["contact"]) for row in cases if row.body.get("contact")]
        steps = await connection.execute(select(STEPS.c.body).where(STEPS.c.case_id.in_(some)))
        told |= learned(customer, contacts, (row.body for row in steps))
    return told


async def reduce_cases(connection: AsyncConnection, own: Sequence[str]) -> Counter[str]:
    """Reduce every row of these cases to what the figures need; what they never took in goes. Counts by table."""
    rows: Counter[str] = Counter()
    for some in _chunks(own):
        untaken = (EVIDENCE.c.case_id.in_(some)) & (EVIDENCE.c.standing != Standing.DELIVERED)
        rows["evidence"] += (await connection.execute(delete(EVIDENCE).where(untaken))).rowcount
        for table in TABLES.values():
            if "case_id" in table.c:
                rows[table.name] += await _reduce(connection, table, table.c.case_id.in_(some))
    return rows


async def _reduce_imported(connection: AsyncConnection, customer: str) -> Counter[str]:
    of_import = and_(HISTORY.c.source == FEEDBACK.c.source, HISTORY.c.id == FEEDBACK.c.case_id)
    told = FEEDBACK.c.baseline & exists().where(of_import, HISTORY.c.customer == customer)
    return Counter(
        feedback=await _reduce(connection, FEEDBACK, told),
        history=await _reduce(connection, HISTORY, HISTORY.c.customer == customer),
    )


async def _reduce(connection: AsyncConnection, table: Table, whose: ColumnElement[bool]) -> int:
    """What is left of the person's own rows; gives how many there was something to take out of."""

    def reduced(row: Values) -> Values:
        told = {name: decision.own(row[name]) for name, decision in DECISIONS[table.name].items()}
        # The source of imported feedback is the import's own name, by which it is compared.
        return told | {"source": row["source"]} if row.get("baseline") else told

    return len(await _change(connection, table, whose, reduced))


class _Mentions:
    """Known values in any row: replaced where they may be, counted where they should not be."""

    def __init__(self, person: Person, own: set[str]) -> None:
        self._person, self._own, self._hints = person, own, person.hints()
        self.mentions: Counter[str] = Counter()
        self.cases: set[str] = set()
        self._reported: Counter[str] = Counter()

    async def replace(self, connection: AsyncConnection, table: Table) -> None:
        """Look through one table."""
        changed = await _change(connection, table, self._likely(table), lambda row: self._forgotten(table, row))
        self.mentions[table.name] += len(changed)
        self.cases |= {str(key["case_id"]) for key in changed if "case_id" in key} - self._own

    def problems(self) -> list[str]:
        """What was found where nothing of a person should stand."""
        return [f"{place}, {count} rows: {_advice(place)}" for place, count in sorted((+self._reported).items())]

    def _likely(self, table: Table) -> ColumnElement[bool]:
        """Rows that may hold a known value: more than do, and never fewer."""
        if self._hints is None:
            return true()
        texts = [cast(table.c[name], Text) for name in DECISIONS[table.name]]
        return or_(false(), *(text.icontains(hint, autoescape=True) for text in texts for hint in self._hints))

    def _forgotten(self, table: Table, row: Values) -> Values:
        told: Values = {}
        for name, decision in DECISIONS[table.name].items():
            if decision.elsewhere is Elsewhere.REPLACED:
                told[name] = self._person.forgotten(row[name])
            else:
                self._reported[f"{table.name}.{name}"] += self._should_not(decision, row[name])
        if table is EVIDENCE and told["body"] != row["body"] and row["standing"] != Standing.WAITING:
            # The digest of a short text tells the text; that of what waits is how its case's answer finds it.
            told["digest"] = digest_in_inbox(row["kind"], told["body"])
        return told

    def _should_not(self, decision: Decision, value: Any) -> bool:
        if decision.elsewhere is Elsewhere.REPORTED:
            return self._person.stands_in(value)
        return isinstance(value, str) and self._person.is_named(value)


def _advice(place: str) -> str:
    if place.endswith(".customer"):
        return "a known value is the id of another customer: erase that one too, if it is the same person"
    if place == "policy_book.texts":
        return "a policy book is yours to edit"
    return "no personal data belongs there, and nothing was changed"


async def _unsettled(connection: AsyncConnection, case_ids: Iterable[str]) -> list[str]:
    running: list[str] = []
    for some in _chunks(sorted(case_ids)):
        asked = select(CASES.c.case_id).where(CASES.c.case_id.in_(some), CASES.c.stage != Stage.SETTLED)
        running += [row.case_id for row in await connection.execute(asked)]
    return running


async def _change(
    connection: AsyncConnection, table: Table, where: ColumnElement[bool], to: Callable[[Values], Values]
) -> list[Values]:
    """Write what each row is to become, where that differs; gives the keys of those that changed."""
    changes: list[tuple[Values, Values]] = []
    keys = [column.name for column in table.primary_key.columns]
    async with connection.stream(select(table).where(where)) as found:
        async for row in found.mappings():
            if told := {name: value for name, value in to(dict(row)).items() if value != row[name]}:
                changes.append(({name: row[name] for name in keys}, told))
    for key, told in changes:
        mine = and_(*(table.c[name] == value for name, value in key.items()))
        await connection.execute(update(table).where(mine).values(**told))
    return [key for key, _ in changes]


def _chunks(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[n : n + TOGETHER] for n in range(0, len(values), TOGETHER))
