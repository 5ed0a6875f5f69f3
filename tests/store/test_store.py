"""The store writes once what is written twice, migrates from its oldest schema, and keeps times as they are."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import pytest_asyncio
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from aftercare.lifecycle.digest import digest_of
from aftercare.lifecycle.state import Taken
from aftercare.messages.case import Case, Step, StepKind
from aftercare.messages.outcome import Episode, Outcome, Settlement
from aftercare.messages.policy import Finding, Verdict
from aftercare.messages.work import RecordEvidence, SettleCase
from aftercare.store.cases import Cases
from aftercare.store.database import Database, alembic_config
from aftercare.store.steps import StepTaken

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest_asyncio.fixture(loop_scope="session")
async def cases(store_url: str) -> AsyncIterator[Cases]:
    database = Database(store_url)
    await database.migrate()
    yield Cases(database)
    await database.close()


def settling(revision: int, outcome: Outcome) -> SettleCase:
    return SettleCase(
        settlement=Settlement(case_id="c", outcome=outcome), run_id="r", state={"revision": revision}, at=NOW
    )


async def test_the_migrations_make_the_tables_of_today(cases: Cases) -> None:
    """From nothing to the newest, and no table differs from its model; once more changes nothing."""

    def check(connection: Connection) -> None:
        command.check(alembic_config(connection))

    await cases.database.migrate()
    async with cases.database.engine.begin() as connection:
        await connection.run_sync(check)


async def test_a_store_of_the_first_schema_is_brought_up_to_date(store_url: str) -> None:
    """What was accepted or refused then stands as delivered or refused now, and nothing else changes."""
    database = Database(store_url)
    old = "INSERT INTO evidence (case_id, id, kind, accepted, reasons, body, at) VALUES "
    async with database.engine.begin() as connection:
        await connection.run_sync(lambda c: command.upgrade(alembic_config(c), "0001"))
        for id, accepted in (("taken", "true"), ("not", "false")):
            values = f"('c', '{id}', 'feedback', {accepted}, '[]', '{{\"value\": 1}}', '2026-11-23 12:00:00')"
            await connection.exec_driver_sql(old + values)
    await database.migrate()
    rows = await Cases(database).inbox.of_case("c")
    assert {r.id: (r.standing, r.body) for r in rows} == {
        "taken": ("delivered", {"value": 1}),
        "not": ("refused", {"value": 1}),
    }
    await database.close()


async def test_several_workers_may_migrate_at_once(store_url: str) -> None:
    """A deployment starts them together on an empty database."""
    program = (
        f"import asyncio; from aftercare.store.database import Database as D; asyncio.run(D({store_url!r}).migrate())"
    )
    started = [await asyncio.create_subprocess_exec(sys.executable, "-c", program) for _ in range(4)]
    assert [await process.wait() for process in started] == [0] * 4


def test_the_migrations_are_numbered_in_a_row() -> None:
    """One head, each following the one before."""
    revisions = [r.revision for r in ScriptDirectory.from_config(alembic_config()).walk_revisions()]
    assert revisions == [f"{n:04}" for n in range(len(revisions), 0, -1)]


async def test_what_is_written_twice_is_there_once(cases: Cases) -> None:
    """A retried activity changes nothing."""
    findings = [Finding(rule="r", clause="c.1", verdict=Verdict.COMPLIANT, step=n) for n in (1, 2)]
    for _ in range(3):
        await cases.register(Case(id="c", agent="a", domain="retail"), "digest", NOW)
        await cases.keep_findings("c", 1, findings)
        await cases.inbox.record(RecordEvidence(case_id="c", id="e", kind="feedback", body={"value": 1}, at=NOW))
    assert len(await cases.findings("c")) == 2
    assert len(await cases.inbox.of_case("c")) == 1


async def test_a_trace_is_never_written_over(cases: Cases) -> None:
    """The same steps again are welcome; another under the same number is refused, with none of its batch kept."""
    steps = [Step(number=n, kind=StepKind.REASON, name=f"thought {n}") for n in (1, 2)]
    await cases.add_steps("c", steps)
    await cases.add_steps("c", steps)
    with pytest.raises(StepTaken, match=r"under the numbers \[2\]"):
        await cases.add_steps("c", [Step(number=2, kind=StepKind.ACT), Step(number=3, kind=StepKind.ACT)])
    assert await cases.steps("c", 99) == steps


async def test_the_latest_revision_tells_how_a_case_ended(cases: Cases) -> None:
    """A later run adds a revision; settling the same revision again replaces it."""
    await cases.settle(settling(1, Outcome.CONFIRMED), [], {})
    await cases.settle(settling(2, Outcome.CONFIRMED), [Episode(number=1, began="x")], {})
    await cases.settle(settling(2, Outcome.REOPENED), [Episode(number=1, began="x")], {})
    latest = await cases.last_settlement("c")
    assert latest
    assert (latest.revision, latest.outcome) == (2, "reopened")


async def test_settling_does_not_write_over_evidence_with_its_body(cases: Cases) -> None:
    """What the handler wrote stays; what nobody wrote yet is added."""
    whole = RecordEvidence(case_id="c", id="e", kind="note", body={"value": 1}, at=NOW)
    await cases.inbox.record(whole)
    taken = {"e": Taken(kind="note", digest=digest_of({"value": 1})), "f": Taken(kind="note", digest="d")}
    await cases.settle(settling(1, Outcome.CONFIRMED), [], taken)
    assert {e.id: e.body for e in await cases.inbox.of_case("c")} == {"e": {"value": 1}, "f": {"digest": "d"}}


async def test_times_come_back_in_utc(cases: Cases) -> None:
    """SQLite keeps no zone; the store does."""
    there = NOW.astimezone(timezone(timedelta(hours=9)))
    await cases.register(Case(id="c", agent="a", domain="retail"), "digest", there)
    row = await cases.find("c")
    assert row
    assert (row.opened_at, row.opened_at.tzinfo) == (NOW, UTC)


@pytest.mark.parametrize("body", [None, "text", 3, ["a"], {"é": "ü", "n": None}])
async def test_any_json_is_kept_as_it_came(cases: Cases, body: Any) -> None:
    """A refused message may be anything."""
    await cases.inbox.record(
        RecordEvidence(case_id="c", id="e", kind="x", accepted=False, reasons=("why",), body=body, at=NOW)
    )
    (kept,) = await cases.inbox.of_case("c")
    assert (kept.body, kept.reasons, kept.accepted) == (body, ["why"], False)


async def test_of_two_traces_that_differ_one_is_kept_whole(cases: Cases) -> None:
    """Two reports of the same number at the same time: one is refused, however they interleave."""
    for round in range(20):
        both = [Step(number=1, kind=StepKind.REASON, name=name) for name in ("a", "b")]
        results = await asyncio.gather(*(cases.add_steps(f"c{round}", [s]) for s in both), return_exceptions=True)
        assert sum(isinstance(r, StepTaken) for r in results) == 1


async def test_an_error_of_the_database_tells_nothing_of_a_customer(cases: Cases) -> None:
    """What went wrong, without the values it went wrong with."""
    async with cases.database.engine.begin() as connection:
        await connection.exec_driver_sql("DROP TABLE evidence")
    with pytest.raises(Exception, match=r"no such table|does not exist") as error:
        await cases.inbox.record(
            RecordEvidence(case_id="c", id="e", kind="x", body={"mail": "ann@example.com"}, at=NOW)
        )
    assert "ann@example.com" not in str(error.value)
