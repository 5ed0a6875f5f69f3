"""What is new is found by the index over what is not counted: a check costs what it counts, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import Select, text

from aftercare.bench.stored import fill
from aftercare.store.counting import uncounted, uncounted_of, unsorted
from policies.triggers import load_matrix
from tests.triggers.evidence import AGENT, Desk

EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN "}


async def plan_of(desk: Desk, statement: Select[tuple[object]]) -> str:
    """How the database would go about it."""
    dialect = desk.database.engine.dialect
    compiled = statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    async with desk.database.engine.connect() as connection:
        await unsorted(connection)
        rows = await connection.execute(text(EXPLAIN[dialect.name] + str(compiled).replace(":", r"\:")))
        return "\n".join(str(row[-1]) for row in rows)


@pytest.mark.parametrize("stored", [0, 20_000], ids=["new store", "store with a past"])
async def test_new_evidence_is_found_by_its_own_index(desk: Desk, stored: int) -> None:
    """In the order in which it came, without sorting it, however much lies there."""
    await _past(desk, stored)
    plan = await plan_of(desk, uncounted(AGENT, "override", 2_001))
    assert "ix_feedback_uncounted" in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan


@pytest.mark.parametrize("stored", [0, 20_000], ids=["new store", "store with a past"])
async def test_the_rest_of_a_case_is_found_by_the_case(desk: Desk, stored: int) -> None:
    """Not by passing over what others are waiting for. (A table of a few rows PostgreSQL reads in any way.)"""
    await _past(desk, stored)
    plan = await plan_of(desk, uncounted_of([f"case-{n:05}" for n in range(20)], AGENT, ["override", "escalation"]))
    if stored or "QUERY PLAN" in EXPLAIN[desk.database.engine.dialect.name]:
        assert "feedback_pkey" in plan or "sqlite_autoindex_feedback_1 (case_id=?)" in plan
        assert "ix_feedback" not in plan


async def _past(desk: Desk, stored: int) -> None:
    if stored:
        await fill(desk.database, load_matrix().matrix, AGENT, stored)
    await desk.storm(20)
