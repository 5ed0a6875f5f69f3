"""What the tests of asking share: a store with a case, a clock, links, and an invitation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from aftercare.asking.invitation import Invitation, invitation_of
from aftercare.asking.links import Links, SurveyRef
from aftercare.messages.case import Case
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.store.outbox import Outbox, survey_row
from aftercare.store.tables import EvidenceRow, OutboxRow

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECRET = "0123456789abcdef" * 2
OPEN_FOR = timedelta(days=14)
REF = SurveyRef("case-1", 1, NOW + OPEN_FOR)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, by: timedelta) -> None:
        self.now += by


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def links() -> Links:
    return Links([SECRET], "https://support.example.com")


@pytest.fixture
def invitation(links: Links) -> Invitation:
    return invitation_of(REF, links.link(REF), "ACME Support")


@pytest_asyncio.fixture(loop_scope="session")
async def cases(store_url: str) -> AsyncIterator[Cases]:
    """A store with a case whose customer may be asked by mail."""
    database = Database(store_url)
    await database.migrate()
    cases = Cases(database)
    await registered(cases, "case-1", "mailto:kim@example.com")
    yield cases
    await database.close()


@pytest.fixture
def outbox(cases: Cases) -> Outbox:
    return Outbox(cases.database)


async def registered(cases: Cases, case_id: str, contact: str | None) -> None:
    case = Case(id=case_id, agent="shop-assistant", domain="retail", customer="kim", contact=contact)
    await cases.register(case, "digest", NOW)


async def queued(outbox: Outbox, case_id: str = "case-1", episode: int = 1, at: datetime = NOW) -> OutboxRow:
    """A survey that is due."""
    row = survey_row(case_id, episode, at, OPEN_FOR)
    async with outbox.database.session() as session:
        await outbox.queue(session, [row])
    return row


async def row_of(outbox: Outbox, case_id: str = "case-1", id: str = "survey-1") -> OutboxRow:
    """A row as the store has it now."""
    async with outbox.database.session() as session:
        row = await session.get(OutboxRow, (case_id, id))
    assert row is not None
    return row


async def came(outbox: Outbox, kind: str, at: datetime, standing: str = "delivered") -> None:
    """A message about the case, in its inbox."""
    row = EvidenceRow(
        case_id="case-1", id=f"{kind}-1", kind=kind, standing=standing, digest="d", reasons=[], body={}, at=at
    )
    await outbox.database.write(row)
