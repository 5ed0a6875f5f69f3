"""Cases in lists: newest first, filtered, a page at a time."""

from __future__ import annotations

from aftercare.keys import Role
from tests.web.conftest import Site


async def test_pages_hold_every_case_once_and_newest_first(site: Site) -> None:
    """However the pages are cut."""
    for n in range(5):
        await site.open("listed", agent="pager", opened_at=f"2026-01-0{n + 1}T00:00:00Z")
    seen, cursor = [], ""
    while cursor is not None:
        path = f"/v1/cases?agent=pager&limit=2{'&cursor=' + cursor if cursor else ''}"
        page = (await site.ask("GET", path, role=Role.OPERATOR)).json()
        seen += [case["opened_at"][:10] for case in page["cases"]]
        cursor = page["next"]
    assert seen == [f"2026-01-0{n}" for n in (5, 4, 3, 2, 1)]


async def test_filters(site: Site) -> None:
    """By what is known of a case; a value that cannot be is refused, and says which could."""
    await site.open("filtered", agent="filterer", handled_by="human")
    for query, number in (("handled_by=human", 1), ("handled_by=agent", 0), ("opened_before=2026-01-01T00:00:00Z", 0)):
        found = (await site.ask("GET", f"/v1/cases?agent=filterer&{query}")).json()
        assert len(found["cases"]) == number, query
    for wrong in ("stage=asleep", "limit=0", "cursor=abc", "opened_after=yesterday", "intent=%00"):
        assert (await site.ask("GET", f"/v1/cases?{wrong}")).status_code == 422, wrong
