"""A decorated function is recorded within a case, and is what it was everywhere else."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from aftercare.client import Aftercare, current_case, tool
from aftercare.messages.case import Step, StepKind
from tests.client.conftest import Made, done, entered
from tests.client.twin import Twin


@tool(kind="act", receipt=lambda result: result["operation"])
def cancel(order_id: str, reason: str = "no longer needed") -> dict[str, str]:
    """Cancels."""
    if order_id == "#gone":
        raise LookupError("no order of nora@example.com")
    return {"operation": "op-1", "status": "cancelled"}


@tool("retrieve", name="find", omit=("token",))
async def find(*words: str, token: str, **where: int) -> list[str]:
    await asyncio.sleep(0)
    return [*words, *where]


class Shop:
    @Aftercare.tool("act")
    def refund(self, amount: float) -> object:
        return self


async def recorded(care: Any, twin: Twin, work: Callable[[], Any]) -> list[Step]:
    """The steps of one case in which something is done."""
    async with entered(care.case("case-1")):
        await done(work())
    assert await done(care.flush())
    return twin.steps("case-1")


async def test_a_call_is_a_step(any_care: Any, twin: Twin) -> None:
    """With the arguments by name, defaults too, the result, the receipt and the seconds it took."""
    [step] = await recorded(any_care, twin, lambda: cancel("#1"))
    assert (step.kind, step.name, step.receipt) == (StepKind.ACT, "cancel", "op-1")
    assert step.input == {"order_id": "#1", "reason": "no longer needed"}
    assert step.output == {"operation": "op-1", "status": "cancelled"}
    assert step.latency is not None
    assert step.latency >= 0


async def test_a_coroutine_is_recorded_when_it_is_done(any_care: Any, twin: Twin) -> None:
    """Arguments without names are a list, those by any name stand with the others; what is omitted is nowhere."""
    [step] = await recorded(any_care, twin, lambda: find("kettle", token="secret", shelf=3))  # noqa: S106
    assert (step.name, step.input, step.output) == ("find", {"words": ["kettle"], "shelf": 3}, ["kettle", "shelf"])


async def test_a_failed_call_tells_the_errors_type_and_no_more(any_care: Any, twin: Twin) -> None:
    """What it says may be about a customer. The error is raised as ever, and nothing is claimed."""

    def work() -> Any:
        with pytest.raises(LookupError, match="nora"):
            cancel("#gone")
        return current_case().resolve()

    [step] = await recorded(any_care, twin, work)
    assert (step.error, step.output, step.receipt) == ("LookupError", None, None)
    assert twin.of("resolution")[0].body["actions"] == []


def test_what_errors_say_is_told_where_it_is_wanted(made: Made, twin: Twin) -> None:
    """By whoever knows that there is nobody's name in it."""
    care = made(error_text=True)
    with care.case("case-1"), pytest.raises(LookupError):
        cancel("#gone")
    assert care.flush()
    assert twin.steps("case-1")[0].error == "LookupError: no order of nora@example.com"


async def test_a_method_is_recorded_without_its_owner(any_care: Any, twin: Twin) -> None:
    """And what is no JSON is told by its type."""
    [step] = await recorded(any_care, twin, lambda: Shop().refund(3.5))
    assert (step.name, step.input, step.output) == ("refund", {"amount": 3.5}, "Shop")


async def test_an_argument_is_told_as_it_was_given(any_care: Any, twin: Twin) -> None:
    """Not as the function left it."""

    @tool("reason")
    def emptied(items: list[int]) -> None:
        items.clear()

    [step] = await recorded(any_care, twin, lambda: emptied([1, 2]))
    assert step.input == {"items": [1, 2]}


async def test_a_receipt_that_is_not_there_costs_nothing(any_care: Any, twin: Twin) -> None:
    """The step stands, without one."""

    @tool("act", receipt=lambda result: result["operation"])
    def paid() -> int:
        return 7

    [step] = await recorded(any_care, twin, paid)
    assert (step.output, step.receipt) == (7, None)


async def test_a_call_that_does_not_fit_fails_as_it_would(any_care: Any, twin: Twin) -> None:
    """With Python's own error."""

    def work() -> None:
        with pytest.raises(TypeError, match="order_id"):
            cancel()  # type: ignore[call-arg]

    [step] = await recorded(any_care, twin, work)
    assert (step.error, step.input) == ("TypeError", {})


def test_outside_a_case_nothing_is_recorded(care: Aftercare, twin: Twin, caplog: pytest.LogCaptureFixture) -> None:
    """And the function does what it does, without a word."""
    assert cancel("#1")["status"] == "cancelled"
    assert asyncio.run(find("kettle", token="")) == ["kettle"]
    assert care.flush()
    assert twin.taken == []
    assert caplog.records == []


def test_a_decorated_function_looks_like_itself() -> None:
    """To whatever reads its name, its words and its parameters."""
    assert (cancel.__name__, cancel.__doc__) == ("cancel", "Cancels.")
    assert list(inspect.signature(cancel).parameters) == ["order_id", "reason"]
    assert inspect.iscoroutinefunction(find)


def test_a_kind_there_is_not_is_said_at_once() -> None:
    """When the function is made, not when a customer waits."""
    with pytest.raises(ValueError, match="acting"):
        tool("acting")


async def test_tasks_and_threads_know_their_case(any_care: Any, twin: Twin) -> None:
    """Each task its own, and the threads that asyncio starts."""

    async def serve(number: int) -> None:
        async with entered(any_care.case(f"case-{number}")):
            await find(str(number), token="")
            await asyncio.to_thread(cancel, f"#{number}")

    await asyncio.gather(*(serve(number) for number in range(5)))
    assert await done(any_care.flush())
    for number in range(5):
        found, act = twin.steps(f"case-{number}")
        assert (found.output, act.input["order_id"]) == ([str(number)], f"#{number}")


def test_other_threads_are_told_their_case(care: Aftercare, twin: Twin) -> None:
    """A pool's threads know none by themselves."""
    with care.case("case-1") as case, ThreadPoolExecutor(4) as pool:
        list(pool.map(case.within(cancel), [f"#{n}" for n in range(40)]))
        pool.submit(cancel, "#unknown").result()
    assert care.flush()
    steps = twin.steps("case-1")
    assert [s.number for s in steps] == list(range(1, 41))
    assert {s.input["order_id"] for s in steps} == {f"#{n}" for n in range(40)}
