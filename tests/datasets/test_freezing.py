"""Freezing what a firing claimed: once, with an account of every piece, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

import activities.datasets
from aftercare.learning.datasets.example import Example
from aftercare.messages.case import Escalation
from aftercare.messages.evidence import Reopen
from aftercare.messages.policy import FactCheck, Finding, Verdict, Verification, VerificationResult
from tests.datasets.shelf import CLAUSE, FIRING, NOW, Shelf, override, trace

FAILED = VerificationResult(
    status=Verification.FAILED,
    checked=2,
    differing=(FactCheck(system="shop", record="orders/#1", field="status", held=False, expected="a", found="b"),),
)
FOUND = Finding(rule="r", clause=CLAUSE, verdict=Verdict.VIOLATION, step=2, sentence="nobody had said yes")


def example(row: Any) -> Example:
    return Example.model_validate(row.body)


async def test_a_case_becomes_a_row(shelf: Shelf) -> None:
    """With all that is known of it, and where it is from."""
    await shelf.settled("c", trace("Cancel my order, please."), override(), checked=FAILED, findings=[FOUND])
    await shelf.claimed("c")
    frozen = await shelf.freeze()
    (row,) = await shelf.rows()
    told = example(row)
    assert (frozen.rows, frozen.accounts, frozen.digest) == (1, {"kept": 1}, (await shelf.frozen_row()).digest)
    assert (told.settled, told.outcome, told.intent, told.right) == (True, "overridden", "return", False)
    assert (told.opening, told.decision.reply, told.decision.confidence) == ("Cancel my order, please.", "Done.", 0.9)
    assert [(s.name, s.input) for s in told.steps][1] == ("cancel_order", {"order_id": "#1"})
    assert [(d.field, d.expected, d.found) for d in told.differing] == [("status", "a", "b")]
    assert [(f.clause, bool(f.says)) for f in told.flags] == [(CLAUSE, True)]
    assert [o.rationale for o in told.overrides] == [override().rationale]
    pieces = [{"id": "computed/override/1", "kind": "override", "at": NOW.isoformat()}]
    assert row.provenance["pieces"] == pieces
    assert (row.provenance["settlement"], row.provenance["release"]) == (1, "r1")
    assert row.provenance["book"] == (await shelf.books.pin("retail", NOW)).digest


async def test_several_pieces_of_a_case_share_a_row(shelf: Shelf) -> None:
    """And each is accounted for."""
    await shelf.settled("c", trace("Cancel my order, please."), escalated="too hard")
    await shelf.claimed("c", kind="override")
    await shelf.claimed("c", kind="escalation")
    frozen = await shelf.freeze()
    assert (frozen.rows, frozen.accounts) == (1, {"kept": 2})
    (row,) = await shelf.rows()
    assert "escalation" in [s.kind for s in example(row).feedback if s.claimed]
    assert [p["id"] for p in row.provenance["pieces"]] == ["computed/escalation/1", "computed/override/1"]


async def test_every_claimed_piece_is_accounted_for(shelf: Shelf) -> None:
    """Kept, a duplicate, without a trace, erased, or of a case that nobody knows."""
    await shelf.settled("a", trace("Cancel my order, please."))
    await shelf.settled("b", trace("Cancel my order, please."))
    await shelf.settled("c", ())
    await shelf.settled("d", trace("I am ann-1, cancel it."), customer="ann-1")
    await shelf.erase("ann-1")
    await shelf.claimed("a", "b", "c", "d", "e")
    frozen = await shelf.freeze()
    accounts = (await shelf.frozen_row()).accounts
    assert [(a["case"], a["became"], a.get("row")) for a in accounts] == [
        ("a", "kept", 1),
        ("b", "duplicate", 1),
        ("c", "without a trace", None),
        ("d", "erased", None),
        ("e", "unknown case", None),
    ]
    assert frozen.accounts == Counter(a["became"] for a in accounts)


async def test_the_same_firing_again_is_the_same_dataset(shelf: Shelf) -> None:
    """Whatever has been said about its cases since."""
    await shelf.settled("c", trace("Cancel my order, please."))
    await shelf.claimed("c")
    first, made_at = await shelf.freeze(), (await shelf.frozen_row()).made_at
    await shelf.settled("late", trace("And mine, please."))
    await shelf.claimed("late")
    assert await shelf.freeze() == first
    assert (await shelf.frozen_row()).made_at == made_at


async def test_the_same_cases_are_the_same_digest(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """In however many parts they are read."""
    for n in range(5):
        await shelf.settled(f"c{n}", trace(f"Cancel the order number {n}, please."))
    frozen = []
    for cycle, together in ((1, 20), (2, 2)):
        monkeypatch.setattr(activities.datasets, "CASES", together)
        await shelf.claimed(*(f"c{n}" for n in range(5)), firing=f"desk/row{cycle}/1")
        frozen.append(await shelf.freeze(f"desk/row{cycle}/1"))
    assert frozen[0].digest == frozen[1].digest
    assert frozen[0].sides == frozen[1].sides


async def test_two_attempts_at_once_freeze_one_dataset(shelf: Shelf) -> None:
    """An attempt that was given up may still run beside the next one."""
    for n in range(3):
        await shelf.settled(f"c{n}", trace(f"Cancel the order number {n}, please."))
    await shelf.claimed("c0", "c1", "c2")
    both = await asyncio.gather(shelf.freeze(), shelf.freeze(), return_exceptions=True)
    # Both may be overtaken time and again; then the server tries once more.
    assert all(not isinstance(one, BaseException) or isinstance(one, ApplicationError) for one in both)
    frozen = await shelf.freeze()
    assert (frozen.rows, frozen.accounts) == (3, {"kept": 3})
    assert len(await shelf.rows()) == 3
    assert await shelf.staged() == 0


async def test_a_crash_leaves_nothing_behind(shelf: Shelf) -> None:
    """What was staged goes with the next attempt."""
    for n in range(3):
        await shelf.settled(f"c{n}", trace(f"Cancel the order number {n}, please."))
    await shelf.claimed("c0", "c1", "c2")
    with pytest.raises(ZeroDivisionError):
        await shelf.breaking().freeze()
    assert await shelf.staged() == 3
    assert (await shelf.freeze()).rows == 3
    assert await shelf.staged() == 0


async def test_a_case_that_has_not_settled_is_frozen_as_it_stands(shelf: Shelf) -> None:
    """What the agent decided and what people said of it lies in the inbox; no outcome is invented."""
    await shelf.registered("c", *trace("Cancel my order, please."))
    said = (
        ("escalation", Escalation(id="e", reason="too hard", intent="cancel", confidence=0.3)),
        ("override", override("o")),
        ("reopen", Reopen(id="r", reason="It came back")),
    )
    for kind, message in said:
        await shelf.said("c", kind, message)
    await shelf.claimed("c")
    await shelf.freeze()
    (row,) = await shelf.rows()
    told = example(row)
    assert (told.settled, told.outcome, told.right, row.provenance["settlement"]) == (False, None, None, None)
    assert (told.decision.ended, told.decision.reason, told.intent) == ("escalated", "too hard", "return")
    assert [(o.reviewer, o.original.confidence if o.original else None) for o in told.overrides] == [("rev-1", 0.3)]
    assert [b.reason for b in told.came_back] == ["It came back"]


async def test_what_came_after_the_settlement_is_told_too(shelf: Shelf) -> None:
    """A correction that its case has not taken in yet: the row says that the case has not settled again."""
    await shelf.settled("c", trace("Cancel my order, please."))
    await shelf.said("c", "override", override("late"))
    await shelf.claimed("c")
    await shelf.freeze()
    (row,) = await shelf.rows()
    told = example(row)
    assert (told.settled, told.intent, row.provenance["settlement"]) == (False, "return", 1)
    assert [o.original.intent if o.original else None for o in told.overrides] == ["cancel"]


async def test_words_that_are_carried_cut_short_are_told_whole(shelf: Shelf) -> None:
    """What a case goes on from holds the beginning of a long reason; the inbox has all of it."""
    long = "It came back. " * 100
    state = await shelf.registered("c", *trace("Cancel my order, please."))
    state.begin_episode(NOW)
    state.end_episode()
    reopen = Reopen(id="r", reason=long)
    state.apply(reopen)
    await shelf.said("c", "reopen", reopen)
    await shelf.settle(state)
    await shelf.claimed("c")
    await shelf.freeze()
    (row,) = await shelf.rows()
    assert [b.reason for b in example(row).came_back] == [long]
    assert example(row).settled


async def test_the_audit_is_a_side_of_its_own(shelf: Shelf) -> None:
    """A drawn case and whatever has to do with it, even where the drawn one was not claimed."""
    for id, customer in (("a", "ann"), ("b", "ann"), ("c", "bob"), ("d", "cid")):
        await shelf.settled(id, trace(f"This is about order {id} of mine."), customer=customer)
    await shelf.audited("a", "c")
    await shelf.claimed("b", "c", "d")
    frozen = await shelf.freeze()
    sides = {row.case_id: row.side for row in await shelf.rows()}
    assert (sides["b"], sides["c"], sides["d"] == "audit") == ("audit", "audit", False)
    assert frozen.sides["audit"] == 2
    assert [row.case_id async for row in shelf.datasets.rows(frozen.dataset, "audit")] == ["b", "c"]


async def test_whoever_is_erased_meanwhile_is_not_brought_back(shelf: Shelf) -> None:
    """The attempt reads before the erasure and writes after it: it starts anew."""
    await shelf.settled("hers", trace("I am ann-1, cancel it."), customer="ann-1")
    await shelf.settled("his", trace("Cancel what ann-1 ordered."), customer="bob-1")
    await shelf.claimed("hers", "his")
    erasing = shelf.meanwhile(lambda: shelf.erase("ann-1"))
    frozen = await erasing.freeze()
    (row,) = await shelf.rows()
    assert frozen.accounts == {"erased": 1, "kept": 1}
    assert example(row).opening == "Cancel what [erased] ordered."
    assert "ann-1" not in str(row.body)


async def test_whoever_is_just_being_erased_is_not_taken_in(shelf: Shelf) -> None:
    """Marked, and not scrubbed yet: nothing more is taken in about her."""
    await shelf.settled("hers", trace("I am ann-1, cancel it."), customer="ann-1")
    await shelf.settled("his", trace("Cancel my order, please."), customer="bob-1")
    await shelf.claimed("hers", "his")
    frozen = await shelf.meanwhile(lambda: shelf.mark("ann-1")).freeze()
    assert frozen.accounts == {"erased": 1, "kept": 1}
    assert [row.case_id for row in await shelf.rows()] == ["his"]


async def test_an_erasure_waits_for_whoever_is_just_writing(shelf: Shelf) -> None:
    """And finds what was written: nobody slips in between its look and its end."""
    await shelf.settled("hers", trace("I am ann-1, cancel it."), customer="ann-1")
    staging = await shelf.datasets.begin(FIRING)
    async with shelf.datasets._beside_erasures(staging):
        erasing = asyncio.create_task(shelf.erase("ann-1"))
        _, waiting = await asyncio.wait({erasing}, timeout=0.3)
        assert waiting
    assert (await erasing).cases == 1


async def test_a_firing_that_failed_has_no_dataset(shelf: Shelf) -> None:
    """Its evidence is free for the next one: neither what was frozen nor what was staged stays, nor comes later."""
    await shelf.settled("c", trace("Cancel my order, please."))
    await shelf.claimed("c")
    await shelf.freeze()
    await shelf.datasets.begin(FIRING)
    await shelf.failed()
    assert (await shelf.datasets.find(FIRING), await shelf.rows()) == (None, [])
    with pytest.raises(ApplicationError, match="has given its evidence back") as told:
        await shelf.freeze()
    assert told.value.non_retryable


async def test_what_is_built_from_a_dataset_is_written_down_once(shelf: Shelf) -> None:
    """In the order in which it was built."""
    await shelf.freeze()
    for what in ("model-1", "article-2", "model-1"):
        await shelf.datasets.built(FIRING, what)
    assert (await shelf.frozen_row()).built == ["model-1", "article-2"]


async def test_a_firing_without_evidence_is_an_empty_dataset(shelf: Shelf) -> None:
    """It says so, and tells nothing."""
    frozen = await shelf.freeze()
    assert (frozen.rows, frozen.sides, frozen.accounts) == (0, {}, {})
    assert (await shelf.diagnosed()).headline == "No evidence is left to learn from."


async def test_the_diagnosis_is_kept_with_the_dataset(shelf: Shelf) -> None:
    """Told again it is the same."""
    await shelf.settled("c", trace("Cancel my order, please."), override())
    await shelf.claimed("c")
    await shelf.freeze()
    told = await shelf.diagnosed()
    kept = (await shelf.frozen_row()).diagnosis
    assert kept["headline"] == told.headline
    assert await shelf.diagnosed() == told
    assert (await shelf.frozen_row()).diagnosis == kept


async def test_what_is_not_frozen_cannot_be_diagnosed(shelf: Shelf) -> None:
    """And trying again will not help."""
    with pytest.raises(ApplicationError, match="no dataset") as told:
        await shelf.diagnosed()
    assert told.value.non_retryable


async def test_a_case_under_a_lost_book_is_a_row_all_the_same(shelf: Shelf) -> None:
    """Its clauses are named, and say nothing."""
    await shelf.settled("c", trace("Cancel my order, please."), findings=[FOUND])
    await shelf.lose_books()
    await shelf.claimed("c")
    await shelf.freeze()
    (row,) = await shelf.rows()
    assert [(f.clause, f.says) for f in example(row).flags] == [(CLAUSE, "")]


async def test_a_claim_of_many_cases_is_read_in_parts(shelf: Shelf) -> None:
    """Every case is a row, numbered in their order."""
    ids = [f"c{n:03}" for n in range(45)]
    for n, id in enumerate(ids):
        await shelf.settled(id, trace(f"Cancel the order number {n}, please."))
    await shelf.claimed(*ids)
    assert (await shelf.freeze()).rows == 45
    assert [(row.number, row.case_id) for row in await shelf.rows()] == list(enumerate(ids, 1))
