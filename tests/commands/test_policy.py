"""The policy books from the command line: checked, explained, and replayed over stored cases."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import pytest_asyncio

from aftercare.commands.answering import as_document
from aftercare.commands.policy_replay import Replay, Which, replay
from aftercare.commands.policy_told import by_rule, told
from aftercare.messages.outcome import Stage
from aftercare.store.looking import findings_of_case
from aftercare.systems.records import RecordsInMemory, Systems
from policies.book import SHIPPED
from tests.cases.desk import Desk, Told
from tests.commands.conftest import NOBODY, Terminal


def edited(folder: Path, *edits: tuple[str, str]) -> Path:
    """The retail book with some of its rules edited."""
    shutil.copytree(SHIPPED / "retail", folder / "retail")
    rules = folder / "retail" / "rules.yaml"
    text = rules.read_text("utf-8")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    rules.write_text(text, "utf-8")
    return folder


PENDING = "require: order.status == 'pending'\n"
FIRST = "rules:\n"
NEW_RULE = """rules:
  - id: said-sorry
    clause: general.4
    says: "Say sorry before anything is changed."
    since: 2999-01-01
    when: step.kind == 'act'
    require: last_said.contains('sorry')
"""


async def settled(desk: Desk, name: str) -> Told:
    """A case that went well, and is over."""
    case = desk.case(name)
    case.cancelled()
    await (await case.reported()).until(Stage.WATCHING)
    await case.settled()
    return case


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def over(desk: Desk) -> Told:
    """A case that went well, is over, and is only looked at."""
    return await settled(desk, "over")


async def replayed(desk: Desk, case: Told, folder: Path | None = None, every_rule: bool = False) -> Replay:
    """One case judged again, its records read from the desk's shop."""
    return await replay(desk.cases, Systems({"shop": desk.shop}), Which(ids=(case.id,), every_rule=every_rule), folder)


async def test_the_same_book_judges_the_same(desk: Desk, over: Told) -> None:
    """Nothing changes, and it is said that the book is the same."""
    done = await replayed(desk, over)
    (judged,) = done.judged
    assert (judged.same_book, judged.differs, judged.changed, judged.cannot) == (True, False, (), "")


async def test_an_edited_rule_shows_which_verdicts_change(desk: Desk, over: Told, tmp_path: Path) -> None:
    """The case, the rule and the verdicts before and after; the records are read as they stood before the step."""
    done = await replayed(desk, over, edited(tmp_path, (PENDING, "require: order.status == 'gone'\n")))
    (judged,) = done.judged
    assert (judged.before, judged.after, judged.differs, judged.same_book) == ("compliant", "violation", True, False)
    assert by_rule(done) == {"retail cancel-pending": {"compliant → violation": 1}}


async def test_a_new_rule_is_asked_of_old_cases_where_that_is_wanted(desk: Desk, over: Told, tmp_path: Path) -> None:
    """A rule is not held against cases from before it came into force, unless somebody wants to know."""
    folder = edited(tmp_path, (FIRST, NEW_RULE))
    done = await replayed(desk, over, folder)
    assert (done.judged[0].differs, done.judged[0].not_in_force) == (False, ["said-sorry"])
    every = await replayed(desk, over, folder, every_rule=True)
    assert by_rule(every) == {"retail said-sorry": {"appears: violation": 1}}


async def test_a_rule_that_is_gone_takes_its_findings_along(desk: Desk, over: Told, tmp_path: Path) -> None:
    """What is no longer asked is shown to disappear."""
    folder = edited(tmp_path, ("when: step.name == 'cancel_pending_order'\n", "when: step.name == 'never'\n"))
    done = await replayed(desk, over, folder)
    assert set(by_rule(done)["retail cancel-pending"]) == {"disappears: compliant"}


async def test_what_cannot_be_read_is_not_judged_again(desk: Desk, over: Told) -> None:
    """A system that is away, or has forgotten, changes no verdict: the case is said not to be judged."""
    away, forgetful = RecordsInMemory(), RecordsInMemory()
    away.down = True
    for shop, why in ((away, "shop is down"), (forgetful, "shop has no orders/")):
        done = await replay(desk.cases, Systems({"shop": shop}), Which(ids=(over.id,)), None)
        (judged,) = done.judged
        assert why in judged.cannot
        assert told(done).document["totals"]["verdicts_changed"] == 0
        assert by_rule(done) == {}


async def test_a_replay_writes_nothing(desk: Desk, over: Told, tmp_path: Path) -> None:
    """Findings, settlement and case stand as before, whatever today's book says."""
    before = as_document([await findings_of_case(desk.cases, over.id), await desk.cases.last_settlement(over.id)])
    await replayed(desk, over, edited(tmp_path, (PENDING, "require: order.status == 'gone'\n")))
    after = as_document([await findings_of_case(desk.cases, over.id), await desk.cases.last_settlement(over.id)])
    assert before == after


async def test_a_persons_own_deed_is_judged_again_too(desk: Desk, tmp_path: Path) -> None:
    """Every episode that was audited, against the records as the agent first found them."""
    case = desk.case("by-hand")
    case.cancelled()
    await (await case.reported()).until(Stage.WATCHING)
    final = {"kind": "actions", "actions": [case.action.model_dump(mode="json")]}
    await case.overridden(final=final, deciding={"kind": "step", "step": 1})
    await case.until(Stage.WATCHING, 2)
    await case.settled()
    assert [j.changed for j in (await replayed(desk, case)).judged] == [(), ()]
    done = await replayed(desk, case, edited(tmp_path, (PENDING, "require: order.status == 'gone'\n")))
    assert [(j.episode, j.after) for j in done.judged] == [(1, "violation"), (2, "violation")]


async def test_a_replay_is_shown_and_told(desk: Desk, over: Told, terminal: Terminal) -> None:
    """To people in tables, to machines as JSON; exit code 0 either way, for it only looks."""
    terminal.env.setenv("AFTERCARE_SYSTEMS", f'{{"shop": "http://{NOBODY}"}}')
    said = await terminal.types("policy", "replay", "--case", over.id)
    assert said.code == 0
    assert "Cannot be judged again: 1" in said.out
    told = await terminal.types("policy", "replay", "--case", over.id, "--json")
    assert (told.code, told.json["totals"]["cannot_be_judged_again"]) == (0, 1)


async def test_a_case_that_runs_is_left_out(desk: Desk, terminal: Terminal) -> None:
    """Its episodes are not in the store yet, which is said."""
    case = await desk.case("open").registered()
    told = await terminal.types("policy", "replay", "--case", case.id, "--json")
    assert told.json["left_out"] == {"it has not settled yet": [case.id]}


async def test_an_unknown_case_or_a_broken_book_is_wrong_input(desk: Desk, over: Told, terminal: Terminal) -> None:
    """Exit code 2, and every problem of the book on a line of its own."""
    assert (await terminal.types("policy", "replay", "--case", "nobody", "--json")).json["error"] == "wrong_input"
    folder = edited(terminal.folder / "books", (PENDING, "require: order.staatus == 'pending'\n"))
    said = await terminal.types("policy", "replay", "--case", over.id, "--folder", folder)
    assert said.code == 2
    assert "rule cancel-pending, require" in said.err


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("cancel.1", ("stands under Cancel pending order, bullet 1", "rule cancel-pending (major, since", "example (")),
        ("general.5", ("no recorded fact settles it", "invented")),
        ("cancel-pending", ("retail clause cancel.1", "require: order.status == 'pending'")),
        ("cancel_pending_order", ("must leave in orders/{args.order_id}: status", "equals: 'cancelled'")),
    ],
)
async def test_a_book_explains_itself(bare: Terminal, name: str, told: tuple[str, ...]) -> None:
    """A clause, a rule, an action: what it says, how it is decided, where an example shows it."""
    said = await bare.types("policy", "explain", name, "--domain", "retail")
    assert said.code == 0
    for words in told:
        assert words in said.out
    machine = await bare.types("policy", "explain", name, "--domain", "retail", "--json")
    assert [f["domain"] for f in machine.json["found"]] == ["retail"]


async def test_without_a_name_every_clause_is_listed(bare: Terminal) -> None:
    """With the rules that stand for it, or why there are none."""
    told = (await bare.types("policy", "explain", "--domain", "retail", "--json")).json
    (book,) = told["books"]
    assert {"cancel.1", "general.5"} <= {c["id"] for c in book["clauses"]}
    said = (await bare.types("policy", "explain")).out
    assert "cancel-pending" in said
    assert "(not decidable)" in said


async def test_an_unknown_name_is_answered_with_what_is_near(bare: Terminal) -> None:
    """A slip of the finger is not a dead end."""
    said = await bare.types("policy", "explain", "cancel-pendin")
    assert said.code == 2
    assert "near it: cancel-pending" in said.err
    assert (await bare.types("policy", "explain", "cancel.1", "--domain", "hotel", "--json")).code == 2


async def test_a_check_tells_machines_too(bare: Terminal) -> None:
    """Exit code 1 and every problem where a book does not hold."""
    told = await bare.types("policy", "check", "--json")
    assert (told.code, [b["problems"] for b in told.json["books"]]) == (0, [[], []])
    folder = edited(bare.folder / "books", (PENDING, "require: order.status == 'gone'\n"))
    broken = await bare.types("policy", "check", "--folder", folder, "--json")
    assert broken.code == 1
    assert "cancel-pending" in str(broken.json["books"][0]["problems"])
