"""What people send, typed: corrections, feedback, second contacts, reopenings, and what found no case."""

from __future__ import annotations

import json

import pytest

from aftercare.commands import door
from aftercare.messages.outcome import Stage
from tests.cases.desk import Desk, Told
from tests.commands.conftest import UNATTENDED, Terminal

WHOLE = ("--reviewer", "r.meyer", "--rationale", "She wanted to keep it.", "--corrected-intent", "unchanged")


async def watched(desk: Desk, name: str) -> Told:
    """A case that was resolved as it should be."""
    case = desk.case(name)
    case.cancelled()
    await (await case.reported()).until(Stage.WATCHING)
    return case


async def test_a_correction_lists_everything_that_is_missing(bare: Terminal) -> None:
    """Whole or not at all: exit code 2, each missing part on a line of its own, nothing sent."""
    said = await bare.types("case", "override", "x")
    assert said.code == 2
    told = [line.split(":")[1].strip() for line in said.err.splitlines() if "missing" in line]
    assert told == ["reviewer", "final", "corrected_intent", "rationale", "deciding"]


async def test_a_correction_counts_once(desk: Desk, terminal: Terminal) -> None:
    """The same command again gives the same receipt."""
    case = await watched(desk, "corrected")
    case.put_back()
    typed = ("case", "override", case.id, *WHOLE, "--clause", "general.4", "--undo", "--json")
    first, again = await terminal.types(*typed), await terminal.types(*typed)
    assert (first.code, first.json["id"]) == (0, again.json["id"])
    seen = await case.until(Stage.WATCHING, 2)
    assert [o.reviewer for o in seen.overrides] == ["r.meyer"]


async def test_a_clause_that_is_not_there_is_refused(desk: Desk, terminal: Terminal) -> None:
    """It was whole, and the case would not have it: exit code 1."""
    case = await watched(desk, "clause")
    said = await terminal.types("case", "override", case.id, *WHOLE, "--clause", "general.99", "--undo")
    assert said.code == 1
    assert "no clause 'general.99'" in said.err


async def test_a_fact_of_a_record_decides(desk: Desk, terminal: Terminal) -> None:
    """system,record,field,expected,found: values are JSON where they can be, else they stand as typed."""
    case = await watched(desk, "fact")
    fact = f'shop,orders/{case.order},total,12.5,"""a, b"""'
    action = f"{case.action.name}={json.dumps(case.action.arguments)}"
    assert (await terminal.types("case", "override", case.id, *WHOLE, "--fact", fact, "--action", action)).code == 0
    (override,) = (await case.snapshot()).overrides
    assert override.deciding.model_dump(include={"record", "expected", "found"}) == {
        "record": f"orders/{case.order}",
        "expected": 12.5,
        "found": "a, b",
    }


@pytest.mark.parametrize(
    ("typed", "about"),
    [
        (("--undo", "--nothing-to-do"), "--undo"),
        (("--clause", "a", "--step", "1"), "--clause"),
        (("--fact", "shop,orders"), "--fact"),
    ],
)
async def test_a_correction_says_one_thing(bare: Terminal, typed: tuple[str, ...], about: str) -> None:
    """Two deeds, two reasons, or half a fact are wrong input."""
    said = await bare.types("case", "override", "x", *WHOLE, *typed)
    assert said.code == 2
    assert about in said.err


async def test_feedback_counts_once_a_day(desk: Desk, terminal: Terminal) -> None:
    """The same again is an accident; with an id of its own it is another."""
    case = await watched(desk, "liked")
    typed = ("case", "feedback", case.id, "--kind", "csat", "--value", 4, "--json")
    first = await terminal.types(*typed)
    assert (first.code, first.json["standing"]) == (0, "delivered")
    await terminal.types(*typed)
    assert (await terminal.types(*typed, "--id", "another")).code == 0
    assert [f.value for f in (await case.snapshot()).feedback] == [4, 4]


async def test_an_id_used_before_is_refused(desk: Desk, terminal: Terminal) -> None:
    """Another message under a known id is never taken for the first."""
    case = await watched(desk, "taken")
    typed = ("case", "feedback", case.id, "--kind", "csat", "--id", "f1", "--value")
    assert [(await terminal.types(*typed, value)).code for value in (4, 5)] == [0, 1]


async def test_a_customer_comes_back(desk: Desk, terminal: Terminal) -> None:
    """A second contact is counted, a reopening begins an episode."""
    case = await watched(desk, "back")
    assert (await terminal.types("case", "recontact", case.id, "--other-issue", "--channel", "mail")).code == 0
    assert (await terminal.types("case", "reopen", case.id, "--reason", "not done")).code == 0
    seen = await case.until(Stage.RESOLVING, 2)
    assert (seen.recontacts[0].same_issue, seen.episodes[1].because) == (False, "not done")


async def test_what_found_no_case_is_listed_and_given_one(desk: Desk, terminal: Terminal) -> None:
    """Feedback about a case nobody registered is held, becomes an orphan, and can be attached."""
    case, stray = await watched(desk, "home"), desk.case("stray")
    typed = ("case", "feedback", stray.id, "--kind", "csat", "--value", 2, "--id", "lost")
    held = await terminal.types(*typed)
    assert "nobody has registered" in held.out
    await stray.settled()
    assert stray.id in (await terminal.types("case", "orphans")).out
    listed = (await terminal.types("case", "orphans", "--json")).json
    assert [(o["case_id"], o["id"]) for o in listed] == [(stray.id, "lost")]
    assert (await terminal.types("case", "attach", stray.id, "lost", "--to", "nobody")).code == 1
    assert (await terminal.types("case", "attach", stray.id, "lost", "--to", case.id)).code == 0
    assert (await terminal.types("case", "orphans", "--json")).json == []
    assert (await terminal.types("case", "attach", stray.id, "lost", "--to", case.id)).code == 1


VERBS = [
    ("open", "x", "--agent", "a", "--domain", "retail"),
    ("step", "x", "--number", "1", "--kind", "act"),
    ("resolve", "x"),
    ("override", "x", *WHOLE, "--step", "1", "--undo"),
    ("feedback", "x", "--kind", "csat"),
    ("recontact", "x"),
    ("reopen", "x", "--reason", "y"),
    ("show", "x"),
    ("list",),
    ("orphans",),
    ("attach", "x", "y", "--to", "z"),
]


@pytest.mark.parametrize("typed", VERBS, ids=lambda v: v[0])
async def test_where_nothing_runs_every_verb_says_so(bare: Terminal, typed: tuple[str, ...]) -> None:
    """Exit code 2 and what is missing, to people and to machines; no store is made by asking."""
    said, told = await bare.types("case", *typed), await bare.types("case", *typed, "--json")
    assert (said.code, told.code) == (2, 2)
    assert "there is no store" in said.err or "does not answer" in said.err
    assert told.json["error"] in ("store", "temporal")
    assert not (bare.folder / "home").exists()


async def test_a_message_without_an_answer_is_said_to_be_held(
    desk: Desk, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no worker answers in time, the sender is told what became of the message, and its id."""
    terminal.env.setenv("TEMPORAL_NAMESPACE", UNATTENDED)
    monkeypatch.setattr(door, "PATIENCE", 1.5)
    case = desk.case("held")
    typed = ("case", "override", case.id, *WHOLE, "--step", 1, "--undo", "--id", "o1", "--json")
    said = await terminal.types(*typed)
    assert (said.code, said.json["error"], said.json["id"]) == (2, "no_answer_yet", "o1")
    assert "held in the inbox as o1" in said.json["reasons"][1]
    row = await desk.cases.inbox.find(case.id, "o1")
    assert row
    assert row.standing == "waiting"
