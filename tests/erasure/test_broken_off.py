"""An erasure that is broken off anywhere is finished by asking for it again."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from aftercare.erasure import Erasure, NotErased
from tests.cases.desk import Desk
from tests.erasure.people import customer, places, rows

AWAY = RPCError("no connection", RPCStatusCode.UNAVAILABLE, b"")


class Breaking:
    """A client that answers so many questions of a kind, and then fails."""

    def __init__(self, client: Client, error: Exception, **answers: int) -> None:
        self._client, self._error, self._answers = client, error, answers

    def __getattr__(self, name: str) -> Any:
        self._answer(name)
        return self if name == "workflow_service" else getattr(self._client, name)

    async def delete_workflow_execution(self, *asked: Any, **how: Any) -> Any:
        """As the service has it."""
        self._answer("delete")
        return await self._client.workflow_service.delete_workflow_execution(*asked, **how)

    def _answer(self, name: str) -> None:
        if self._answers.get(name) == 0:
            raise self._error
        if name in self._answers:
            self._answers[name] -= 1


def breaking(desk: Desk, error: Exception, **answers: int) -> Erasure:
    return Erasure(Breaking(desk.env.client, error, **answers), desk.cases)  # type: ignore[arg-type]


async def test_without_temporal_nothing_is_erased(desk: Desk) -> None:
    """It is refused at once, says what to do, and changes nothing."""
    who = customer()
    await who.case(desk, "away").watched()
    before = await rows(desk.cases.database)
    with pytest.raises(NotErased, match=r"\(UNAVAILABLE\): see that it runs; nothing was erased; ask for the same"):
        await breaking(desk, AWAY, count_workflows=0).erase(who.request, "admin")
    assert await rows(desk.cases.database) == before


async def test_a_temporal_that_goes_away_meanwhile_is_told(desk: Desk, erasure: Erasure) -> None:
    """The receipt says what is left; asked for again, all of it goes."""
    who = customer()
    await who.case(desk, "half").watched()
    half = await breaking(desk, AWAY, delete=0).erase(who.request, "admin")
    assert not half.complete
    assert half.left == (
        "Temporal does not answer (UNAVAILABLE): see that it runs; ask for the same erasure again; "
        "1 cases are marked as erased and still lie in the store",
    )
    assert await erasure.receipt(half.id) == half
    whole = await erasure.erase(who.request, "admin")
    assert (whole.complete, whole.traces.cases, whole.terminated) == (True, 1, 1)
    assert await places(desk.cases.database, who.name, who.mail, who.id) == []


@pytest.mark.parametrize(
    ("answers", "scrubbed"),
    [({"list_workflows": 0}, False), ({"delete": 0}, False), ({"delete": 1}, False), ({"list_workflows": 2}, True)],
    ids=["marked", "nothing deleted", "one history deleted", "scrubbed"],
)
async def test_a_crash_is_made_good_by_asking_again(
    desk: Desk, erasure: Erasure, answers: dict[str, int], scrubbed: bool
) -> None:
    """Wherever it happened, nothing is left in the end."""
    who = customer()
    one, two = await who.case(desk, "crash").watched(), await who.case(desk, "crash").watched()
    with pytest.raises(ZeroDivisionError):
        await breaking(desk, ZeroDivisionError(), **answers).erase(who.request, "admin")
    row = await desk.cases.find(one.id)
    assert row
    assert (row.erased_at is not None, row.customer is None) == (True, scrubbed)
    assert (await erasure.erase(who.request, "admin")).complete
    assert await places(desk.cases.database, who.name, who.mail, who.id) == []
    for case in (one, two):
        with pytest.raises(RPCError, match="not found"):
            await case.handle.describe()
