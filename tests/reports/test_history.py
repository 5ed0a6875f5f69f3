"""An imported history: written once, compared by its source, and never in the way of what came in by itself."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

from aftercare.store.history import Written, history_of, keep_feedback, keep_history, sources
from aftercare.store.reporting import Selection, facts_of
from aftercare.store.tables import FeedbackRow, HistoryRow
from tests.reports.shelf import HOUR, NOW, Shelf


def piece(case_id: str, value: float = 1, **told: Any) -> FeedbackRow:
    """An imported piece of feedback."""
    row: dict[str, Any] = {"id": "i", "agent": "", "family": "explicit", "kind": "thumbs", "source": "before"}
    row |= {"payload": {}, "occurred_at": NOW, "received_at": NOW, "baseline": True}
    return FeedbackRow(case_id=case_id, value=value, **row | told)


def old(id: str, **told: Any) -> HistoryRow:
    """An imported case."""
    return HistoryRow(source="before", id=id, **{"opened_at": NOW, "body": {}, **told})


async def test_the_same_again_changes_nothing(shelf: Shelf) -> None:
    """And what says something else now is replaced, and counted so."""
    database = shelf.cases.database
    assert await keep_history(database, [old("1"), old("2")]) == Written(new=2)
    assert await keep_history(database, [old("1"), old("2", csat=4), old("3")]) == Written(new=1, changed=1, same=1)
    assert [facts.csat for facts in await history_of(shelf.cases, "before", Selection())] == [None, 4, None]


async def test_an_imported_piece_keeps_when_it_first_came(shelf: Shelf) -> None:
    """Importing it again does not make it new."""
    database = shelf.cases.database
    assert await keep_feedback(database, [piece("c")]) == Written(new=1)
    assert await keep_feedback(database, [piece("c", received_at=NOW + HOUR)]) == Written(same=1)
    assert await keep_feedback(database, [piece("c", -1, received_at=NOW + HOUR)]) == Written(changed=1)
    async with database.session() as session:
        row = await session.get(FeedbackRow, ("c", "i"))
    assert row
    assert (row.value, row.received_at) == (-1, NOW)


async def test_what_came_in_by_itself_is_never_written_over(shelf: Shelf) -> None:
    """The import says so instead."""
    await shelf.settled("c")
    await shelf.feedback("c", "csat", 2, id="answer")
    written = await keep_feedback(shelf.cases.database, [piece("c", 5, kind="csat", id="answer")])
    assert astuple(written) == (0, 0, 0, ["c answer"])
    assert [facts.csat for facts in await facts_of(shelf.cases, Selection())] == [2]


async def test_feedback_about_a_registered_case_counts_with_it(shelf: Shelf) -> None:
    """And takes over its agent, release and intent; in the history of its source it is not told again."""
    await shelf.settled("c", release="r7", intent="refund")
    await keep_feedback(shelf.cases.database, [piece("c"), piece("unheard-of", -1)])
    (facts,) = await facts_of(shelf.cases, Selection(release="r7"))
    assert (facts.thumbs_up, facts.thumbs_down) == (1, 0)
    (alone,) = await history_of(shelf.cases, "before", Selection())
    assert (alone.case_id, alone.thumbs_up, alone.thumbs_down) == ("unheard-of", 0, 1)
    async with shelf.cases.database.session() as session:
        row = await session.get(FeedbackRow, ("c", "i"))
    assert row
    assert (row.agent, row.release, row.intent) == ("bot", "r7", "refund")


async def test_feedback_of_a_source_belongs_to_its_cases(shelf: Shelf) -> None:
    """What the case itself tells stays, where feedback tells nothing about it."""
    await shelf.history("1", csat=3, handled_by="human", intent="refund")
    await shelf.history("1", "elsewhere")
    await keep_feedback(shelf.cases.database, [piece("1")])
    assert await sources(shelf.cases) == ["before", "elsewhere"]
    (facts,) = await history_of(shelf.cases, "before", Selection())
    assert (facts.csat, facts.thumbs_up, facts.intent, facts.handled_by) == (3, 1, "refund", "human")
    (other,) = await history_of(shelf.cases, "elsewhere", Selection())
    assert other.thumbs_up == 0


async def test_first_contact_is_known_only_where_both_ways_back_are(shelf: Shelf) -> None:
    """Otherwise only the cases that came back would be counted."""
    known = {"reopened_24h": False, "recontacted_24h": False}
    for id, body in (("both", known), ("one", {"reopened_24h": True}), ("came", known | {"recontacted_24h": True})):
        await shelf.history(id, body=body)
    told = {facts.case_id: facts.first_contact for facts in await history_of(shelf.cases, "before", Selection())}
    assert told == {"both": True, "one": None, "came": False}


async def test_a_history_is_selected_like_cases(shelf: Shelf) -> None:
    """By intent, handler and time; it has no releases."""
    await shelf.history("1", intent="refund", resolved_at=NOW)
    await shelf.history("2", intent="cancel", handled_by="agent", opened_at=NOW + HOUR)
    chosen = {
        Selection(intent="refund"): ["1"],
        Selection(handled_by="agent"): ["2"],
        Selection(since=NOW + HOUR): ["2"],
        Selection(until=NOW + HOUR): ["1"],
        Selection(release="r1"): [],
    }
    for which, ids in chosen.items():
        assert [facts.case_id for facts in await history_of(shelf.cases, "before", which)] == ids
    (first,) = await history_of(shelf.cases, "before", Selection(intent="refund"))
    assert first.resolution_time == 0
