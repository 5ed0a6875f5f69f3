"""Looking at cases: the story of one, the list of many, and neither fooled by what is in them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from rich.console import Console

from aftercare.commands.case_listing import Line, table
from aftercare.messages.outcome import Stage
from tests.cases.desk import Desk, Told
from tests.commands.conftest import NOBODY, Terminal


async def failed(desk: Desk, name: str, **other: str) -> Told:
    """A case whose effect never shows."""
    case = await desk.case(name).reported(**other)
    await case.until(Stage.VERIFYING)
    await case.later(minutes=2)
    await case.until(Stage.WATCHING)
    return case


async def watched(desk: Desk, name: str, **other: str) -> Told:
    """A case that was resolved as it should be."""
    case = desk.case(name)
    case.cancelled()
    await (await case.reported(**other)).until(Stage.WATCHING)
    return case


async def test_a_case_tells_its_story(desk: Desk, terminal: Terminal) -> None:
    """Who, what was claimed, the facts that differ, the clauses, what came in and what lies in the inbox."""
    case = await failed(desk, "story")
    await case.signalled("feedback", id="f1", kind="csat", value=2, comment="no money yet")
    said = (await terminal.types("case", "show", case.id)).out
    for told in (
        f"Case {case.id} · watching · failed unless somebody objects",
        "Agent retail, by chat, on retail; customer ann",
        "Claimed: cancel_pending_order",
        f'shop orders/{case.order} status: expected "cancelled", found "pending"',
        "Policy compliant",
        "csat: 2, “no money yet”",
        "delivered  feedback f1",
    ):
        assert told in said


async def test_a_story_shows_what_the_policy_says(desk: Desk, terminal: Terminal) -> None:
    """A broken clause stands there with its number and a sentence."""
    case = desk.case("broken")
    case.desk.shop.before[case.receipt, f"orders/{case.order}"]["status"] = "processed"
    case.cancelled()
    await (await case.reported()).until(Stage.WATCHING)
    said = await terminal.types("case", "show", case.id)
    assert "clause cancel.1 (major). Step 4, cancel_pending_order: broken. Only a pending order" in said.out


async def test_a_settled_case_is_shown_from_the_store(desk: Desk, terminal: Terminal) -> None:
    """Where Temporal is away the story is still there, and says where it comes from."""
    case = await watched(desk, "stored")
    await case.settled()
    terminal.env.setenv("TEMPORAL_ADDRESS", NOBODY)
    said, told = await terminal.types("case", "show", case.id), await terminal.types("case", "show", case.id, "--json")
    assert "what the store knows" in said.out
    assert f"Case {case.id} · settled · confirmed" in said.out
    assert (told.code, told.json["source"], told.json["stage"]) == (0, "settled in the store", "settled")
    assert told.json["snapshot"]["episodes"][0]["verification"]["status"] == "verified"


async def test_a_running_case_keeps_its_stage_to_itself(desk: Desk, terminal: Terminal) -> None:
    """What the store cannot know is not made up."""
    case = await watched(desk, "running")
    terminal.env.setenv("TEMPORAL_ADDRESS", NOBODY)
    told = await terminal.types("case", "show", case.id, "--json")
    assert (told.json["source"], told.json["stage"]) == ("open in the store", None)
    said = (await terminal.types("case", "show", case.id)).out
    assert "where it stands only its workflow knows" in said
    assert "as it was audited" in said


async def test_nobody_knows_an_unheard_of_case(desk: Desk, terminal: Terminal) -> None:
    """Asked, and the answer is no: exit code 1."""
    said = await terminal.types("case", "show", "never-heard-of")
    assert said.code == 1
    assert "never-heard-of" in said.err


async def test_nobodys_words_move_the_cursor(desk: Desk, terminal: Terminal) -> None:
    """A customer's escape sequences and markup are shown as what they are."""
    case = await watched(desk, "escape")
    await case.signalled("feedback", id="f1", kind="csat", comment="\x1b[2J\x1b]0;owned\x07 [red]you[/red]\nnew line")
    said = (await terminal.types("case", "show", case.id)).out
    assert "\x1b" not in said
    assert "[red]you[/red] new line" in said


@pytest.fixture
def in_kathmandu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A reader who is a quarter of an hour off everybody else."""
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_kathmandu")
async def test_times_are_the_readers_own(desk: Desk, terminal: Terminal) -> None:
    """Nobody has to count hours in their head; machines get the zone with the time."""
    case = await watched(desk, "clock")
    typed = ("case", "feedback", case.id, "--kind", "csat", "--at", "2026-01-31T12:00:00")
    await terminal.types(*typed)
    assert "2026-01-31 12:00:00  csat" in (await terminal.types("case", "show", case.id)).out
    told = (await terminal.types("case", "show", case.id, "--json")).json
    assert told["snapshot"]["feedback"][0]["at"] == "2026-01-31T12:00:00+05:45"


async def test_cases_are_listed_by_what_is_known_of_them(desk: Desk, terminal: Terminal) -> None:
    """By outcome, stage, agent, verdict and intent, alone or together; the table fits 100 columns."""
    case = await watched(desk, "listed", intent="quite_a_long_name_for_an_intent")
    wanted = ("--outcome", "confirmed", "--stage", "watching", "--agent", "retail", "--verdict", "compliant")
    typed = ("case", "list", *wanted, "--intent", "quite_a_long_name_for_an_intent")
    listed = await until_listed(terminal, *typed, "--json")
    assert [(c["case_id"], c["outcome"], c["stage"]) for c in listed] == [(case.id, "confirmed", "watching")]
    said = (await terminal.types(*typed)).out
    assert case.id in said
    assert max(len(line) for line in said.splitlines()) <= 100
    assert (await terminal.types(*typed[:4], "--stage", "settled", *typed[-2:], "--json")).json == []


async def test_a_case_is_listed_by_its_latest_run(desk: Desk, terminal: Terminal) -> None:
    """A settled case that was taken up again is not found by what an earlier run came to."""
    case = await watched(desk, "later-run", intent="only_here")
    await case.settled()
    by_intent = ("case", "list", "--intent", "only_here", "--json")
    assert [c["stage"] for c in await until_listed(terminal, *by_intent)] == ["settled"]
    case.put_back()
    await case.overridden(deciding={"kind": "step", "step": 1})
    await case.until(Stage.WATCHING, 2)
    assert [c["outcome"] for c in await until_listed(terminal, *by_intent, "--outcome", "overridden")] == ["overridden"]
    assert (await terminal.types(*by_intent, "--outcome", "confirmed")).json == []


@pytest.mark.parametrize(
    "intent", ["x' OR WorkflowType = 'CaseWorkflow", "x'' OR 1 = 1", "'", "x') OR (1 = 1", "x%' --"]
)
async def test_no_value_becomes_a_query(desk: Desk, terminal: Terminal, intent: str) -> None:
    """Quotes are looked for as they stand, and find nothing."""
    await watched(desk, "bait")
    said = await terminal.types("case", "list", "--intent", intent, "--json")
    assert (said.code, said.json) == (0, [])


async def test_an_odd_intent_is_found_as_it_stands(desk: Desk, terminal: Terminal) -> None:
    """Quoting loses nothing of the value."""
    odd = "it's 100% (odd)_"
    case = await watched(desk, "odd", intent=odd)
    assert [c["case_id"] for c in await until_listed(terminal, "case", "list", "--intent", odd, "--json")] == [case.id]


@pytest.mark.parametrize(
    "typed",
    [
        ("--agent", "x' OR 1=1"),
        ("--intent", "a\nb"),
        ("--intent", "x\\' OR 1 = 1"),
        ("--intent", 'x" OR "" = "'),
        ("--outcome", "good"),
        ("--stage", "auditing"),
        ("--limit", "0"),
        ("--limit", "-1"),
        ("--intent", "x" * 200),
    ],
)
async def test_what_no_case_can_be_is_wrong_input(terminal: Terminal, typed: tuple[str, ...]) -> None:
    """Exit code 2, before Temporal is asked."""
    said = await terminal.types("case", "list", *typed, "--json")
    assert (said.code, said.json["error"]) == (2, "wrong_input")


async def until_listed(terminal: Terminal, *typed: str) -> list[dict[str, object]]:
    """What is listed once the index has caught up with the cases."""
    for _ in range(50):
        found: list[dict[str, object]] = (await terminal.types(*typed)).json
        if found:
            return found
    return []


@pytest.mark.parametrize("columns", [80, 100, 120])
def test_a_list_shows_ids_before_anything_else(columns: int) -> None:
    """However narrow the terminal, a case's id can be copied from its line."""
    line = Line("openai-agents-a2b41433", "watching", "unconfirmed", "undetermined", "bot", "cancel", datetime.now(UTC))
    console = Console(width=columns)
    with console.capture() as shown:
        console.print(table([line], columns))
    said = shown.get().splitlines()
    assert len(said) == 2
    assert said[1].startswith("openai-agents-a2b41433  watching")
