"""The recorded cases that people corrected or agents handed over, as a dataset of each line of business."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from aftercare.demo.recorded.files import read
from aftercare.demo.recorded.format import Afterwards, RecordedCase
from aftercare.demo.shops import SYSTEMS
from aftercare.learning.datasets.example import Example
from aftercare.learning.datasets.problems import Problems, marks_of
from aftercare.messages.improvement import Frozen
from aftercare.messages.override import Override
from aftercare.redaction import redactor_of
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from tests.datasets.shelf import Shelf

DATA = Path(__file__).parents[3] / "shared" / "data"
CLAIMED = {"retail": (62, 16), "airline": (55, 23)}
PROBLEMS = {"retail": (24, 38), "airline": (21, 27)}  # and tasks
UNTOLD = {"retail": (27, 1), "airline": (26, 0)}  # problems where no customer is told, and tasks on two sides


@dataclass
class Played:
    """A dataset, and what only the recording tells of its cases: whose they are, and of which task."""

    domain: str
    frozen: Frozen
    rows: list[Any]
    accounts: list[dict[str, Any]]
    tasks: dict[str, int]
    customers: dict[str, str]
    cases: dict[str, RecordedCase]
    wanted: dict[str, Afterwards]


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=list(CLAIMED))
async def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Played]:
    """Every recorded case that was corrected or handed over, frozen as one firing claims them."""
    path = DATA / f"taubench_{request.param}_cases.jsonl.gz"
    if not path.exists():
        pytest.skip(f"the recorded cases are not here ({path.name})")
    database = Database(f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('store') / 'store.db'}")
    await database.migrate()
    shelf = Shelf(Cases(database), redactor_of(False))
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = {row["case_id"]: row for row in map(json.loads, lines)}
    cases = [case for case in read(path) if case.afterwards.final or case.agent.ending == "escalates"]
    customers = {case.agent.case.id: rows[case.agent.case.id]["customer"]["user_id"] for case in cases}
    for case in cases:
        await put(shelf, case, customers[case.agent.case.id])
    await shelf.claimed(*customers)
    frozen = await shelf.freeze()
    yield Played(
        request.param,
        frozen,
        await shelf.rows(),
        (await shelf.frozen_row()).accounts,
        {id: rows[id]["task_id"] for id in customers},
        customers,
        {case.agent.case.id: case for case in cases},
        {case.agent.case.id: case.afterwards for case in cases},
    )
    await database.close()


async def put(shelf: Shelf, case: RecordedCase, customer: str) -> None:
    """The case as it settles: corrected as the graders would have it, or handed over."""
    agent = case.agent
    await shelf.settled(
        agent.case.id,
        agent.steps,
        *overrides_of(case.afterwards),
        escalated=agent.reason or "no reason" if agent.ending == "escalates" else "",
        domain=agent.case.domain,
        customer=customer,
    )


def overrides_of(after: Afterwards) -> list[Override]:
    """What people would have said."""
    if after.final is None:
        return []
    told = after.model_dump(mode="json", include={"final", "deciding", "corrected_intent", "rationale"})
    return [Override.model_validate({"id": "o", "reviewer": "grader"} | told)]


def test_every_case_is_accounted_for(played: Played) -> None:
    """One by one: all of them are rows, or say which row they repeat."""
    assert sorted(a["case"] for a in played.accounts) == sorted(played.customers)
    assert len(played.accounts) == sum(CLAIMED[played.domain])
    assert played.frozen.accounts.get("kept") == played.frozen.rows == len(played.rows)
    numbers = {row.number: row.case_id for row in played.rows}
    for account in played.accounts:
        assert account["became"] in ("kept", "duplicate")
        assert (numbers[account["row"]] == account["case"]) is (account["became"] == "kept")


def test_every_correction_is_told_whole(played: Played) -> None:
    """All actions of the person, and the fact that decided it; the others say why the agent handed over."""
    overridden, escalated = 0, 0
    for row in played.rows:
        told, wanted = Example.model_validate(row.body), played.wanted[row.case_id]
        if wanted.final is None:
            assert (told.decision.ended, bool(told.decision.reason), told.overrides) == ("escalated", True, ())
            escalated += 1
            continue
        (said,) = told.overrides
        actions = wanted.final.actions if wanted.final.kind == "actions" else ()
        assert (said.final, [a.name for a in said.actions]) == (wanted.final.kind, [a.name for a in actions])
        assert (said.deciding.kind, said.deciding.system, bool(said.rationale)) == (
            "fact",
            SYSTEMS[played.domain],
            True,
        )
        overridden += 1
    assert (overridden, escalated) == CLAIMED[played.domain]


def test_reruns_of_one_task_never_stand_on_two_sides(played: Played) -> None:
    """Neither the cases of one task nor those of one customer, and both sides have some."""
    by_task, by_customer = defaultdict(set), defaultdict(set)
    for row in played.rows:
        by_task[played.tasks[row.case_id]].add((row.problem, row.side))
        by_customer[played.customers[row.case_id]].add((row.problem, row.side))
    assert all(len(places) == 1 for places in (*by_task.values(), *by_customer.values()))
    assert set(played.frozen.sides) == {"train", "held_out"}


def test_no_customer_is_named(played: Played) -> None:
    """By the patterns alone: the id, which is in nearly every call, stands nowhere."""
    for row in played.rows:
        assert played.customers[row.case_id] not in json.dumps(row.body)


def test_the_figures_of_the_page_are_those_of_the_recordings(played: Played) -> None:
    """docs/datasets.md tells how many problems there are, with the customer that a case names and without."""
    problems = Problems()
    for case in played.cases.values():
        problems.add(
            marks_of(
                case.agent.case.model_copy(update={"customer": None}), case.agent.steps, overrides_of(case.afterwards)
            )
        )
    untold, sides = problems.parted(), defaultdict(set)
    for id, problem in untold.items():
        sides[played.tasks[id]].add(problem.side)
    assert (len({row.problem for row in played.rows}), len(set(played.tasks.values()))) == PROBLEMS[played.domain]
    on_two_sides = sum(len(of_task) > 1 for of_task in sides.values())
    assert (len({problem.key for problem in untold.values()}), on_two_sides) == UNTOLD[played.domain]
