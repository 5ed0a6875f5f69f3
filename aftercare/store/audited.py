"""The cases drawn for the audit that may be about the same problem as claimed ones, found by index."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import col, literal, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from aftercare.learning.datasets.problems import Akin, Marks, marks_of, marks_told
from aftercare.messages.case import Case
from aftercare.store.database import Database
from aftercare.store.materials import steps_of
from aftercare.store.tables import CaseRow, ReviewRow, StepRow

TOGETHER = 200
OPENS = 12  # steps within which a case has been opened
AUDIT = "audit"

log = logging.getLogger(__name__)


async def audited(database: Database, agent: str, akin: Akin) -> AsyncIterator[Marks]:
    """Of an agent's drawn cases: the claimed ones, those of their customers and tickets, and those of no customer.

    Who a case without a customer is about stands in its trace alone, so all of these are read.
    """
    seen = set[str]()
    async for some in _asked(database, agent, akin):
        new = [case_id for case_id in some if case_id not in seen]
        seen.update(new)
        for few in _parts(new):
            async with database.session() as session:
                found = await _marks(session, few)
            for marks in found:
                yield marks


async def _asked(database: Database, agent: str, akin: Akin) -> AsyncIterator[Sequence[str]]:
    for column, values in (
        (col(CaseRow.case_id), akin.cases),
        (col(CaseRow.customer), akin.customers),
        (col(CaseRow.ticket), akin.tickets),
    ):
        for some in _parts(sorted(values)):
            async with database.session() as session:
                yield list(await session.exec(drawn_among(agent, column.in_(some))))
    async with database.session() as session:
        yield list(await session.exec(drawn_of_nobody(agent)))


def drawn_among(agent: str, these: ColumnElement[bool]) -> Any:
    """Asks which of some cases were drawn. By the item's id, which tells the case: each case is looked up by itself."""
    item = col(ReviewRow.id) == literal(f"{AUDIT}/") + col(CaseRow.case_id)
    asked = select(CaseRow.case_id).join(ReviewRow, item).where(these, col(CaseRow.erased_at).is_(None))
    return asked.where(ReviewRow.agent == agent, ReviewRow.kind == AUDIT)


def drawn_of_nobody(agent: str) -> Any:
    """Asks for the drawn cases that name no customer."""
    nobody = or_(col(CaseRow.customer).is_(None), CaseRow.customer == "")
    asked = select(CaseRow.case_id).join(ReviewRow, col(ReviewRow.case_id) == col(CaseRow.case_id))
    asked = asked.where(ReviewRow.agent == agent, ReviewRow.kind == AUDIT)
    return asked.where(nobody, col(CaseRow.erased_at).is_(None))


async def _marks(session: AsyncSession, case_ids: Sequence[str]) -> list[Marks]:
    cases = await session.exec(select(CaseRow).where(col(CaseRow.case_id).in_(case_ids)))
    first = col(StepRow.case_id).in_(case_ids) & (col(StepRow.number) <= OPENS)
    steps: Mapping[str, list[StepRow]] = defaultdict(list)
    for step in await session.exec(select(StepRow).where(first).order_by(col(StepRow.case_id), col(StepRow.number))):
        steps[step.case_id].append(step)
    return [_marks_of(case, steps[case.case_id]) for case in cases]


def _marks_of(case: CaseRow, steps: Sequence[StepRow]) -> Marks:
    """By what a drawn case is known; where it cannot be read any more, by its columns."""
    try:
        return marks_of(Case.model_validate(case.body), steps_of(steps))
    except ValueError as error:  # its text quotes what people said
        log.warning("case_unreadable", extra={"case_id": case.case_id, "reason": type(error).__name__})
        return marks_told(case.case_id, {case.customer} if case.customer else (), case.ticket)


def _parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    return (values[n : n + TOGETHER] for n in range(0, len(values), TOGETHER))
