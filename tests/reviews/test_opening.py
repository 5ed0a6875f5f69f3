"""A case that is drawn has its item from the moment it is opened: once, and never without the case."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import IntegrityError

from activities.books import Books
from activities.cases import CaseActivities
from aftercare.learning.drawing import drawn_for_audit
from aftercare.messages.case import Case
from aftercare.messages.work import OpenCase
from aftercare.store.cases import Cases
from aftercare.store.reviews import TOGETHER, Reviews, audit_of
from tests.reviews.conftest import ALL, NOW, opened


def opening(cases: Cases, share: float) -> CaseActivities:
    """What opens cases, drawing such a share."""
    return CaseActivities(cases, Books(cases), audit_share=share)


def asked(id: str, **other: str) -> OpenCase:
    case = Case.model_validate({"id": id, "agent": "shop", "domain": "retail", **other})
    return OpenCase(case_id=id, case=case)


async def test_a_drawn_case_has_an_item(cases: Cases, reviews: Reviews) -> None:
    """Open, of the case's agent, drawn now whatever time the case says it was opened at."""
    before = datetime.now(UTC)
    await opening(cases, ALL).open_case(asked("c", opened_at="2020-01-01T00:00:00Z"))
    (item,) = await reviews.items()
    assert (item.row.id, item.row.kind, item.row.agent, item.row.standing) == ("audit/c", "audit", "shop", "open")
    assert item.row.drawn_at >= before
    assert not item.ready


async def test_cases_are_drawn_by_their_ids(cases: Cases, reviews: Reviews) -> None:
    """Those of the pure function, and no others."""
    ids = [f"case-{n}" for n in range(30)]
    for id in ids:
        await opening(cases, 0.3).open_case(asked(id))
    assert await reviews.drawn(ids) == {id for id in ids if drawn_for_audit(id, 0.3)}


async def test_a_case_is_drawn_once_or_never(cases: Cases, reviews: Reviews) -> None:
    """Opened again, after a crash or under another share, a case stays as it was drawn."""
    for share in (0, ALL):
        await opening(cases, share).open_case(asked("not"))
    for share in (ALL, ALL, 0):
        await opening(cases, share).open_case(asked("drawn"))
    assert [item.row.id for item in await reviews.items()] == ["audit/drawn"]


async def test_a_case_opened_twice_at_once_has_one_item(cases: Cases, reviews: Reviews) -> None:
    """Whichever comes first."""
    await asyncio.gather(*(opening(cases, ALL).open_case(asked("c")) for _ in range(4)))
    assert [item.row.id for item in await reviews.items()] == ["audit/c"]


async def test_an_item_decided_meanwhile_is_left_alone(cases: Cases, reviews: Reviews) -> None:
    """Whoever registers late writes nothing over."""
    await opened(cases, "c")
    case = Case(id="c", agent="another", domain="retail")
    await cases.register(case, "digest", NOW, audit_of(case, ALL, datetime.now(UTC)))
    (item,) = await reviews.items()
    assert (item.row.agent, item.row.drawn_at) == ("shop", NOW)


async def test_whoever_opens_a_case_late_draws_nothing(cases: Cases, reviews: Reviews) -> None:
    """Two workers at once, one of which would draw more: the one that came first has decided it."""
    case = Case(id="c", agent="shop", domain="retail")
    await cases.register(case, "digest", NOW)
    await cases.register(case, "digest", NOW, audit_of(case, ALL, NOW))
    assert await reviews.items() == []


async def test_a_case_is_not_written_without_its_item(cases: Cases, reviews: Reviews) -> None:
    """Both or neither: a store that cannot keep the one does not keep the other."""
    case = Case(id="c", agent="shop", domain="retail")
    (item,) = audit_of(case, ALL, NOW)
    item.agent = None  # type: ignore[assignment]
    with pytest.raises(IntegrityError):
        await cases.register(case, "digest", NOW, [item])
    assert await cases.find("c") is None


async def test_a_persons_case_is_not_drawn(cases: Cases, reviews: Reviews) -> None:
    """There is no agent's ending in it to be judged."""
    await opening(cases, ALL).open_case(asked("hers", handled_by="human"))
    assert await reviews.items() == []


async def test_many_cases_are_asked_about_at_once(cases: Cases, reviews: Reviews) -> None:
    """More than a statement takes; what nobody knows was not drawn."""
    ids = [f"case-{n}" for n in range(3)]
    for id in ids:
        await opened(cases, id)
    assert await reviews.drawn([*ids, *(f"other-{n}" for n in range(2 * TOGETHER))]) == set(ids)
    assert await reviews.drawn([]) == set()
