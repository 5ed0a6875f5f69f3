"""The inbox holds a message once, and what the case makes of it stands, whoever is late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlmodel import select

from aftercare.lifecycle.intake import digest_in_inbox
from aftercare.messages.case import Case, Step, StepKind
from aftercare.messages.work import RecordEvidence, Standing
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.store.holding import _under
from aftercare.store.inbox import IdTaken, Inbox, message_row
from aftercare.store.steps import StepTaken
from aftercare.store.tables import EvidenceRow

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
CSAT: dict[str, Any] = {"id": "csat-1", "kind": "csat", "value": 4}
OTHER = CSAT | {"value": 1}


@pytest_asyncio.fixture(loop_scope="session")
async def inbox(store_url: str) -> AsyncIterator[Inbox]:
    database = Database(store_url)
    await database.migrate()
    yield Inbox(database)
    await database.close()


async def held(
    inbox: Inbox, body: dict[str, Any] = CSAT, case_id: str = "c", steps: tuple[Step, ...] = ()
) -> EvidenceRow:
    return await inbox.hold(
        message_row(case_id, body["id"], "feedback", body, digest_in_inbox("feedback", body), NOW), steps
    )


def made_of(body: dict[str, Any], id: str = "csat-1", **what: Any) -> RecordEvidence:
    return RecordEvidence(case_id="c", id=id, kind="feedback", body=body, at=NOW, **what)


async def standings(inbox: Inbox) -> dict[str, tuple[str, Any]]:
    return {row.id: (row.standing, row.body["value"]) for row in await inbox.of_case("c")}


async def test_a_message_is_held_once(inbox: Inbox) -> None:
    """However many doors commit it at once."""
    rows = await asyncio.gather(*(held(inbox) for _ in range(5)))
    assert {row.digest for row in rows} == {digest_in_inbox("feedback", CSAT)}
    assert await standings(inbox) == {"csat-1": (Standing.WAITING, 4)}


async def test_what_is_there_under_an_id_is_given_back(inbox: Inbox) -> None:
    """So that the door can tell the same message from another one; nothing is written over."""
    await held(inbox)
    there = await held(inbox, OTHER)
    assert there.body == CSAT
    assert await standings(inbox) == {"csat-1": (Standing.WAITING, 4)}


async def test_a_field_left_out_and_its_default_are_the_same_message(inbox: Inbox) -> None:
    """A client that fills in defaults does not send something else."""
    await held(inbox)
    assert (await held(inbox, CSAT | {"unit": ""})).digest == digest_in_inbox("feedback", CSAT | {"unit": ""})


async def test_steps_and_their_message_are_committed_together_or_not_at_all(inbox: Inbox) -> None:
    """A number in use lets nothing of the batch in, its message neither."""
    steps = tuple(Step(number=n, kind=StepKind.REASON, name="thought") for n in (1, 2))
    await held(inbox, steps=steps)
    with pytest.raises(StepTaken):
        await held(inbox, {**CSAT, "id": "other"}, steps=(Step(number=2, kind=StepKind.ACT),))
    assert list(await standings(inbox)) == ["csat-1"]


async def test_what_the_case_took_in_stays_delivered(inbox: Inbox) -> None:
    """A gateway that is late with its own note does not unsay it."""
    row = await held(inbox)
    await inbox.record(made_of(CSAT))
    await inbox.sent(row, NOW)
    await inbox.refused(row, "csat-1~refused~x", ["late"])
    assert (await standings(inbox))["csat-1"] == (Standing.DELIVERED, 4)


async def test_a_refusal_written_twice_never_removes_what_was_taken_in_since(inbox: Inbox) -> None:
    """The first try was refused, the same message was then taken in, and the worker that refused is replayed."""
    refused = made_of(CSAT, id="csat-1~refused~x", accepted=False, reasons=("too early",))
    await held(inbox)
    await inbox.record(refused)
    await held(inbox)
    await inbox.record(made_of(CSAT))
    await inbox.record(refused)
    assert await standings(inbox) == {
        "csat-1": (Standing.DELIVERED, 4),
        "csat-1~refused~x": (Standing.REFUSED, 4),
    }


async def test_what_the_case_took_in_takes_the_place_of_another_message_under_its_id(inbox: Inbox) -> None:
    """One came past the gateway while another waited: the case decides, and the other is then refused."""
    await held(inbox, OTHER)
    await inbox.record(made_of(CSAT))
    assert await standings(inbox) == {"csat-1": (Standing.DELIVERED, 4)}


async def test_an_orphan_waits_again_once_its_case_is_registered(inbox: Inbox) -> None:
    """It is among what the sweeper finds, and not before."""
    later = NOW + timedelta(hours=1)
    await held(inbox)
    await inbox.record(made_of(CSAT, accepted=False, orphan=True))
    assert await inbox.waiting(later, later) == []
    await Cases(inbox.database).register(Case(id="c", agent="a", domain="retail"), "digest", NOW)
    assert [row.id for row in await inbox.waiting(later, later)] == ["csat-1"]


async def test_an_orphan_is_not_made_of_what_was_taken_in(inbox: Inbox) -> None:
    """A run that ended without a case has no say over one that knew it."""
    await held(inbox)
    await inbox.record(made_of(CSAT))
    await inbox.record(made_of(CSAT, accepted=False, orphan=True))
    assert await standings(inbox) == {"csat-1": (Standing.DELIVERED, 4)}


async def test_what_was_sent_is_left_alone_for_a_while_and_then_sent_again(inbox: Inbox) -> None:
    """Temporal holds it; but a run that was terminated never answers."""
    row = await held(inbox)
    await inbox.sent(row, NOW)
    a_minute, an_hour = NOW + timedelta(minutes=1), NOW + timedelta(hours=1)
    assert await inbox.waiting(an_hour, NOW - timedelta(minutes=1)) == []
    assert [r.id for r in await inbox.waiting(an_hour, a_minute)] == ["csat-1"]


async def test_what_was_just_committed_is_left_to_its_door(inbox: Inbox) -> None:
    """The sweeper does not race whoever is about to deliver it."""
    await held(inbox)
    assert await inbox.waiting(NOW - timedelta(seconds=1), NOW) == []


async def test_an_orphan_is_moved_once_and_never_over_another(inbox: Inbox) -> None:
    """To the case it was meant for."""
    await held(inbox)
    await inbox.record(made_of(CSAT, accepted=False, orphan=True))
    await held(inbox, OTHER, case_id="taken")
    with pytest.raises(IdTaken):
        await inbox.attach("c", "csat-1", "taken")
    assert await inbox.attach("c", "csat-1", "meant")
    assert not await inbox.attach("c", "csat-1", "meant")
    assert [r.standing for r in await inbox.of_case("meant")] == [Standing.WAITING]


async def test_messages_that_come_together_are_each_told_what_lies_under_their_id(inbox: Inbox) -> None:
    """New ones, the same again, and other words under an id in use, in one transaction."""
    bodies = [CSAT, CSAT, OTHER, CSAT | {"id": "csat-2"}]
    rows = await asyncio.gather(*(held(inbox, body) for body in bodies))
    right = digest_in_inbox("feedback", CSAT)
    assert [row.digest == right for row in rows[:3]] == [True, True, True]
    assert [row.id for row in rows] == ["csat-1", "csat-1", "csat-1", "csat-2"]
    assert await standings(inbox) == {"csat-1": (Standing.WAITING, 4), "csat-2": (Standing.WAITING, 4)}


async def test_an_id_is_looked_up_by_its_index(tmp_path_factory: pytest.TempPathFactory) -> None:
    """However many messages there are: SQLite reads a whole table for some ways to ask."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('plan') / 'store.db'}")
    await database.migrate()
    asked = select(EvidenceRow.digest).where(_under([("a", "b"), ("c", "d")]))
    told = str(asked.compile(database.engine, compile_kwargs={"literal_binds": True}))
    async with database.engine.connect() as connection:
        plan = [str(row[-1]) for row in await connection.execute(text(f"EXPLAIN QUERY PLAN {told}"))]
    await database.close()
    assert not any(step.startswith("SCAN") for step in plan), plan


async def test_what_came_later_has_its_turn(inbox: Inbox) -> None:
    """A sweep may go on from where the last one ended: the oldest do not keep the others out."""
    for number in range(3):
        body = CSAT | {"id": f"csat-{number}"}
        at = NOW + timedelta(seconds=number)
        await inbox.hold(message_row("c", body["id"], "feedback", body, digest_in_inbox("feedback", body), at))
    later = NOW + timedelta(hours=1)
    assert [row.id for row in await inbox.waiting(later, later)] == ["csat-0", "csat-1", "csat-2"]
    assert [row.id for row in await inbox.waiting(later, later, NOW)] == ["csat-1", "csat-2"]
