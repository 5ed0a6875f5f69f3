"""The past that triggers are rehearsed with: read in its order, from what happened here or from what was imported."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from aftercare.store.cases import Cases
from aftercare.store.rehearsing import Past, evidence, how_many
from aftercare.store.supervised import book_taken_last, last_checks
from aftercare.store.tables import BookRow, FeedbackRow, HistoryRow, SupervisorRow
from tests.triggers.evidence import AGENT, NOW, Desk

AN_HOUR = timedelta(hours=1)
ALL = ("override", "csat", "handling_time", "reopen", "recontact", "first_contact_resolution", "policy_audit")


async def past(desk: Desk, kinds: Collection[str] = ALL, **which: Any) -> list[tuple[str, str, str, float | None]]:
    """What is read: agent, case, kind, value; as many pieces as were announced, or fewer."""
    asked = Past(kinds, **which)
    found = [told async for told in evidence(Cases(desk.database), asked)]
    if not which.get("imported"):
        assert await how_many(Cases(desk.database), asked) == len(found)
    return [(agent, piece.case_id, piece.kind, piece.value) for agent, piece in found]


def imported(id: str, hours: float, **told: Any) -> HistoryRow:
    """A case of the time before."""
    return HistoryRow(source="helpdesk", id=id, agent="kim", opened_at=NOW + hours * AN_HOUR, **told)


async def test_it_is_read_in_the_order_in_which_it_came(desk: Desk) -> None:
    """Counted or not, and also what nobody knows the value of."""
    late, early = desk.piece(1, case="b", received_at=NOW + AN_HOUR), desk.piece(None, case="a", received_at=NOW)
    await desk.put(late, early, desk.piece(0, case="c", received_at=NOW, counted_at=NOW))
    assert [case for _, case, _, _ in await past(desk)] == ["a", "c", "b"]


async def test_what_people_did_and_what_was_imported_is_not_what_happened_here(desk: Desk) -> None:
    """Nor are kinds that no row counts, or what another agent did where one is asked for."""
    await desk.put(desk.piece(handled_by="human"), desk.piece(baseline=True), desk.piece(kind="tokens"))
    await desk.put(desk.piece(case="mine"), desk.piece(case="theirs", agent="another"))
    assert {case for _, case, _, _ in await past(desk)} == {"mine", "theirs"}
    assert [told[:2] for told in await past(desk, agent=AGENT)] == [(AGENT, "mine")]


async def test_a_time_is_asked_for(desk: Desk) -> None:
    """From the one until before the other."""
    await desk.put(*(desk.piece(case=f"c{n}", received_at=NOW + n * AN_HOUR) for n in range(4)))
    chosen = await past(desk, since=NOW + AN_HOUR, until=NOW + 3 * AN_HOUR)
    assert [case for _, case, _, _ in chosen] == ["c1", "c2"]


async def test_a_flag_names_its_clauses(desk: Desk) -> None:
    """And of no other kind is the payload read."""
    broken: dict[str, Any] = {"payload": {"clauses": ["general.4"]}}
    await desk.put(desk.piece(0, kind="policy_audit", **broken), desk.piece(1, **broken))
    pieces = [piece async for _, piece in evidence(Cases(desk.database), Past(ALL))]
    assert {piece.kind: piece.clauses for piece in pieces} == {"policy_audit": ("general.4",), "override": ()}


async def test_an_imported_history_tells_what_it_knows(desk: Desk) -> None:
    """Each case when all of it was known; of what is unknown there is nothing. One agent is thought to have done it."""
    came_back = {"reopened": True, "reopened_24h": False, "recontacted_24h": False}
    reopened = imported("x", 0, resolved_at=NOW + AN_HOUR, reopened_at=NOW + 9 * AN_HOUR, csat=2, body=came_back)
    await desk.database.write(reopened, imported("y", 2, handling_time=60.0))
    assert await past(desk, imported="helpdesk") == [
        ("helpdesk", "y", "handling_time", 60.0),
        ("helpdesk", "x", "csat", 2.0),
        ("helpdesk", "x", "reopen", 1.0),
        ("helpdesk", "x", "first_contact_resolution", 1.0),
    ]
    assert {agent for agent, *_ in await past(desk, imported="helpdesk", agent="kim")} == {"kim"}
    assert await past(desk, imported="helpdesk", agent="lee") == []


async def test_imported_feedback_stands_where_it_happened(desk: Desk) -> None:
    """Between the cases of the same source: not at the moment of the import."""
    of_import: dict[str, Any] = {
        "baseline": True,
        "source": "helpdesk",
        "kind": "csat",
        "received_at": NOW + 99 * AN_HOUR,
    }
    told: list[FeedbackRow] = []
    for n in (1, 3):
        row = desk.piece(4, case=f"f{n}", **of_import)
        row.occurred_at = NOW + n * AN_HOUR
        told.append(row)
    await desk.database.write(*told, *(imported(f"h{n}", n, csat=5) for n in (0, 2, 4)))
    assert [case for _, case, _, _ in await past(desk, imported="helpdesk")] == ["h0", "f1", "h2", "f3", "h4"]


async def test_the_book_taken_last_is_the_one_checked_by_last(desk: Desk) -> None:
    """Also where it is an older one that came back; of one agent, the one that agent was checked by."""
    assert await book_taken_last(desk.database) is None
    for digest, hours in (("old", 0), ("new", 1)):
        await desk.database.write(
            BookRow(digest=digest, domain="triggers", texts="{}", stored_at=NOW + hours * AN_HOUR)
        )
    for agent, digest, hours in (("a", "new", 2), ("b", "old", 3)):
        checked: dict[str, Any] = {"book": digest, "checked_at": NOW + hours * AN_HOUR}
        await desk.database.write(SupervisorRow(agent=agent, trigger="csat", **checked))
    found = [await book_taken_last(desk.database, agent) for agent in (None, "a", "b", "c")]
    assert [book.digest if book else None for book in found] == ["old", "new", "old", None]
    assert (await last_checks(desk.database))["a", "csat"] == NOW + 2 * AN_HOUR
