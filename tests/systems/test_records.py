"""Systems of record are asked over HTTP; what is down may come back, what is set up wrongly does not."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from aftercare.systems.records import RecordsInMemory, SystemMisconfigured, Systems, SystemUnavailable
from policies.facts import RecordRef

ORDER = RecordRef(system="shop", kind="orders", id="#W1")


def systems(answer: Callable[[httpx.Request], httpx.Response]) -> Systems:
    """One system, answering as a test says."""
    client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return Systems.over_http({"shop": "http://shop/copies/{environment}"}, client)


async def test_a_record_is_asked_for_by_name_in_its_environment() -> None:
    """Ids are escaped, and the moment is named by the operation."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, json={"status": "pending"})

    shop = systems(answer)
    assert await shop.read(ORDER, "case/1") == {"status": "pending"}
    await shop.read(ORDER.model_copy(update={"before": "op-7"}), "")
    assert asked == [
        "http://shop/copies/case%2F1/records/orders/%23W1",
        "http://shop/copies/live/records/orders/%23W1?before=op-7",
    ]


async def test_what_is_not_there_is_no_error() -> None:
    """404 is an answer."""
    assert await systems(lambda _: httpx.Response(404)).read(ORDER, "") is None


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
async def test_what_may_pass_is_unavailable(status: int) -> None:
    """It is worth asking again."""
    with pytest.raises(SystemUnavailable, match=str(status)):
        await systems(lambda _: httpx.Response(status)).read(ORDER, "")


async def test_a_system_that_does_not_answer_is_unavailable() -> None:
    """No connection is no answer."""

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(SystemUnavailable, match="does not answer"):
        await systems(refuse).read(ORDER, "")


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_what_will_not_pass_is_misconfigured(status: int) -> None:
    """Asking again changes nothing."""
    with pytest.raises(SystemMisconfigured, match=str(status)):
        await systems(lambda _: httpx.Response(status)).read(ORDER, "")


async def test_an_answer_that_is_no_json_is_unavailable() -> None:
    """A proxy's error page is not a record."""
    with pytest.raises(SystemUnavailable, match="no JSON"):
        await systems(lambda _: httpx.Response(200, text="<html>")).read(ORDER, "")


async def test_an_unknown_system_is_named_with_those_there_are() -> None:
    """The operator is told what to set."""
    with pytest.raises(SystemMisconfigured, match=r"no system 'crm' is set in AFTERCARE_SYSTEMS \(there are: shop\)"):
        await Systems({"shop": RecordsInMemory()}).read(ORDER.model_copy(update={"system": "crm"}), "")


async def test_the_twin_in_memory_behaves_as_the_system_does() -> None:
    """Records now and before, nothing, and down."""
    twin = RecordsInMemory({"orders/#W1": {"status": "cancelled"}})
    twin.before["op-7", "orders/#W1"] = {"status": "pending"}
    assert await twin.read(ORDER, "") == {"status": "cancelled"}
    assert await twin.read(ORDER.model_copy(update={"before": "op-7"}), "") == {"status": "pending"}
    assert await twin.read(ORDER.model_copy(update={"id": "#W2"}), "") is None
    twin.down = True
    with pytest.raises(SystemUnavailable):
        await twin.read(ORDER, "")
