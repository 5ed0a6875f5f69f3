"""Scrubbing: a person taken out of every table. First everything is looked for, then all of it goes at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, Table, and_, delete, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from aftercare.lifecycle.personal import Person, learned
from aftercare.messages.erasure import ErasedDataset, Traces
from aftercare.messages.outcome import Stage
from aftercare.messages.work import Standing
from aftercare.store.forgetting import Touched, forget_cases, tell_anew
from aftercare.store.mentions import TABLES, Mentions, Values, change
from aftercare.store.traces import DECISIONS

TOGETHER = 500

CASES, STEPS, EVIDENCE = TABLES["support_case"], TABLES["step"], TABLES["evidence"]
FEEDBACK, HISTORY = TABLES["feedback"], TABLES["history"]


class Scrubbing:
    """The scrubbing of one customer, of whom other values are known too."""

    def __init__(self, customer: str, known: Sequence[str]) -> None:
        self._customer, self._known = customer, set(known)
        self._learned: set[str] = set()
        self._mentions = Mentions(Person(customer, known))

    async def look(self, connection: AsyncConnection) -> None:
        """Learn from the customer's own cases, and look for the person everywhere. Nothing is changed or locked."""
        self._learned = await _learned(connection, self._customer, await cases_of(connection, self._customer))
        self._mentions = Mentions(Person(self._customer, self._known | self._learned))
        await self._mentions.look(connection)

    async def carry_out(self, connection: AsyncConnection) -> Traces:
        """Reduce the customer's own rows, and take the person out of what was found."""
        own = await cases_of(connection, self._customer)
        rows, touched = await reduce_cases(connection, own)
        rows += await _reduce_imported(connection, self._customer)
        replaced, of_cases = await self._mentions.replace(connection)
        touched.changed.update(row["dataset"] for row in of_cases if "dataset" in row)
        mentioning = {str(row["case_id"]) for row in of_cases}
        return Traces(
            cases=len(own),
            learned=len(self._learned - self._known),
            rows=dict(+rows),
            mentions=dict(replaced),
            running=tuple(await _unsettled(connection, sorted(mentioning - set(own)))),
            problems=self._mentions.problems(),
            datasets=await tell_anew(connection, touched, own),
        )


async def cases_of(connection: AsyncConnection, customer: str) -> list[str]:
    """The customer's own cases."""
    asked = select(CASES.c.case_id).where(CASES.c.customer == customer).order_by(CASES.c.case_id)
    return [row.case_id for row in await connection.execute(asked)]


async def reduce_late(connection: AsyncConnection, own: Sequence[str]) -> tuple[ErasedDataset, ...]:
    """Reduce what came about these cases after all; gives the datasets it had got into."""
    _, touched = await reduce_cases(connection, own)
    return await tell_anew(connection, touched, own)


async def reduce_cases(connection: AsyncConnection, own: Sequence[str]) -> tuple[Counter[str], Touched]:
    """Reduce every row of these cases to what the figures need; what they never took in goes, and so do examples.

    Gives counts by table, and the datasets that the examples are from.
    """
    touched = await forget_cases(connection, own)
    rows: Counter[str] = Counter(example=sum(map(len, touched.gone.values())))
    for some in _chunks(own):
        untaken = (EVIDENCE.c.case_id.in_(some)) & (EVIDENCE.c.standing != Standing.DELIVERED)
        rows["evidence"] += (await connection.execute(delete(EVIDENCE).where(untaken))).rowcount
        for table in TABLES.values():
            if "case_id" in table.c:
                rows[table.name] += await _reduce(connection, table, table.c.case_id.in_(some))
    return rows, touched


async def _learned(connection: AsyncConnection, customer: str, own: Sequence[str]) -> set[str]:
    told: set[str] = set()
    for some in _chunks(own):
        cases = await connection.execute(select(CASES.c.body).where(CASES.c.case_id.in_(some)))
        contacts = [str(row.body["contact"]) for row in cases if row.body.get("contact")]
        steps = await connection.execute(select(STEPS.c.body).where(STEPS.c.case_id.in_(some)))
        told |= learned(customer, contacts, (row.body for row in steps))
    return told


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

    return len(await change(connection, table, whose, reduced))


async def _unsettled(connection: AsyncConnection, case_ids: Sequence[str]) -> list[str]:
    running: list[str] = []
    for some in _chunks(case_ids):
        asked = select(CASES.c.case_id).where(CASES.c.case_id.in_(some), CASES.c.stage != Stage.SETTLED)
        running += [row.case_id for row in await connection.execute(asked.order_by(CASES.c.case_id))]
    return running


def _chunks(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[n : n + TOGETHER] for n in range(0, len(values), TOGETHER))
