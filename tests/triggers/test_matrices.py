"""An edited book is taken up at the next look, a broken one is told and changes nothing, and all of them are kept."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError

from activities.matrices import Matrices
from activities.triggers import TriggerActivities
from aftercare.messages.improvement import CheckTrigger, EndFiring, FireTrigger, FiringStatus, GiveBack, Pausing
from aftercare.messages.triggers import Matrix
from aftercare.store.cases import Cases
from aftercare.store.datasets import Datasets
from policies.triggers import load_matrix
from tests.triggers.evidence import AGENT, NOW, Desk

BOOK = """
check: {every: PT5S, at_most: PT10S}
triggers:
  override:
    says: "People correct the agent."
    evidence:
      override: {at_least: 1}
    detectors:
      - {detector: volume, cases: 3}
    cooldown: PT0S
    starts: {workflow: retraining, kind: intent_classifier}
"""
EDITED = BOOK.replace("cases: 3", "cases: 2")
BROKEN = BOOK.replace("override: {at_least: 1}", "overide: {at_least: 1}")
CHECK = CheckTrigger(agent=AGENT, trigger="override", at=NOW)


class Book:
    """A book in a folder of its own, as a person edits it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.says(BOOK)

    def says(self, text: str) -> None:
        """What stands in it from now on."""
        (self.folder / "triggers.yaml").write_text(text)


@pytest.fixture
def book(tmp_path: Path) -> Book:
    """The deployment's own book."""
    return Book(tmp_path)


def _activities(desk: Desk, book: Book) -> TriggerActivities:
    return TriggerActivities(desk.triggers, Matrices(Cases(desk.database), book.folder), Datasets(desk.database))


async def test_the_book_in_force_is_kept_whole(desk: Desk, book: Book) -> None:
    """By the digest that the supervisor says it was checked by; also when another has taken its place."""
    matrices = Matrices(Cases(desk.database), book.folder)
    first = await matrices.now()
    book.says(EDITED)
    second = await matrices.now()
    assert first.digest != second.digest
    assert await matrices.kept(first.digest) == first.matrix
    assert await matrices.kept(second.digest) == second.matrix != first.matrix
    assert await matrices.kept("unknown") is None


async def test_a_folder_without_a_book_has_the_shipped_one(desk: Desk, tmp_path: Path) -> None:
    """And so has a deployment without a folder."""
    shipped = load_matrix()
    for folder in (tmp_path, None):
        found = await Matrices(Cases(desk.database), folder).now()
        assert (found.matrix, found.digest, found.problem) == (shipped.matrix, shipped.digest, "")


async def test_a_broken_book_leaves_the_last_valid_one_in_force(
    desk: Desk, book: Book, caplog: pytest.LogCaptureFixture
) -> None:
    """And says what is wrong with it, until it is mended; in the log once."""
    matrices = Matrices(Cases(desk.database), book.folder)
    valid = await matrices.now()
    book.says(BROKEN)
    broken = await matrices.now()
    assert (broken.matrix, broken.digest) == (valid.matrix, valid.digest)
    assert "overide" in broken.problem
    await matrices.now()
    assert [record.message for record in caplog.records].count("triggers_book_does_not_hold") == 1
    book.says(BOOK)
    assert await matrices.now() == valid


async def test_a_broken_book_does_so_across_a_restart(desk: Desk, book: Book) -> None:
    """The last valid one is that of the store: also one that had been in force before, and is again."""
    for text in (BOOK, EDITED, BOOK):
        book.says(text)
        valid = await Matrices(Cases(desk.database), book.folder).now()
    book.says("triggers: [")
    broken = await Matrices(Cases(desk.database), book.folder).now()
    assert (broken.matrix, broken.digest) == (valid.matrix, valid.digest)
    assert broken.problem


async def test_a_book_that_is_gone_stays_in_force(desk: Desk, book: Book) -> None:
    """An editor may remove it before writing it anew: the shipped one would make every detector begin from nothing."""
    matrices = Matrices(Cases(desk.database), book.folder)
    own = await matrices.now()
    (book.folder / "triggers.yaml").unlink()
    gone = await matrices.now()
    assert (gone.matrix, gone.digest) == (own.matrix, own.digest)
    assert "put it back" in gone.problem
    book.says(EDITED)
    assert (await matrices.now()).problem == ""


async def test_a_firing_that_the_store_does_not_know_gives_nothing_back(desk: Desk, book: Book) -> None:
    """The store was restored from before it: the supervisor goes on by what the store says."""
    await _activities(desk, book).give_back(GiveBack(firing=f"{AGENT}/override/7"))
    assert await desk.triggers.firings() == []


async def test_a_late_first_attempt_does_not_pause_again(desk: Desk, book: Book) -> None:
    """What was said last stands, whichever attempt at writing it down comes through last."""
    activities = _activities(desk, book)
    for minutes, paused in ((0, True), (2, False), (1, True)):
        at = NOW + timedelta(minutes=minutes)
        await activities.pause_trigger(Pausing(agent=AGENT, trigger="override", paused=paused, by="mia", at=at))
    assert (await activities.check_trigger(CHECK)).paused_by == ""


async def test_without_any_valid_book_nothing_is_watched(desk: Desk, book: Book) -> None:
    """It is told, and is no error: the book will be mended."""
    book.says(BROKEN)
    found = await Matrices(Cases(desk.database), book.folder).now()
    assert (found.matrix, found.digest) == (Matrix(triggers={}), "")
    standing = await _activities(desk, book).check_trigger(CHECK)
    assert "overide" in standing.problem
    assert "the book has no row 'override'" in standing.problem


async def test_a_supervisor_takes_an_edited_book_at_its_next_check(desk: Desk, book: Book) -> None:
    """The standing says by which one it was checked, and how often to look."""
    activities = _activities(desk, book)
    await desk.storm(2)
    first = await activities.check_trigger(CHECK)
    book.says(EDITED)
    second = await activities.check_trigger(CHECK)
    assert (first.volume, first.due, second.volume) == (3, "", 2)
    assert second.due
    assert (first.book == second.book, second.problem) == (False, "")
    assert (first.check_every.total_seconds(), first.check_at_most.total_seconds()) == (5, 10)


async def test_a_row_that_the_book_lost_stands_still(desk: Desk, book: Book) -> None:
    """Nothing is counted, what had fired can still end, and nothing fires."""
    activities = _activities(desk, book)
    await desk.storm(3)
    await activities.check_trigger(CHECK)
    asked = FireTrigger(agent=AGENT, trigger="override", cycle=1, at=NOW)
    firing = (await activities.fire_trigger(asked)).firing
    assert firing
    book.says(BOOK.replace("  override:\n    says", "  other:\n    says"))
    await desk.storm(2)
    standing = await activities.check_trigger(CHECK)
    assert (standing.counted, standing.open, standing.next_cycle) == (0, firing, 2)
    assert standing.problem == "the book has no row 'override': its evidence is not counted"
    assert (await activities.fire_trigger(asked.model_copy(update={"cycle": 2}))).firing is None
    await activities.give_back(GiveBack(firing=firing.id, note="lost"))
    assert (await activities.check_trigger(CHECK)).open is None


async def test_a_supervisor_pauses_fires_and_ends(desk: Desk, book: Book) -> None:
    """What its activities are asked is what the store then says, at the supervisor's own time."""
    activities = _activities(desk, book)
    await desk.storm(3)
    await activities.pause_trigger(Pausing(agent=AGENT, trigger="override", paused=True, by="ada"))
    assert (await activities.check_trigger(CHECK)).paused_by == "ada"
    await activities.pause_trigger(Pausing(agent=AGENT, trigger="override", paused=False, by="ada"))
    firing = (await activities.fire_trigger(FireTrigger(agent=AGENT, trigger="override", cycle=1, at=NOW))).firing
    assert firing
    assert (firing.at, firing.cases) == (NOW, 3)
    await activities.end_firing(EndFiring(firing=firing.id, status=FiringStatus.RELEASED, at=NOW))
    last = (await activities.check_trigger(CHECK)).last
    assert last
    assert last.status is FiringStatus.RELEASED


async def test_what_can_never_be_done_is_final(desk: Desk, book: Book) -> None:
    """It is not tried again: another end of what has ended, and the end of what nobody fired."""
    activities = _activities(desk, book)
    await desk.storm(3)
    await activities.check_trigger(CHECK)
    firing = (await activities.fire_trigger(FireTrigger(agent=AGENT, trigger="override", cycle=1))).firing
    assert firing
    await activities.end_firing(EndFiring(firing=firing.id, status=FiringStatus.PREPARED))
    for work in (
        activities.end_firing(EndFiring(firing=firing.id, status=FiringStatus.REFUSED)),
        activities.end_firing(EndFiring(firing="a/b/1", status=FiringStatus.PREPARED)),
    ):
        with pytest.raises(ApplicationError) as refused:
            await work
        assert refused.value.non_retryable
