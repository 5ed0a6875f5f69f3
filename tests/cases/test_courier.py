"""The courier: messages of one case in their order, several cases at once, and never more than it can carry."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import cast

from aftercare.courier import MOST, Courier
from aftercare.delivery import NoAnswerYet
from aftercare.gateway import Gateway
from aftercare.store.inbox import message_row
from aftercare.store.tables import EvidenceRow


class Cases:
    """The gateway's twin: hears messages, each case at its own pace; `away` is a case that gives no answer."""

    def __init__(self, away: str = "") -> None:
        self.heard: list[tuple[str, str]] = []
        self.away, self.at_once, self.most = away, 0, 0

    async def redeliver(self, row: EvidenceRow) -> None:
        """Take one message in."""
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if row.case_id == self.away:
            raise NoAnswerYet("away")
        self.heard.append((row.case_id, row.id))

    @property
    def courier(self) -> Courier:
        return Courier(cast(Gateway, self), at_once=3)


def row(case_id: str, id: str) -> EvidenceRow:
    return message_row(case_id, id, "feedback", {"id": id}, "digest", datetime.now(UTC))


async def test_those_of_one_case_arrive_in_their_order() -> None:
    """And those of several cases at the same time, but never too many."""
    cases = Cases()
    courier = cases.courier
    for number in range(20):
        courier.soon(row(f"case-{number % 5}", f"m{number:02}"))
    await courier.close()
    for case in range(5):
        mine = [id for case_id, id in cases.heard if case_id == f"case-{case}"]
        assert mine == sorted(mine)
        assert len(mine) == 4
    assert 1 < cases.most <= 3


async def test_nothing_overtakes_what_could_not_be_delivered() -> None:
    """What came after it is left to the sweeper, which begins with the first; other cases do not wait for it."""
    cases = Cases(away="lost")
    courier = cases.courier
    for id in ("first", "second"):
        courier.soon(row("lost", id))
        courier.soon(row("other", id))
    await courier.close()
    assert cases.heard == [("other", "first"), ("other", "second")]
    assert await courier.deliver([row("lost", "first"), row("other", "third")]) == 1


async def test_it_carries_no_more_than_it_can() -> None:
    """What is too much stays in the inbox, for the sweeper."""
    cases = Cases()
    courier = cases.courier
    for number in range(MOST + 50):
        courier.soon(row("busy", str(number)))
    await courier.close()
    assert len(cases.heard) == MOST
    courier.soon(row("busy", "again"))
    await courier.close()
    assert cases.heard[-1] == ("busy", "again")


async def test_who_waits_for_an_answer_comes_after_what_is_under_way() -> None:
    """An answer that is waited for does not overtake what was acknowledged before it."""
    cases = Cases()
    courier = cases.courier
    courier.soon(row("case", "registration"))
    await courier.after("case")
    assert cases.heard == [("case", "registration")]
    await courier.after("another")
