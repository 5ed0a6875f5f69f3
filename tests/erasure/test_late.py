"""Who comes late brings nothing back: messages, and what a worker was just writing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from activities.books import Books
from activities.cases import CaseActivities
from aftercare.erasure import Erasure
from aftercare.gateway import Gone
from aftercare.lifecycle.state import CaseState, Taken
from aftercare.messages.case import Case, Step, StepKind, Steps
from aftercare.messages.erasure import ErasureReceipt
from aftercare.messages.outcome import Episode, Outcome, Settlement
from aftercare.messages.policy import Finding, Verdict
from aftercare.messages.work import OpenCase, RecordEvidence, SettleCase, StoreSteps
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.store.erased import erased
from aftercare.store.erasing import Erasing, StoreBusy
from aftercare.store.inbox import message_row
from aftercare.store.tables import FeedbackRow
from tests.cases.desk import Desk
from tests.erasure.people import customer, rows

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ANN = Case(id="c", agent="a", domain="retail", customer="ann-4711", contact="mailto:ann@example.org", opened_at=NOW)
SAYS = {"id": "f", "kind": "csat", "value": 3, "comment": "ann-4711 again"}
SAID = RecordEvidence(case_id="c", id="f", kind="feedback", body=SAYS, at=NOW)
STEP = Step(number=9, kind=StepKind.REPLY, heard="I am ann-4711")
HELD = message_row("c", "f", "feedback", SAYS, "digest", NOW)
PIECE = FeedbackRow(
    case_id="c",
    id="f",
    agent="a",
    family="explicit",
    kind="csat",
    payload={"comment": "ann-4711"},
    occurred_at=NOW,
    received_at=NOW,
)
STATE = CaseState(case_id="c", case=ANN, episodes=[Episode(number=1, began="x", because="ann-4711")])
STATE.taken["f"] = Taken(kind="feedback", digest="d")
SETTLING = SettleCase(
    settlement=Settlement(case_id="c", outcome=Outcome.CONFIRMED), run_id="r", state=STATE.to_keep(), at=NOW
)

LATE: dict[str, Callable[[CaseActivities, Cases], Awaitable[object]]] = {
    "opening": lambda on, _: on.open_case(OpenCase(case_id="c", case=ANN)),
    "steps": lambda on, _: on.store_steps(StoreSteps(case_id="c", steps=(STEP,))),
    "evidence": lambda on, _: on.record_evidence(SAID),
    "refused": lambda on, _: on.record_evidence(SAID.model_copy(update={"id": "f~refused", "accepted": False})),
    "orphan": lambda on, _: on.record_evidence(SAID.model_copy(update={"orphan": True})),
    "held": lambda on, _: on.record_evidence(SAID.model_copy(update={"held": True})),
    "settlement": lambda on, _: on.settle_case(SETTLING),
    "findings": lambda _, cases: cases.keep_findings(
        "c", 1, [Finding(rule="r", clause="c.1", verdict=Verdict.COMPLIANT, sentence="ann-4711")]
    ),
    "feedback": lambda _, cases: cases.keep_feedback([PIECE]),
    "registration": lambda _, cases: cases.register(ANN, "digest", NOW),
    "refusal": lambda _, cases: cases.inbox.refused(HELD, "f~refused", ["no"]),
}


@pytest_asyncio.fixture(loop_scope="session")
async def cases(store_url: str) -> AsyncIterator[Cases]:
    """A store with one case of one customer."""
    database = Database(store_url)
    await database.migrate()
    kept = Cases(database)
    await kept.register(ANN, (await Books(kept).pin("retail", NOW)).digest, NOW)
    await kept.add_steps("c", [Step(number=1, kind=StepKind.REPLY, heard="ann-4711 here")])
    yield kept
    await database.close()


async def erase(cases: Cases) -> None:
    """The store's part of an erasure."""
    erasing = Erasing(cases.database)
    await erasing.mark("ann-4711", NOW)
    await erasing.scrub("ann-4711", (), lambda traces: ErasureReceipt(id="e", at=NOW, by="admin", traces=traces))


@pytest.mark.parametrize("what", list(LATE))
async def test_a_worker_that_writes_late_changes_nothing(cases: Cases, what: str) -> None:
    """A run that was being ended just then finishes what it was at, and the store stays as it is."""
    await erase(cases)
    before = await rows(cases.database)
    await LATE[what](CaseActivities(cases, Books(cases)), cases)
    assert await rows(cases.database) == before


@pytest.mark.parametrize("what", [what for what in LATE if what not in ("opening", "registration")])
async def test_before_an_erasure_the_same_is_written(cases: Cases, what: str) -> None:
    """So the test above can fail."""
    before = await rows(cases.database)
    await LATE[what](CaseActivities(cases, Books(cases)), cases)
    assert await rows(cases.database) != before


async def test_whoever_is_just_writing_is_waited_for(cases: Cases) -> None:
    """An erasure does not pass a writer that was told that the case is there: what it wrote is scrubbed too."""
    async with cases.database.session() as session:
        await cases.database.put(session, [HELD])
        assert not await erased(session, "c")
        erasing = asyncio.create_task(Erasing(cases.database).mark("ann-4711", NOW))
        _, waiting = await asyncio.wait({erasing}, timeout=0.3)
        assert waiting
    assert await erasing == ["c"]
    assert await cases.inbox.of_case("c") == []


async def test_nobody_is_waited_for_for_ever(cases: Cases) -> None:
    """A long look at the cases holds an erasure off; it says so, and nothing is marked."""
    if cases.database.engine.dialect.name != "postgresql":
        pytest.skip("who reads SQLite holds nobody off")
    async with cases.database.session() as session:
        assert not await erased(session, "c")
        with pytest.raises(StoreBusy, match="a long query reads the cases"):
            await Erasing(cases.database, timedelta(milliseconds=100)).mark("ann-4711", NOW)
    row = await cases.find("c")
    assert row
    assert row.erased_at is None


async def test_a_message_that_slipped_in_is_found_at_the_end(cases: Cases) -> None:
    """It was being held while the case was marked, and was committed after everything else had gone."""
    await erase(cases)
    await cases.database.write(HELD)
    await Erasing(cases.database).scrub_late(["c"])
    assert await cases.inbox.of_case("c") == []


async def test_what_is_sent_about_an_erased_case_is_turned_away(desk: Desk, erasure: Erasure) -> None:
    """Feedback, steps, a correction, the registration itself: every door says that it is gone."""
    who = customer()
    case = await who.case(desk, "gone").watched()
    await erasure.erase(who.request, "admin")
    before = await rows(desk.cases.database)
    late = (
        lambda: case.signalled("feedback", id="f9", kind="csat", value=1, comment=who.name),
        lambda: desk.gateway.record_steps(case.id, Steps(id="s9", steps=(STEP,))),
        lambda: case.overridden(),
        lambda: case.registered(),
        lambda: case.reported(),
    )
    for sending in late:
        with pytest.raises(Gone, match="was erased with its customer"):
            await sending()
    assert await rows(desk.cases.database) == before


async def test_a_registration_nobody_took_up_is_erased_too(desk: Desk, erasure: Erasure) -> None:
    """It lies in the inbox alone; its case is written down as erased, and names nobody."""
    who = customer()
    case = who.case(desk, "untaken")
    await desk.gateway.hold(case.id, "registration", case.about)
    assert (await erasure.erase(who.request, "admin")).traces.cases == 1
    row = await desk.cases.find(case.id)
    assert row
    assert (row.customer, row.erased_at is None, await desk.cases.inbox.of_case(case.id)) == (None, False, [])
    with pytest.raises(Gone):
        await case.registered()
