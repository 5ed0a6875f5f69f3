"""An erased customer's items: nobody is asked to judge them, and nothing is left in them of anybody."""

from __future__ import annotations

import json

import pytest

from aftercare.lifecycle.state import Refused
from aftercare.messages.erasure import ErasureReceipt, Traces
from aftercare.messages.reviews import Decision
from aftercare.store.cases import Cases
from aftercare.store.erasing import Erasing
from aftercare.store.reviews import Reviews
from tests.reviews.conftest import NOW, ended, label, opened

ANN, NAME = "ann-4711", "Ann Meyer"
SAYS = Decision(by="r.meyer", right=False, intent="refund", note=f"{NAME} wanted her money")


async def erased(cases: Cases) -> Traces:
    """The store's part of an erasure."""
    erasing = Erasing(cases.database)
    await erasing.mark(ANN, NOW)
    return await erasing.scrub(ANN, [NAME], lambda t: ErasureReceipt(id="e", at=NOW, by="admin", traces=t))


async def test_an_open_item_is_closed(cases: Cases, reviews: Reviews) -> None:
    """It is in no list of what is to be judged, and cannot be decided any more."""
    for id in (await ended(cases, "c", ANN), await opened(cases, "d", ANN)):
        assert (await reviews.find(id)).row.standing == "open"
    assert (await erased(cases)).rows["review"] == 2
    assert await reviews.items(standing="open") == []
    assert {i.row.standing for i in await reviews.items()} == {"erased"}
    with pytest.raises(Refused, match="was erased"):
        await reviews.decide("audit/c", SAYS, NOW)


async def test_what_was_decided_is_blanked(cases: Cases, reviews: Reviews) -> None:
    """The label counts on, without a word of who said what."""
    await reviews.decide(await ended(cases, "c", ANN), SAYS, NOW)
    await erased(cases)
    row, said = (await reviews.find("audit/c")).row, await label(cases, "c")
    assert (row.standing, row.decision) == ("decided", {})
    assert said
    assert (said.value, said.payload) == (0, {})
    assert [(a.drawn, a.wrong) for a in await reviews.audited()] == [(1, 1)]
    for again in (reviews.decide("audit/c", SAYS, NOW), reviews.reopen("audit/c", "chief", NOW)):
        with pytest.raises(Refused, match="was erased"):
            await again


async def test_between_marking_and_scrubbing_nobody_decides(cases: Cases, reviews: Reviews) -> None:
    """What is being erased is not written about, and the item can be judged no more."""
    item = await ended(cases, "c", ANN)
    await Erasing(cases.database).mark(ANN, NOW)
    with pytest.raises(Refused, match="was erased"):
        await reviews.decide(item, SAYS, NOW)
    assert not (await reviews.find(item)).ready
    assert await label(cases, "c") is None


async def test_a_reviewers_note_on_anothers_case_forgets_her(cases: Cases, reviews: Reviews) -> None:
    """In what stands, in what was taken back, and in the label."""
    item = await ended(cases, "other", "bob-1")
    await opened(cases, "hers", ANN)
    for taken_back in (True, False):
        await reviews.decide(item, SAYS, NOW)
        if taken_back:
            await reviews.reopen(item, "chief", NOW)
    mentions = (await erased(cases)).mentions
    row, said = (await reviews.find(item)).row, await label(cases, "other")
    assert said
    assert mentions == {"review": 1, "feedback": 1}
    assert row.decision["note"] == said.payload["note"] == "[erased] wanted her money"
    assert NAME not in json.dumps(row.decision)
    assert row.decision["earlier"][0]["note"] == "[erased] wanted her money"


async def test_a_case_erased_before_it_was_opened_is_not_drawn(cases: Cases, reviews: Reviews) -> None:
    """Whoever opens it late draws nothing."""
    await opened(cases, "c", ANN)
    await erased(cases)
    before = await reviews.items()
    await opened(cases, "c", ANN)
    assert await reviews.items() == before
