"""A case in an agent's hands: numbered, claimed once, taken up again, and never the reason why an agent fails."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event
from typing import Any

import pytest

from aftercare.client import Aftercare, AsyncAftercare, Problem, current_case, tool
from aftercare.messages.case import Action
from tests.client.conftest import Made, done, entered
from tests.client.twin import Twin, problem


def whats(care: Any) -> list[str]:
    return [p.what for p in care.problems()]


async def test_acts_that_did_not_fail_are_claimed(any_care: Any, twin: Twin) -> None:
    """With their step and receipt."""
    async with entered(any_care.case("case-1")) as case:
        case.step("retrieve", "find", input={"q": "#1"})
        case.step("act", "cancel", input={"order_id": "#1"}, receipt="op-1")
        case.step("act", "refund", input={"order_id": "#1"}, error="Refused")
        await done(case.resolve())
    await done(any_care.flush())
    [claim] = twin.of("resolution")
    assert claim.body["actions"] == [
        {"name": "cancel", "arguments": {"order_id": "#1"}, "step": 2, "receipt": "op-1"},
    ]


async def test_given_actions_are_claimed_instead(any_care: Any, twin: Twin) -> None:
    """The agent knows better than its trace."""
    async with entered(any_care.case("case-1")) as case:
        case.step("act", "cancel")
        await done(case.resolve(actions=[Action(name="send_label", arguments={"to": "#1"})]))
    await done(any_care.flush())
    assert twin.of("resolution")[0].body["actions"] == [{"name": "send_label", "arguments": {"to": "#1"}}]


async def test_an_error_hands_the_case_over_and_goes_on_its_way(any_care: Any, twin: Twin) -> None:
    """As a step and as the reason, by its type alone: what it says may be about a customer."""
    with pytest.raises(LookupError, match="nora"):
        async with entered(any_care.case("case-1")):
            raise LookupError("no order of nora@example.com")
    await done(any_care.flush())
    [step], [escalation] = twin.steps("case-1"), twin.of("escalation")
    assert (step.kind, step.name, step.error) == ("reason", "error", "LookupError")
    assert escalation.body["reason"] == "LookupError"
    assert "nora" not in json.dumps([r.body for r in twin.taken])


async def test_an_error_after_the_ending_changes_nothing(any_care: Any, twin: Twin) -> None:
    """The claim stands."""
    with suppress(ZeroDivisionError):
        async with entered(any_care.case("case-1")) as case:
            await done(case.resolve())
            raise ZeroDivisionError
    await done(any_care.flush())
    assert [r.kind for r in twin.taken] == ["registration", "resolution"]
    assert whats(any_care) == []


async def test_an_error_of_a_tool_is_one_step(any_care: Any, twin: Twin) -> None:
    """The tool's own, which the case does not tell again."""

    @tool("act")
    def fails() -> None:
        raise LookupError

    with suppress(LookupError):
        async with entered(any_care.case("case-1")):
            fails()
    await done(any_care.flush())
    assert [(s.name, s.error) for s in twin.steps("case-1")] == [("fails", "LookupError")]
    assert len(twin.of("escalation")) == 1


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, asyncio.CancelledError, SystemExit])
async def test_an_interruption_leaves_the_case_to_silence(
    any_care: Any, twin: Twin, interruption: type[BaseException]
) -> None:
    """The agent has not failed: the next process may go on."""
    with suppress(interruption):
        async with entered(any_care.case("case-1")) as case:
            case.step("reason")
            raise interruption
    await done(any_care.flush())
    assert [r.kind for r in twin.taken] == ["registration", "steps"]


async def test_a_case_is_taken_up_again(any_care: Any, twin: Twin) -> None:
    """Turn by turn: it is registered once, its steps are numbered on, and all its acts are claimed at the end."""
    for turn in range(3):
        async with entered(any_care.case("case-1")) as case:
            case.step("act", f"turn-{turn}")
    async with entered(any_care.case("case-1")) as case:
        await done(case.resolve())
    await done(any_care.flush())
    assert [r.kind for r in twin.taken] == ["registration", "steps", "steps", "steps", "resolution"]
    assert twin.attempts == 5
    assert [s.number for s in twin.steps("case-1")] == [1, 2, 3]
    assert [a["name"] for a in twin.of("resolution")[0].body["actions"]] == ["turn-0", "turn-1", "turn-2"]


async def test_a_reopened_case_has_a_second_ending(any_care: Any, twin: Twin) -> None:
    """Under an id of its own, and it claims only what was done since."""
    for name in ("cancel", "refund"):
        async with entered(any_care.case("case-1")) as case:
            case.step("act", name)
            await done(case.resolve())
        await done(any_care.reopen("case-1"))
    await done(any_care.flush())
    first, second = twin.of("resolution")
    assert (first.id, second.id) == ("case-1.resolution.1", "case-1.resolution.2")
    assert [a["name"] for a in second.body["actions"]] == ["refund"]


def test_a_later_process_goes_on_where_this_one_stopped(made: Made, twin: Twin) -> None:
    """With the same buffer: numbers, acts and endings."""
    with made().case("case-1") as case:
        case.step("act", "cancel")
    later = made()
    with later.case("case-1") as case:
        assert case.step("reply", said="Done.") == 2
        case.resolve()
    later.reopen("case-1")
    assert later.flush()
    with made().case("case-1") as case:
        case.step("act", "refund")
        case.resolve()
    assert made().flush()
    claims = [(r.id, [a["name"] for a in r.body["actions"]]) for r in twin.of("resolution")]
    assert claims == [("case-1.resolution.1", ["cancel"]), ("case-1.resolution.2", ["refund"])]


def test_a_case_that_began_elsewhere_is_numbered_on(care: Aftercare) -> None:
    """By whoever knows its last step."""
    with care.case("case-1", after=7) as case:
        assert case.step("reason") == 8


async def test_after_the_ending_nothing_is_recorded(any_care: Any, twin: Twin) -> None:
    """Neither a step nor a second ending; it is told, and nothing is raised."""
    async with entered(any_care.case("case-1")) as case:
        await done(case.resolve())
        assert case.step("reason") == 0
        await done(case.escalate())
    await done(any_care.flush())
    assert [r.kind for r in twin.taken] == ["registration", "resolution"]
    assert whats(any_care) == ["after_the_ending", "after_the_ending"]


async def test_cases_within_cases(any_care: Any) -> None:
    """The inner one is at hand until it is left."""
    async with entered(any_care.case("outer")) as outer:
        async with entered(any_care.case("inner")) as inner:
            assert current_case() is inner
        assert current_case() is outer
    assert current_case() is None


def test_threads_number_their_steps_apart(care: Aftercare, twin: Twin) -> None:
    """Whether they share a case in hand or each take it up."""

    def turn(_: int) -> int:
        with care.case("case-1") as case:
            return case.step("reason")

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(turn, range(60)))
    assert sorted(numbers) == list(range(1, 61))
    assert care.flush()
    assert sorted(s.number for s in twin.steps("case-1")) == list(range(1, 61))


async def test_a_value_that_does_not_fit_is_left_out_and_told(any_care: Any, twin: Twin) -> None:
    """Or cut, where it is a text; the step and its act stand. The value itself is nowhere in what is told."""
    async with entered(any_care.case("case-1", channel="x" * 200)) as case:
        case.step("act", "cancel", confidence=7.5, receipt="no such id!", error=None, said="y" * 30_000)
        await done(case.resolve(confidence="high", reply="z" * 5_000))
    await done(any_care.flush())
    [step] = twin.steps("case-1")
    assert (step.name, step.confidence, step.receipt, len(step.said)) == ("cancel", "not_reported", None, 20_000)
    assert len(twin.of("resolution")[0].body["reply"]) == 4_000
    assert whats(any_care) == ["does_not_fit"] * 3
    assert "no such id" not in str(any_care.problems())


async def test_what_no_database_keeps_is_cleaned_away(any_care: Any, twin: Twin) -> None:
    """NUL characters and halves of characters, wherever they stand."""
    async with entered(any_care.case("case-1", customer="a\x00b")) as case:
        case.step("reply", heard="\ud83d", input={"\x00": "\udc00"})
        await done(case.escalate(reason="\ud800"))
    await done(any_care.flush())
    assert len(twin.taken) == 3
    assert twin.taken[0].body["customer"] == "a\ufffdb"


def test_a_claim_of_many_large_acts_stays_within_a_message(care: Aftercare, twin: Twin) -> None:
    """A hundred at the most, their arguments cut."""
    with care.case("case-1") as case:
        for number in range(120):
            case.step("act", str(number), input={"text": "x" * 16_000})
        case.resolve()
    assert care.flush()
    [claim] = twin.of("resolution")
    assert len(claim.body["actions"]) == 100
    assert len(json.dumps(claim.body)) < 512 * 1024
    assert all(len(json.dumps(r.body)) < 1024 * 1024 for r in twin.of("steps"))


def test_a_long_case_id_still_names_its_messages(care: Aftercare, twin: Twin) -> None:
    """Within the length of an id, and never like another case's."""
    ids = ["x" * 119 + end for end in "ab"]
    for id in ids:
        with care.case(id) as case:
            case.resolve()
    assert care.flush()
    assert len({r.id for r in twin.of("resolution")}) == 2
    assert all(len(r.id) <= 120 for r in twin.taken)


def test_a_refused_registration_is_tried_again_on_the_next_entering(care: Aftercare, twin: Twin) -> None:
    """Somebody may have put right what was missing."""
    twin.replies.append(problem(422, "there is no policy book 'retail'"))
    for _ in range(2):
        with care.case("case-1"):
            pass
        assert care.flush()
    assert len(twin.of("registration")) == 1
    assert [r.reasons for r in care.refused()] == [("there is no policy book 'retail'",)]


def test_other_particulars_are_told_and_refused(care: Aftercare, twin: Twin) -> None:
    """A case is registered once; its messages go on."""
    for customer in ("c-17", "c-18"):
        with care.case("case-1", customer=customer) as case:
            case.step("reason")
    assert care.flush()
    assert [(r.kind, r.status) for r in care.refused()] == [("registration", 409)]
    assert len(twin.steps("case-1")) == 2


def test_problems_are_given_to_whoever_asks(made: Made, twin: Twin, caplog: pytest.LogCaptureFixture) -> None:
    """And logged by name, without what anybody said. A callback that fails is no problem of the agent's."""
    heard: list[Problem] = []

    def on_problem(problem: Problem) -> None:
        heard.append(problem)
        raise RuntimeError("nora@example.com")

    twin.replies.append(problem(422, "customer: given 'nora@example.com'"))
    care = made(on_problem=on_problem)
    care.feedback("case-1", "csat", 5)
    assert care.flush()
    assert [(p.what, p.kind) for p in heard] == [("refused", "feedback")]
    assert [r.message for r in caplog.records if r.name == "aftercare.client"] == ["refused", "on_problem_failed"]
    assert "nora" not in str([r.__dict__ for r in caplog.records])


async def test_a_cancelled_caller_loses_no_write(twin: Twin) -> None:
    """What was said before the cancellation gets to the disk in its turn, however long that takes."""
    care = AsyncAftercare("http://twin", agent="a", domain="retail", buffer=None, transport=twin.transport())
    disk = Event()
    async with care, care.case("case-1") as case:
        care.keep(lambda _: disk.wait(), "case-1", "a slow disk")
        resolving = asyncio.ensure_future(_awaited(case.resolve()))
        await asyncio.sleep(0)
        resolving.cancel()
        await asyncio.wait([resolving])
        disk.set()
        assert await care.flush()
    assert [r.kind for r in twin.taken] == ["registration", "resolution"]


async def _awaited(given: Any) -> None:
    await given


def test_a_client_outlives_its_loop(twin: Twin) -> None:
    """Each `asyncio.run` sends what is written in it, and what was left."""
    care = AsyncAftercare("http://twin", agent="a", domain="retail", buffer=None, transport=twin.transport())

    async def say(last: bool) -> None:
        await care.feedback("case-1", "csat", 5)
        if last:
            assert await care.close()

    asyncio.run(say(last=False))
    asyncio.run(say(last=True))
    assert len(twin.taken) == 2
