"""An agent's words, typed: a case is opened, its steps are recorded, it is resolved or handed over."""

from __future__ import annotations

import io
import json

import pytest

from aftercare.messages.outcome import Stage
from tests.cases.desk import Desk, Told
from tests.commands.conftest import Terminal

ABOUT = ("--agent", "retail", "--domain", "retail", "--customer", "ann")


def claim(case: Told) -> str:
    """The action of a case, as it is typed."""
    return f"{case.action.name}={json.dumps(case.action.arguments)}"


def steps(case: Told) -> list[object]:
    """The steps of a case, as a file holds them."""
    return [s.model_dump(mode="json", exclude_unset=True) for s in case.steps]


async def test_a_case_is_told_from_start_to_claim(desk: Desk, terminal: Terminal) -> None:
    """Opened, worked on and resolved by commands alone, it is verified and audited like any other."""
    case = desk.case("typed")
    case.cancelled()
    assert (await terminal.types("case", "open", case.id, *ABOUT)).code == 0
    assert (await terminal.types("case", "step", case.id, terminal.file(steps(case)))).code == 0
    said = await terminal.types("case", "resolve", case.id, "--intent", "cancel_pending_order", "--action", claim(case))
    assert said.code == 0
    assert "taken in" in said.out
    seen = await case.until(Stage.WATCHING)
    assert (seen.outcome, seen.steps.count) == ("confirmed", 4)


async def test_the_same_command_again_changes_nothing(desk: Desk, terminal: Terminal) -> None:
    """Whoever runs a command twice by accident gets the first receipt, and one message is counted."""
    case = desk.case("twice")
    file = terminal.file(steps(case))
    commands = (
        ("case", "open", case.id, *ABOUT, "--json"),
        ("case", "step", case.id, file, "--json"),
        ("case", "resolve", case.id, "--intent", "cancel_pending_order", "--action", claim(case), "--json"),
    )
    first = [(await terminal.types(*typed)).json["id"] for typed in commands]
    assert [(await terminal.types(*typed)).json["id"] for typed in commands[1:]] == first[1:]
    assert (await case.snapshot()).steps.count == 4


async def test_an_action_of_the_trace_gets_its_receipt(desk: Desk, terminal: Terminal) -> None:
    """What is claimed word for word as a step took it need not repeat the step's number and receipt."""
    case = await desk.case("receipt").registered()
    await case.worked_on()
    await terminal.types("case", "resolve", case.id, "--action", claim(case))
    (action,) = (await case.until(Stage.VERIFYING)).episodes[0].actions
    assert (action.step, action.receipt) == (4, case.receipt)


async def test_the_same_claim_after_a_reopening_is_another(desk: Desk, terminal: Terminal) -> None:
    """An agent that says the same again, once the customer came back, is heard again."""
    case = await desk.case("again").registered()
    typed = ("case", "resolve", case.id, "--intent", "question", "--json")
    first = (await terminal.types(*typed)).json["id"]
    await case.until(Stage.WATCHING)
    await case.signalled("reopen", id="r1")
    await case.until(Stage.RESOLVING, 2)
    assert (await terminal.types(*typed)).json["id"] != first
    assert (await case.until(Stage.WATCHING, 2)).episodes[1].ending == "resolved"


async def test_steps_come_from_the_standard_input_a_line_each(
    desk: Desk, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another program writes can be piped in."""
    case = await desk.case("piped").registered()
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(json.dumps(s) for s in steps(case))))
    assert (await terminal.types("case", "step", case.id, "-")).code == 0
    assert [s.number for s in await desk.cases.steps(case.id, 9)] == [1, 2, 3, 4]


async def test_a_step_is_told_by_options(desk: Desk, terminal: Terminal) -> None:
    """One step needs no file."""
    case = await desk.case("options").registered()
    typed = ("--number", 1, "--kind", "check_policy", "--name", "look", "--input", '{"a": [1]}', "--confidence", 0.5)
    assert (await terminal.types("case", "step", case.id, *typed)).code == 0
    (step,) = await desk.cases.steps(case.id, 9)
    assert (step.kind, step.input, step.confidence) == ("check_policy", {"a": [1]}, 0.5)


async def test_an_agent_hands_over(desk: Desk, terminal: Terminal) -> None:
    """The reason is kept in its own words."""
    case = await desk.case("over").registered()
    assert (await terminal.types("case", "escalate", case.id, "--reason", "too hard")).code == 0
    assert (await case.until(Stage.WATCHING)).episodes[0].handed_over_because == "too hard"


async def test_a_refusal_says_every_reason(desk: Desk, terminal: Terminal) -> None:
    """Exit code 1, a reason a line; to a machine the same as JSON, and nothing else."""
    case = await desk.case("refused").registered()
    typed = ("case", "open", case.id, "--agent", "other", "--domain", "retail")
    said = await terminal.types(*typed)
    assert (said.code, said.out) == (1, "")
    assert "registered already" in said.err
    told = await terminal.types(*typed, "--json")
    assert (told.code, told.json["error"]) == (1, "refused")
    assert "registered already" in told.json["reasons"][0]


WRONG = [
    (("open", "bad id", *ABOUT), "an id is"),
    (("open", "x"), "--agent"),
    (("step", "x"), "give a file of steps"),
    (("step", "x", "/no/such/file"), "cannot be read"),
    (("step", "x", "--number", "1"), "kind"),
    (("step", "x", "--number", "0", "--kind", "act"), "number"),
    (("step", "x", "--number", "1", "--kind", "act", "--input", "{x"), "--input"),
    (("step", "x", "--kind", "dance"), "--kind"),
    (("step", "x", "--bogus"), "--bogus"),
    (("resolve", "x", "--confidence", "3"), "confidence"),
    (("resolve", "x", "--action", "cancel={"), "--action"),
    (("resolve", "x", "--action", "cancel=[1]"), "arguments"),
    (("escalate", "x"), "reason"),
    (("dance", "x"), "dance"),
]


@pytest.mark.parametrize(("typed", "about"), WRONG)
async def test_wrong_input_is_said_before_anything_is_sent(bare: Terminal, typed: tuple[str, ...], about: str) -> None:
    """Exit code 2 and the part that is wrong, though nothing runs that could have been asked."""
    said = await bare.types("case", *typed)
    assert said.code == 2
    assert about in said.err
    told = await bare.types("case", *typed, "--json")
    assert (told.code, told.json["error"]) == (2, "wrong_input")
    assert about in " ".join(told.json["reasons"])


@pytest.mark.parametrize("content", ["", "{", "[]", "3", '[{"number": 1}]', '{"a": 1}\n{b', '{"id": "x", "steps": []}'])
async def test_a_file_that_holds_no_steps_is_said_to(bare: Terminal, content: str) -> None:
    """Exit code 2, never a traceback, and never a half of it sent."""
    said = await bare.types("case", "step", "x", bare.file(content), "--json")
    assert (said.code, said.json["error"]) == (2, "wrong_input")


async def test_options_do_not_describe_many_steps(bare: Terminal) -> None:
    """They complete one step; beside several nobody could tell which."""
    file = bare.file([{"number": 1, "kind": "act"}, {"number": 2, "kind": "act"}])
    said = await bare.types("case", "step", "x", file, "--name", "look")
    assert said.code == 2
    assert "holds 2" in said.err
