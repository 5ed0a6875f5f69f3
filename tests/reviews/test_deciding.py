"""Deciding: once, by one person, with the label in the same moment."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from aftercare.lifecycle.state import Refused
from aftercare.messages.reviews import Decision
from aftercare.store.cases import Cases
from aftercare.store.reviews import Reviews
from tests.reviews.conftest import NOW, ended, label, opened

LATER = NOW + timedelta(hours=1)


def says(by: str = "r.meyer", right: bool | None = True, **other: Any) -> Decision:
    return Decision(by=by, right=right, **other)


async def test_a_case_is_not_judged_before_the_agent_ended_it(cases: Cases, reviews: Reviews) -> None:
    """That is said, and nothing is written."""
    item = await opened(cases, "c")
    with pytest.raises(Refused, match="has not ended this case"):
        await reviews.decide(item, says(), NOW)
    assert (await reviews.find(item)).row.standing == "open"
    assert await label(cases, "c") is None
    await cases.keep_findings("c", 1, [], "compliant")
    assert (await reviews.decide(item, says(), NOW)).standing == "decided"


@pytest.mark.parametrize(
    ("decision", "value", "intent"),
    [
        (says(right=True), 1, "unchanged"),
        (says(right=False, intent="refund"), 0, "refund"),
        (says(right=False, intent="unchanged"), 0, "unchanged"),
        (says(right=False), 0, None),
        (says(right=None), None, None),
    ],
    ids=["right", "another intent", "another deed", "wrong somehow", "unknown"],
)
async def test_a_decision_is_a_label(
    cases: Cases, reviews: Reviews, decision: Decision, value: float | None, intent: str | None
) -> None:
    """Evidence of its own kind, with the right intent; unknown is null, and was decided all the same."""
    item = await ended(cases, "c")
    row = await reviews.decide(item, decision.model_copy(update={"note": "looked twice"}), LATER)
    assert (row.standing, row.decided_by, row.decided_at) == ("decided", "r.meyer", LATER)
    said = await label(cases, "c")
    assert said
    assert (said.kind, said.family, said.source, said.value) == ("audit_label", "explicit", "review", value)
    assert said.payload == {"intent": intent, "by": "r.meyer", "note": "looked twice"}
    assert (said.agent, said.release, said.handled_by, said.occurred_at) == ("shop", "r1", "agent", LATER)


def test_an_agent_that_was_right_had_the_right_intent() -> None:
    """Who names another intent says that it was wrong."""
    with pytest.raises(ValidationError, match="with another one it was wrong"):
        says(right=True, intent="refund")


async def test_the_second_is_told_what_the_first_decided(cases: Cases, reviews: Reviews) -> None:
    """Who, when, what; nothing is written over."""
    item = await ended(cases, "c")
    await reviews.decide(item, says("anna", False, intent="refund"), NOW)
    with pytest.raises(Refused, match="decided by anna at 2026-11-23 12:00:00 UTC: wrong, right intent refund"):
        await reviews.decide(item, says("bert"), LATER)
    said = await label(cases, "c")
    assert said
    assert (said.value, said.payload["by"], said.received_at) == (0, "anna", NOW)


async def test_the_same_again_is_done_already(cases: Cases, reviews: Reviews) -> None:
    """Whoever got no answer asks once more, and the first time stands."""
    item = await ended(cases, "c")
    for at in (NOW, LATER):
        assert (await reviews.decide(item, says(), at)).decided_at == NOW
    with pytest.raises(Refused, match=r"decided by r\.meyer at"):
        await reviews.decide(item, says(right=None), LATER)


async def test_of_many_at_once_one_decides(cases: Cases, reviews: Reviews) -> None:
    """The others are told who it was, and the label is that one's."""
    item = await ended(cases, "c")
    people = [f"p{n}" for n in range(8)]
    decided = (reviews.decide(item, says(who, right=n % 2 == 0), NOW) for n, who in enumerate(people))
    results = await asyncio.gather(*decided, return_exceptions=True)
    (won,) = [r for r in results if not isinstance(r, BaseException)]
    refused = [str(r) for r in results if isinstance(r, Refused)]
    assert len(refused) == len(people) - 1
    assert all(f"was decided by {won.decided_by} at" in told for told in refused)
    said = await label(cases, "c")
    assert said
    assert said.payload["by"] == won.decided_by
    assert said.value == won.decision["right"] == (people.index(str(won.decided_by)) % 2 == 0)


async def test_no_decision_without_its_label(cases: Cases, reviews: Reviews) -> None:
    """Where the label cannot be kept the item stays open."""
    item = await ended(cases, "c")
    async with cases.database.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE feedback RENAME TO away"))
    with pytest.raises(SQLAlchemyError):
        await reviews.decide(item, says(), NOW)
    assert (await reviews.find(item)).row.standing == "open"


async def test_a_decision_is_taken_back(cases: Cases, reviews: Reviews) -> None:
    """The label goes, what was decided is kept, and somebody else may decide."""
    item = await ended(cases, "c")
    await reviews.decide(item, says("anna", note="first"), NOW)
    row = await reviews.reopen(item, "chief", LATER)
    assert (row.standing, row.decided_by, row.decided_at) == ("open", None, None)
    assert await label(cases, "c") is None
    await reviews.decide(item, says("bert", False), LATER)
    said, again = await label(cases, "c"), (await reviews.find(item)).row
    assert said
    assert (said.value, again.decided_by, again.decision["right"]) == (0, "bert", False)
    (earlier,) = again.decision["earlier"]
    assert (earlier["by"], earlier["right"], earlier["note"], earlier["reopened_by"]) == (
        "anna",
        True,
        "first",
        "chief",
    )


async def test_of_many_who_take_it_back_one_does(cases: Cases, reviews: Reviews) -> None:
    """What is open already cannot be opened."""
    item = await ended(cases, "c")
    await reviews.decide(item, says(), NOW)
    results = await asyncio.gather(*(reviews.reopen(item, f"p{n}", NOW) for n in range(4)), return_exceptions=True)
    assert sum(isinstance(r, Refused) for r in results) == 3
    assert len((await reviews.find(item)).row.decision["earlier"]) == 1
    with pytest.raises(Refused, match="only what was decided"):
        await reviews.reopen(item, "p", NOW)


async def test_nobody_decides_what_is_not_there(reviews: Reviews) -> None:
    """Asked about an item that nobody drew, every verb says so."""
    for asked in (reviews.find("audit/x"), reviews.decide("audit/x", says(), NOW), reviews.reopen("audit/x", "p", NOW)):
        with pytest.raises(Refused, match="no review item 'audit/x'"):
            await asked


async def test_items_are_found(cases: Cases, reviews: Reviews) -> None:
    """By agent and standing; first those that can be judged."""
    await opened(cases, "a")
    for id, agent in (("b", "shop"), ("c", "desk"), ("d", "shop")):
        await ended(cases, id, agent=agent)
    await reviews.decide("audit/d", says(), NOW)
    assert [i.row.case_id for i in await reviews.items()] == ["b", "c", "d", "a"]
    assert [i.row.case_id for i in await reviews.items(agent="shop", standing="open")] == ["b", "a"]
    assert [i.row.case_id for i in await reviews.items(standing="decided")] == ["d"]
    assert await reviews.items(kind="draft") == []
    assert len(await reviews.items(limit=2)) == 2
