"""What becomes of every kind of row, the person's own and those of others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest_asyncio
from sqlmodel import SQLModel, select

from aftercare.lifecycle.digest import digest_of
from aftercare.messages.case import Case
from aftercare.messages.erasure import ErasureReceipt, Traces
from aftercare.messages.evidence import Feedback
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.store.erasing import Erasing
from aftercare.store.history import history_of
from aftercare.store.reporting import Selection
from aftercare.store.tables import BookRow, DetectorRow, EvidenceRow, FeedbackRow, HistoryRow, OutboxRow

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ANN = "ann-4711"
NAME = "Ann Meyer"


@pytest_asyncio.fixture(loop_scope="session")
async def cases(store_url: str) -> AsyncIterator[Cases]:
    """A store with a case of hers and one of somebody else."""
    database = Database(store_url)
    await database.migrate()
    kept = Cases(database)
    for id, customer in (("hers", ANN), ("other", "bob-1")):
        await kept.register(Case(id=id, agent="a", domain="retail", customer=customer), "digest", NOW)
    yield kept
    await database.close()


async def erased(cases: Cases, *known: str) -> Traces:
    """The store's part of an erasure."""
    erasing = Erasing(cases.database)
    await erasing.mark(ANN, NOW)
    return await erasing.scrub(ANN, known, lambda t: ErasureReceipt(id="e", at=NOW, by="admin", traces=t))


async def got(cases: Cases, kind: type[SQLModel], *key: object) -> Any:
    """A row as it is now."""
    async with cases.database.session() as session:
        return await session.get(kind, key if len(key) > 1 else key[0])


def feedback(case_id: str, id: str, **other: Any) -> FeedbackRow:
    told: dict[str, Any] = {
        "agent": "a",
        "family": "explicit",
        "kind": "csat",
        "value": 4.0,
        "occurred_at": NOW,
        "received_at": NOW,
    }
    return FeedbackRow(case_id=case_id, id=id, **(told | other))


def message(case_id: str, standing: str, comment: str) -> EvidenceRow:
    body = {"id": standing, "kind": "csat", "comment": comment}
    return EvidenceRow(
        case_id=case_id,
        id=standing,
        kind="feedback",
        standing=standing,
        digest=digest_of(Feedback.model_validate(body)),
        reasons=[],
        body=body,
        at=NOW,
    )


async def test_an_imported_history_keeps_its_figures(cases: Cases) -> None:
    """Whose it was is gone, with what was said of it; what was measured and whether she came back is not."""
    told = {"recontacted": True, "note": NAME}
    await cases.database.write(
        HistoryRow(source="old", id="t-1", customer=ANN, opened_at=NOW, resolved_at=NOW, csat=2.0, body=told),
        feedback("t-1", "f1", baseline=True, source="old", kind="thumbs", value=-1.0, payload={"said": NAME}),
    )
    before = await history_of(cases, "old", Selection())
    assert (await erased(cases)).rows == {"support_case": 1, "history": 1, "feedback": 1}
    assert await history_of(cases, "old", Selection()) == before
    row = await got(cases, HistoryRow, "old", "t-1")
    assert (row.customer, row.body) == (None, {"recontacted": True})


async def test_feedback_keeps_its_value(cases: Cases) -> None:
    """The number counts on; what was written beside it, and where it came from, does not."""
    await cases.database.write(feedback("hers", "f1", payload={"comment": NAME}, source=f"{ANN}@chat"))
    await erased(cases)
    row = await got(cases, FeedbackRow, "hers", "f1")
    assert (row.value, row.kind, row.payload, row.source) == (4.0, "csat", {}, "")


async def test_nothing_is_sent_to_her_any_more(cases: Cases) -> None:
    """What waited in the outbox is dropped, and what was sent says nothing of her."""
    for id, standing in (("s1", "waiting"), ("s2", "failed")):
        row = OutboxRow(case_id="hers", id=id, kind="survey", standing=standing, body={"to": NAME}, at=NOW, due_at=NOW)
        row.reason = f"no such mailbox: {NAME}"
        await cases.database.write(row)
    await erased(cases)
    rows = [await got(cases, OutboxRow, "hers", id) for id in ("s1", "s2")]
    assert [(r.standing, r.body, r.reason) for r in rows] == [("dropped", {}, ""), ("failed", {}, "")]


async def test_what_was_never_taken_in_goes(cases: Cases) -> None:
    """A refused message keeps a digest of itself in its id, and one that waits has nowhere to go."""
    await cases.database.write(*(message("hers", s, NAME) for s in ("waiting", "refused", "orphan", "delivered")))
    await erased(cases)
    (kept,) = await cases.inbox.of_case("hers")
    assert (kept.standing, kept.body, kept.digest) == ("delivered", {"erased": True}, "")


async def test_the_digest_of_what_others_said_does_not_tell_it(cases: Cases) -> None:
    """It is taken anew of what is left, but for a message on its way, by whose digest its case answers."""
    said = [message("other", standing, f"{NAME} is my neighbour") for standing in ("delivered", "waiting")]
    on_its_way = said[1].digest
    await cases.database.write(*said)
    traces = await erased(cases, NAME)
    assert (traces.mentions, traces.running) == ({"evidence": 2}, ("other",))
    delivered, waiting = [await got(cases, EvidenceRow, "other", s) for s in ("delivered", "waiting")]
    assert delivered.body["comment"] == waiting.body["comment"] == "[erased] is my neighbour"
    assert delivered.digest == digest_of(Feedback.model_validate(delivered.body))
    assert waiting.digest == on_its_way


async def test_what_aftercare_does_not_change_is_told(cases: Cases) -> None:
    """A key, a policy book, another customer's id: the receipt names the place, and never the value."""
    await cases.database.write(
        BookRow(digest="d", domain="retail", texts=f"as {NAME} wrote", stored_at=NOW),
        feedback("other", f"score-of-{ANN}"),
    )
    await cases.register(Case(id="same", agent="a", domain="retail", customer=NAME), "digest", NOW)
    told = (await erased(cases, NAME)).problems
    assert told == (
        "feedback.id, 1 rows: no personal data belongs there, and nothing was changed",
        "policy_book.texts, 1 rows: a policy book is yours to edit",
        "support_case.customer, 1 rows: a known value is the id of another customer: erase that one too, "
        "if it is the same person",
    )


async def test_a_name_without_a_latin_letter_is_found(cases: Cases) -> None:
    """JSON escapes every character of it, and there is nothing to look for it by: every row is looked through."""
    await cases.database.write(message("other", "delivered", "我是李明华。"), message("other", "refused", "李先生"))
    assert (await erased(cases, "李明华")).mentions == {"evidence": 1}
    assert (await got(cases, EvidenceRow, "other", "delivered")).body["comment"] == "我是[erased]。"


async def test_a_case_of_somebody_else_may_mention_her_everywhere(cases: Cases) -> None:
    """Her id as an argument, a key, a nested text: each is taken out, and her own customer's id is not theirs."""
    body = {"customer": "bob-1", "gift_for": ANN, "by": {ANN: {"note": f"for {ANN}!"}}}
    await cases.database.write(feedback("other", "f", payload=body))
    await erased(cases)
    left = {"customer": "bob-1", "gift_for": "[erased]", "by": {"[erased]": {"note": "for [erased]!"}}}
    assert (await got(cases, FeedbackRow, "other", "f")).payload == left


async def test_groups_that_bear_her_name_begin_anew(cases: Cases) -> None:
    """Without it they would be the same group twice; the others stay as they are."""
    whose: dict[str, Any] = {"agent": "a", "trigger": "override", "detector": "rate", "release": "", "state": {}}
    for group in (f"mail to {NAME}", f"mail to {NAME.lower()}", "refund"):
        await cases.database.write(DetectorRow(grouping=group, **whose))
    await erased(cases, NAME)
    async with cases.database.session() as session:
        assert [row.grouping for row in await session.exec(select(DetectorRow))] == ["refund"]
