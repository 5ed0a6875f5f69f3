"""`aftercare review`: what is to be judged, shown without what others made of it, and decided."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aftercare.messages.outcome import Stage
from tests.cases.desk import Desk, Told
from tests.commands.conftest import NOBODY, Terminal
from tests.reviews.conftest import label

BY = ("--by", "r.meyer")


async def watched(desk: Desk, name: str, **other: Any) -> Told:
    """A case that was resolved as it should be."""
    case = desk.case(name)
    case.cancelled()
    await (await case.reported(**other)).until(Stage.WATCHING)
    return case


def item(case: Told) -> str:
    return f"audit/{case.id}"


async def listed(terminal: Terminal, case: Told, *typed: str) -> list[dict[str, Any]]:
    """The items of a case, of those that are listed."""
    said = await terminal.types("review", "list", "--limit", 1_000, *typed, "--json")
    assert said.code == 0
    return [found for found in said.json if found["case_id"] == case.id]


async def test_a_drawn_case_is_judged(desk: Desk, terminal: Terminal) -> None:
    """From the list into the list of what was decided, and the label lies in the store."""
    case = await watched(desk, "judged")
    assert [(found["id"], found["ready"]) for found in await listed(terminal, case)] == [(item(case), True)]
    said = await terminal.types(
        "review", "decide", item(case), "--wrong", "--intent", "refund", "--new-intent", "--note", "late", *BY
    )
    assert (said.code, said.out.strip()) == (0, f"decided: {item(case)} is wrong, right intent refund")
    assert await listed(terminal, case) == []
    (found,) = await listed(terminal, case, "--decided")
    assert (found["decided_by"], found["decision"]) == ("r.meyer", {"right": False, "intent": "refund", "note": "late"})
    said = await terminal.types("review", "list", "--decided", "--agent", "retail", "--kind", "audit")
    assert "wrong, right intent refund" in said.out
    assert max(len(line) for line in said.out.splitlines()) <= 100
    row = await label(desk.cases, case.id)
    assert row
    assert row.value == 0


async def test_the_label_stays_when_the_case_settles(desk: Desk, terminal: Terminal) -> None:
    """What is written down at the end writes nothing over."""
    case = await watched(desk, "settling")
    assert (await terminal.types("review", "decide", item(case), "--unknown", *BY)).code == 0
    await case.settled()
    row = await label(desk.cases, case.id)
    assert row
    assert (row.value, row.payload["by"], row.intent) == (None, "r.meyer", "cancel_pending_order")


async def test_a_case_that_has_not_ended_waits(desk: Desk, terminal: Terminal) -> None:
    """It is listed, shown with that said, and cannot be decided."""
    case = await (await desk.case("early").registered()).worked_on()
    assert [found["ready"] for found in await listed(terminal, case)] == [False]
    assert "has not ended this case yet" in (await terminal.types("review", "show", item(case))).out
    said = await terminal.types("review", "decide", item(case), "--right", *BY)
    assert said.code == 1
    assert "has not ended this case yet" in said.err


async def test_an_agents_silence_can_be_judged(desk: Desk, terminal: Terminal) -> None:
    """It is an ending too, of which a person may say what should have been."""
    case = await desk.case("silent").registered()
    await case.settled()
    assert "the agent fell silent" in (await terminal.types("review", "show", item(case))).out
    assert (await terminal.types("review", "decide", item(case), "--wrong", *BY)).code == 0


async def test_a_reviewer_sees_what_was_said_and_done(desk: Desk, terminal: Terminal) -> None:
    """The conversation, the claims, the facts that differ, and what the policy says."""
    case = desk.case("shown")
    await (await case.reported(reply="It is cancelled, and you have your money back.")).until(Stage.VERIFYING)
    await case.later(minutes=2)
    await case.until(Stage.WATCHING)
    said = (await terminal.types("review", "show", item(case))).out
    for told in (
        f"Case {case.id} · to be judged",
        "Intent cancel_pending_order\n",
        "Claimed: cancel_pending_order",
        f'shop orders/{case.order} status: expected "cancelled", found "pending"',
        "Policy compliant",
        "It told the customer: “It is cancelled, and you have your money back.”",
        "customer: “Cancel my order, I no longer need it.”",
        "agent: “Shall I proceed?”",
        '1  retrieve find_user_id_by_email {"email": "a@x"}',
    ):
        assert told in said


async def test_a_reviewer_does_not_see_what_others_made_of_it(desk: Desk, terminal: Terminal) -> None:
    """No score, no second contact, no correction, no outcome, no confidence; in the list neither."""
    case = await watched(desk, "blind", confidence=0.9731)
    await case.signalled("feedback", id="f1", kind="csat", value=1, comment="never again")
    await case.signalled("recontact", id="r1", reason="still not done")
    case.put_back()
    await case.overridden(corrected_intent="return_order", reviewer="first.judge", rationale="She kept it.")
    await case.until(Stage.WATCHING, 2)
    hidden = ["never again", "csat", "still not done", "first.judge", "She kept it", "return_order", "overridden"]
    hidden += ["0.97", "confidence", "reopened"]
    for settled in (False, True):
        if settled:
            await case.settled()
        told = await terminal.types("review", "show", item(case), "--json")
        seen = (await terminal.types("review", "show", item(case))).out + told.out
        seen += json.dumps(await listed(terminal, case))
        assert [word for word in hidden if word in seen] == []
        assert (told.json["episode"]["intent"], len(told.json["steps"])) == ("cancel_pending_order", 4)


async def test_an_earlier_judgement_is_not_shown_to_the_next(desk: Desk, terminal: Terminal) -> None:
    """What was taken back is kept, and whoever judges anew judges for themselves."""
    case = await watched(desk, "anew")
    await terminal.types("review", "decide", item(case), "--wrong", "--note", "it was rude", "--by", "anna")
    assert "Decided by anna" in (await terminal.types("review", "show", item(case))).out
    assert (await terminal.types("review", "reopen", item(case), "--by", "chief")).code == 0
    for typed in (("show", item(case)), ("show", item(case), "--json"), ("list", "--json"), ("list",)):
        said = (await terminal.types("review", *typed)).out
        assert case.id in said
        assert "rude" not in said
        assert "anna" not in said
    assert await label(desk.cases, case.id) is None


async def test_where_the_case_does_not_answer_the_store_tells(desk: Desk, terminal: Terminal) -> None:
    """What the agent reported and what the audit found is there, and what is not is said."""
    case = await watched(desk, "stored", confidence=0.9731)
    terminal.env.setenv("TEMPORAL_ADDRESS", NOBODY)
    said = (await terminal.types("review", "show", item(case))).out
    assert "What the systems of record showed is not in it" in " ".join(said.split())
    assert "Intent cancel_pending_order" in said
    assert "Claimed: cancel_pending_order" in said
    assert "0.97" not in said


async def test_the_second_is_told_who_was_first(desk: Desk, terminal: Terminal) -> None:
    """Exit code 1, and by whom it was decided; the same again is done."""
    case = await watched(desk, "twice")
    typed = ("review", "decide", item(case))
    assert [(await terminal.types(*typed, "--right", "--by", "anna")).code for _ in range(2)] == [0, 0]
    said = await terminal.types(*typed, "--wrong", "--by", "bert")
    assert said.code == 1
    assert "was decided by anna at" in said.err
    assert f"review reopen {item(case)} --by NAME" in " ".join(said.err.split())


async def test_a_slip_becomes_no_label(desk: Desk, terminal: Terminal) -> None:
    """An intent nobody knows is refused, with the one that may have been meant, unless it is said to be new."""
    case = await watched(desk, "slip")
    typed = ("review", "decide", item(case), "--wrong", *BY, "--intent")
    said = await terminal.types(*typed, "cancel_pendin_order")
    assert (said.code, await label(desk.cases, case.id)) == (1, None)
    assert "did you mean cancel_pending_order?" in " ".join(said.err.split())
    assert (await terminal.types(*typed, "a_new_one", "--new-intent")).code == 0
    other = await watched(desk, "slip-again")
    assert (await terminal.types("review", "decide", item(other), "--wrong", *BY, "--intent", "a_new_one")).code == 0


async def test_what_cannot_be_meant_is_told_plainly(desk: Desk, terminal: Terminal) -> None:
    """Without the words of the library that found it."""
    said = await terminal.types("review", "decide", "audit/x", "--right", "--intent", "refund", *BY)
    assert said.err.splitlines()[1].strip().startswith("an agent that was right had the right intent")


@pytest.mark.parametrize("verb", ["list", "agreement"])
async def test_an_agent_nobody_knows_is_refused(desk: Desk, terminal: Terminal, verb: str) -> None:
    """An empty answer would say that nothing waits."""
    said = await terminal.types("review", verb, "--agent", "nobody")
    assert (said.code, "no case of agent nobody is registered" in said.err) == (1, True)


async def test_figures_of_the_audit(desk: Desk, terminal: Terminal) -> None:
    """By agent and intent: drawn, right, wrong, unknown, and the share with its interval."""
    verdicts = ("--right", "--right", "--right", "--wrong", "--unknown")
    for n, verdict in enumerate(verdicts):
        case = desk.case(f"figure-{n}")
        case.cancelled()
        about = case.about.model_copy(update={"agent": "counted", "intent": "one"})
        await desk.gateway.register(about)
        await (await (await case.worked_on()).resolved()).until(Stage.WATCHING)
        assert (await terminal.types("review", "decide", item(case), verdict, *BY)).code == 0
    await desk.gateway.register(desk.case("figure-open").about.model_copy(update={"agent": "counted", "intent": "two"}))
    whole, one, two = (await terminal.types("review", "agreement", "--agent", "counted", "--json")).json
    counted = [(f["intent"], f["drawn"], f["right"], f["wrong"], f["unknown"]) for f in (whole, one, two)]
    assert counted == [(None, 6, 3, 1, 1), ("cancel_pending_order", 5, 3, 1, 1), ("two", 1, 0, 0, 0)]
    assert (one["was_right"]["value"], one["was_right"]["n"], two["was_right"]["value"]) == (0.75, 4, None)
    said = (await terminal.types("review", "agreement", "--agent", "counted")).out
    assert "75.0%" in said
    assert "30.1% to 95.4%" in said


@pytest.mark.parametrize(
    "typed",
    [
        ("decide", "audit/x", *BY),
        ("decide", "audit/x", "--right", "--wrong", *BY),
        ("decide", "audit/x", "--right"),
        ("decide", "audit/x", "--right", "--by", " "),
        ("decide", "audit/x", "--right", "--intent", "refund", *BY),
        ("decide", "audit/x", "--wrong", "--note", "x" * 2_001, *BY),
        ("reopen", "audit/x"),
        ("reopen", "audit/x", "--by", ""),
        ("list", "--open", "--all"),
    ],
    ids=lambda typed: " ".join(typed)[:60],
)
async def test_what_cannot_be_meant_is_wrong_input(desk: Desk, terminal: Terminal, typed: tuple[str, ...]) -> None:
    """Exit code 2, before the store is asked."""
    said = await terminal.types("review", *typed, "--json")
    assert (said.code, said.json["error"]) == (2, "wrong_input")


@pytest.mark.parametrize("typed", [("show", "audit/x"), ("decide", "audit/x", "--right", *BY)], ids=lambda t: t[0])
async def test_an_item_that_is_not_there(desk: Desk, terminal: Terminal, typed: tuple[str, ...]) -> None:
    """Asked, and the answer is no: exit code 1."""
    said = await terminal.types("review", *typed, "--json")
    assert (said.code, said.json["error"]) == (1, "refused")


@pytest.mark.parametrize("verb", [("list",), ("show", "x"), ("agreement",)], ids=lambda v: v[0])
async def test_where_no_store_is_that_is_said(bare: Terminal, verb: tuple[str, ...]) -> None:
    """Exit code 2, and none is made by asking."""
    said = await bare.types("review", *verb, "--json")
    assert (said.code, said.json["error"]) == (2, "store")
    assert not (bare.folder / "home").exists()
