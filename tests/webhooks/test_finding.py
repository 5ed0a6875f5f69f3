"""The store finds a case by its id, its ticket and its customer, and none that was erased."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from aftercare.store.database import Database
from aftercare.store.finding import MOST, CaseBrief, Finder
from aftercare.store.tables import CaseRow, EpisodeRow
from tests.webhooks.sending import NOW

DAY = timedelta(hours=24)


@pytest_asyncio.fixture(loop_scope="session")
async def database(store_url: str) -> AsyncIterator[Database]:
    database = Database(store_url)
    await database.migrate()
    yield database
    await database.close()


def row(case_id: str, opened: timedelta = timedelta(hours=1), **particulars: Any) -> CaseRow:
    """A case that was opened so long ago."""
    told = {"ticket": "zendesk:1", "customer": "c01", "intent": "refund", "stage": "settled"}
    return CaseRow(
        case_id=case_id, agent="a", domain="retail", book="d", opened_at=NOW - opened, body={}, **(told | particulars)
    )


def episode(case_id: str, number: int, watched: datetime | None, ending: str = "resolved") -> EpisodeRow:
    body: dict[str, Any] = {"watch_until": watched.isoformat() if watched else None, "audit": {"findings": []}}
    return EpisodeRow(case_id=case_id, number=number, handled_by="agent", ending=ending, body=body)


def ids(found: list[CaseBrief]) -> list[str]:
    return [case.case_id for case in found]


async def test_a_case_is_found_by_each_of_its_names(database: Database) -> None:
    """And by no other's; the newest comes first."""
    other = row("other", ticket="zendesk:2", customer="c02")
    await database.write(row("old", timedelta(hours=3)), row("new"), other, row("none", ticket=None, customer=None))
    finder = Finder(database)
    assert ids(await finder.by_ticket("zendesk:1")) == ids(await finder.by_customer("c01", NOW)) == ["new", "old"]
    found = await finder.by_case("other")
    assert found == CaseBrief(
        "other", "zendesk:2", "refund", NOW - timedelta(hours=1), "settled", None, NOW - timedelta(hours=1) + DAY
    )
    assert await finder.by_case("zendesk:2") is None
    assert await finder.by_ticket("") == await finder.by_customer("None", NOW) == []


async def test_an_erased_case_is_not_found(database: Database) -> None:
    """By none of its names."""
    await database.write(row("gone", erased_at=NOW))
    finder = Finder(database)
    assert await finder.by_case("gone") is None
    assert await finder.by_ticket("zendesk:1") == await finder.by_customer("c01", NOW) == []


async def test_a_customer_may_come_back_until_the_watch_ends(database: Database) -> None:
    """By the latest episode; a day after the case was opened where none is stored; and while the watch is running."""
    long, hour = timedelta(days=9), timedelta(hours=1)
    await database.write(
        row("reopened", long),
        episode("reopened", 1, NOW - long),
        episode("reopened", 2, NOW + hour),
        row("over", long + hour),
        episode("over", 1, NOW - hour),
        row("untold", DAY - hour),
        row("long-untold", DAY + hour),
        row("watching", long + 2 * hour, stage="watching"),
        row("unwatched", long + 3 * hour),
        episode("unwatched", 1, None),
    )
    finder = Finder(database)
    assert ids(await finder.by_customer("c01", NOW)) == ["untold", "reopened", "watching"]
    assert ids(await finder.by_customer("c01", NOW - 2 * hour)) == [
        "untold",
        "long-untold",
        "reopened",
        "over",
        "watching",
    ]


@pytest.mark.parametrize(
    ("stage", "ending", "with_agent"),
    [
        ("resolving", "resolved", True),
        ("settled", "escalated", True),
        ("watching", "resolved", False),
        ("settled", "actions", False),
    ],
)
async def test_a_case_that_nobody_called_resolved_is_with_its_agent(
    database: Database, stage: str, ending: str, with_agent: bool
) -> None:
    """Before it says so, and where it handed over."""
    await database.write(row("c", stage=stage), episode("c", 1, NOW, "escalated"), episode("c", 2, NOW, ending))
    found = await Finder(database).by_case("c")
    assert found
    assert found.with_its_agent is with_agent


async def test_of_a_ticket_or_customer_with_very_many_cases_the_newest_are_found(database: Database) -> None:
    """A shared name must not bring the whole store along."""
    await database.write(*(row(f"c{n:03}", timedelta(minutes=n)) for n in range(MOST + 20)))
    finder = Finder(database)
    newest = [f"c{n:03}" for n in range(MOST)]
    assert ids(await finder.by_ticket("zendesk:1")) == ids(await finder.by_customer("c01", NOW)) == newest


async def test_every_question_has_its_index(tmp_path_factory: pytest.TempPathFactory) -> None:
    """SQLite tells how it would look."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('store') / 's.db'}")
    await database.migrate()
    for column in ("ticket", "customer", "case_id"):
        async with database.engine.connect() as connection:
            asked = f"EXPLAIN QUERY PLAN SELECT * FROM support_case WHERE {column} = 'x' AND erased_at IS NULL"  # noqa: S608
            plan = str((await connection.exec_driver_sql(asked)).all())
        assert f"({column}=?)" in plan
    await database.close()
