"""Each row of the shipped matrix fires on a shift of what it watches, and on nothing else; and its work is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from aftercare.demo.evidence import ONE, SHIFTS, USUAL, Agent
from aftercare.learning.datasets.diagnosis import Diagnosis
from aftercare.messages.improvement import Firing, FiringStatus, TriggerStanding
from aftercare.store.tables import DatasetRow, ExampleRow
from policies.triggers import load_matrix
from tests.matrix.supervised import SHIPPED, Supervised, pieces_of, seldom, supervised

HISTORY = 600  # half of them of the intent that shifts: what most rows learn from
LONGER = {"override": 850}  # learns longer
# Each until its shift is noticed at the size that its row declares: a rate of one and a half times the usual takes
# longest, as it would out there. Not for longer: once 150 corrections wait, the row of overrides fires by volume.
AFTERWARDS = {
    "csat": 150,
    "override": 420,
    "first_contact_resolution": 700,
    "ces": 150,
    "sentiment": 100,
    "policy_flag": 350,
    "handling_time": 350,
    "post_resolution_contact": 100,
}
each_row = pytest.mark.parametrize("row", list(SHIFTS))


@dataclass(frozen=True)
class Seen:
    """What became of an agent whose evidence shifted in one row."""

    before: dict[str, TriggerStanding]
    after: dict[str, TriggerStanding]
    firings: list[Firing]
    dataset: DatasetRow
    examples: list[ExampleRow]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Seen]:
    """An agent for each row: its cases in their usual ways, a check of all rows, a shift, and a check again."""
    book = seldom((SHIPPED / "triggers.yaml").read_text("utf-8"))
    async with supervised(tmp_path_factory.mktemp("rows") / "place", book) as place:
        await place.watch(*(_agent(row) for row in SHIFTS))
        return {row: await _shifted(place, row) for row in SHIFTS}


async def _shifted(place: Supervised, row: str) -> Seen:
    name, shift = _agent(row), SHIFTS[row]
    agent = Agent(place.place.cases.database, name)
    await agent.works(LONGER.get(row, HISTORY))
    before = await place.check_all(name)
    await agent.works(AFTERWARDS[row], {ONE: shift.ways})
    after = await place.check_all(name)
    assert after[row].last, f"{row} did not fire: {after[row].groups}"
    await place.ended(name, row)
    firings = await place.firings(name)
    dataset, examples = await place.dataset(next(firing for firing in firings if firing.trigger == row))
    return Seen(before, after, firings, dataset, examples)


def _agent(row: str) -> str:
    return f"agent-{row.replace('_', '-')}"


def test_every_shipped_row_has_a_shift() -> None:
    """No row of the matrix is left out here."""
    assert set(SHIFTS) == set(load_matrix().matrix.triggers)
    assert len(SHIFTS) == 8


@each_row
def test_nothing_fires_while_nothing_has_changed(seen: dict[str, Seen], row: str) -> None:
    """All eight rows have counted the history, and none found anything in it."""
    assert all(standing.counted for standing in seen[row].before.values())
    assert [standing for standing in seen[row].before.values() if standing.last or standing.due] == []


@each_row
def test_a_shift_fires_its_own_row_and_no_other(seen: dict[str, Seen], row: str) -> None:
    """One firing, with the reason in words; the seven other rows have nothing to fire for."""
    assert [(firing.trigger, firing.cycle) for firing in seen[row].firings] == [(row, 1)]
    assert seen[row].firings[0].because
    others = [standing for name, standing in seen[row].after.items() if name != row]
    assert [standing for standing in others if standing.due or standing.more] == []


@each_row
def test_the_firing_names_where_it_happened(seen: dict[str, Seen], row: str) -> None:
    """The intent or the clause that was shifted, where the row tells them apart."""
    where = SHIFTS[row].where
    assert seen[row].firings[0].groups == ((where,) if where else ())


@each_row
def test_its_improvement_prepared_a_dataset_and_claimed_no_more(seen: dict[str, Seen], row: str) -> None:
    """Of the kind of work that the row declares."""
    firing, starts = seen[row].firings[0], load_matrix().matrix.triggers[row].starts
    assert firing.status is FiringStatus.PREPARED
    assert (firing.work.workflow, firing.work.kind) == (starts.workflow, starts.kind)
    assert seen[row].dataset.id == firing.id


@each_row
def test_the_dataset_accounts_for_all_the_evidence_that_was_claimed(seen: dict[str, Seen], row: str) -> None:
    """Every claimed piece once; what was kept is in a row."""
    accounts = seen[row].dataset.accounts
    assert len(accounts) == seen[row].firings[0].pieces == len({(a["case"], a["piece"]) for a in accounts})
    kept = sorted((a["case"], a["piece"]) for a in accounts if a["became"] == "kept")
    assert kept == sorted(pieces_of(seen[row].examples))
    assert len(kept) == len(accounts)


@each_row
def test_the_diagnosis_names_what_was_shifted(seen: dict[str, Seen], row: str) -> None:
    """Foremost among the clauses or the intents."""
    diagnosis = Diagnosis.model_validate(seen[row].dataset.diagnosis)
    foremost = diagnosis.clauses[0].clause if row == "policy_flag" else diagnosis.intents[0].intent
    assert foremost == (SHIFTS[row].where or ONE)


@each_row
def test_no_customer_is_told_in_the_dataset(seen: dict[str, Seen], row: str) -> None:
    """What they wrote and were written is there; their e-mail addresses, telephones and names are not."""
    told = _words_of([example.body for example in seen[row].examples])
    assert "order" in told or "#W" in told
    assert [sign for sign in ("@example", "202-555", "Nora Quill", "Rafi Fenn") if sign in told] == []


def _words_of(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(map(_words_of, value.values()))
    return " ".join(map(_words_of, value)) if isinstance(value, list) else str(value)


def test_the_usual_ways_are_those_of_every_shift_but_for_one_thing() -> None:
    """A shift changes one measure: the others stay as they were."""
    for shift in SHIFTS.values():
        changed = [name for name, usual in vars(USUAL).items() if getattr(shift.ways, name) != usual]
        assert len(changed) == 1
