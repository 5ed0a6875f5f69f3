"""Forgetting in datasets: rows of a person's cases go, and each dataset is told anew from what is left of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from aftercare.learning.datasets.diagnosing import Diagnosing
from aftercare.learning.datasets.freezing import without
from aftercare.messages.erasure import ErasedDataset
from aftercare.store.datasets import digest_in, in_chunks

TOGETHER = 200
EXAMPLE, DATASET, AGAINST = (SQLModel.metadata.tables[name] for name in ("example", "dataset", "against"))


@dataclass
class Touched:
    """The datasets a person was taken out of: by dataset the rows that are gone, and those that changed."""

    gone: dict[str, set[int]] = field(default_factory=dict)
    changed: Counter[str] = field(default_factory=Counter)

    @property
    def datasets(self) -> list[str]:
        """All of them."""
        return sorted({*self.gone, *self.changed})


async def forget_cases(connection: AsyncConnection, own: Sequence[str]) -> Touched:
    """Delete the rows of a person's own cases."""
    touched = Touched()
    for some in in_chunks(own, TOGETHER):
        theirs = EXAMPLE.c.case_id.in_(some)
        for row in await connection.execute(select(EXAMPLE.c.dataset, EXAMPLE.c.number).where(theirs)):
            touched.gone.setdefault(row.dataset, set()).add(row.number)
        await connection.execute(delete(EXAMPLE).where(theirs))
        # A case may have been claimed without being a row of its own.
        claimed = select(AGAINST.c.firing).where(AGAINST.c.case_id.in_(some), AGAINST.c.firing.is_not(None))
        for row in await connection.execute(claimed.distinct()):
            touched.gone.setdefault(row.firing, set())
    return touched


async def tell_anew(connection: AsyncConnection, touched: Touched, own: Sequence[str]) -> tuple[ErasedDataset, ...]:
    """Write digest, accounts and diagnosis of each dataset anew, from what is left of it; gives those that changed."""
    told = []
    for dataset in touched.datasets:
        found = (await connection.execute(select(DATASET).where(DATASET.c.id == dataset))).mappings().one_or_none()
        if found:
            told.append(await _tell_anew(connection, found, touched, frozenset(own)))
    return tuple(each for each in told if each.rows or each.before != each.after)


async def _tell_anew(
    connection: AsyncConnection, found: Mapping[Any, Any], touched: Touched, own: frozenset[str]
) -> ErasedDataset:
    dataset, rows = str(found["id"]), touched.gone.get(str(found["id"]), set())
    after = await digest_in(connection, dataset)
    values: dict[str, Any] = {"digest": after, "accounts": without(found["accounts"], own, frozenset(rows))}
    if found["diagnosis"] and after != found["digest"]:
        values["diagnosis"] = await _diagnosis(connection, dataset)
    await connection.execute(update(DATASET).where(DATASET.c.id == dataset).values(**values))
    return ErasedDataset(
        dataset=dataset,
        before=found["digest"],
        after=after,
        rows=len(rows),
        changed=touched.changed[dataset],
        built=tuple(found["built"]),
    )


async def _diagnosis(connection: AsyncConnection, dataset: str) -> dict[str, Any]:
    diagnosing, after = Diagnosing(), 0
    asked = select(EXAMPLE).where(EXAMPLE.c.dataset == dataset).order_by(EXAMPLE.c.number).limit(TOGETHER)
    while some := (await connection.execute(asked.where(EXAMPLE.c.number > after))).all():
        for row in some:
            diagnosing.take_row(row.number, row.case_id, row.problem, row.side, row.body)
        after = some[-1].number
    return diagnosing.made().model_dump(mode="json", exclude_defaults=True)
