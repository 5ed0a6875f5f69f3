"""Reports as every door asks for them: which cases are meant, and what cannot be asked."""

from __future__ import annotations

import pytest

from aftercare.learning.comparison import Finding
from aftercare.learning.figures import By
from aftercare.reporting import BadReport, comparison, report, shadow, side_of
from aftercare.store.reporting import Selection
from tests.reports.shelf import HOUR, NOW, Shelf


async def test_a_report_says_of_which_cases_it_is(shelf: Shelf) -> None:
    """How many settled, how many have not, and of which time."""
    await shelf.settled("first")
    await shelf.settled("second", "overridden", opened_at=NOW + HOUR)
    await shelf.opened("running")
    told = await report(shelf.cases)
    assert (told.cases, told.unsettled, told.opened_first, told.opened_last) == (2, 1, NOW, NOW + HOUR)
    rates = {figure.name: figure.value for figure in told.groups[0].figures}
    assert (rates["claimed"], rates["verified"], rates["durable"], rates["overridden"]) == (1, 1, 0.5, 0.5)


async def test_an_empty_store_has_figures_without_values(shelf: Shelf) -> None:
    """Nothing is known, and nothing is zero."""
    told = await report(shelf.cases)
    assert {(figure.value, figure.n) for figure in told.groups[0].figures} == {(None, 0)}
    assert (await report(shelf.cases, by=By.INTENT)).groups == ()


async def test_figures_by_group_are_those_of_the_group_alone(shelf: Shelf) -> None:
    """By release, here."""
    for number in range(4):
        await shelf.settled(f"c{number}", "confirmed" if number else "failed", release=f"r{number % 2}")
    told = await report(shelf.cases, by=By.RELEASE, names=["durable"])
    assert [(g.group, g.cases, g.figures[0].value) for g in told.groups] == [("r0", 2, 0.5), ("r1", 2, 1.0)]
    alone = await report(shelf.cases, "release:r0", names=["durable"])
    assert alone.groups[0].figures == told.groups[0].figures


async def test_an_agent_is_compared_with_people_on_the_same_intents(shelf: Shelf) -> None:
    """Unless it is said otherwise; the agent's own side leaves out what people handled for it."""
    for number in range(60):
        human = number % 2 == 1
        await shelf.settled(f"c{number}", handled_by="human" if human else "agent", intent=f"i{number % 4 // 2}")
        await shelf.feedback(f"c{number}", "csat", 4 + (number // 4) % 2 if human else 1 + (number // 4) % 2)
    told = await comparison(shelf.cases, "agent:bot", "human", names=["csat"])
    assert (told.cases_a, told.cases_b, told.intents) == (30, 30, ("i0", "i1"))
    assert told.figures[0].finding is Finding.LOWER
    assert (await comparison(shelf.cases, "agent:bot", "human", same_intent=False)).intents is None
    few = await comparison(shelf.cases, "agent:bot", "human", Selection(intent="i0"), names=["csat"])
    assert (few.cases_a, few.figures[0].finding) == (15, Finding.TOO_FEW)


async def test_now_is_compared_with_an_import(shelf: Shelf) -> None:
    """Of one source, or of all of them."""
    await shelf.settled("c")
    await shelf.history("1")
    await shelf.history("1", "elsewhere")
    assert (await comparison(shelf.cases, "now", "history:before")).cases_b == 1
    assert (await comparison(shelf.cases, "now", "history")).cases_b == 2


async def test_shadow_holds_proposals_against_what_people_did(shelf: Shelf) -> None:
    """Only in cases that people handled, by intent."""
    for number, agreement in enumerate((1.0, 0.5, None)):
        await shelf.settled(f"c{number}", handled_by="human", intent="refund")
        await shelf.feedback(f"c{number}", "shadow_agreement", agreement)
    await shelf.settled("own", intent="refund")
    (group,) = (await shadow(shelf.cases)).groups
    assert (group.group, group.cases) == ("refund", 3)
    assert {f.name: (f.value, f.n) for f in group.figures} == {"agreement": (0.75, 2), "agreed": (0.5, 2)}


@pytest.mark.parametrize(
    ("of", "which", "why"),
    [
        ("release:r1", Selection(release="r2"), "is of the release 'r1', and not of 'r2'"),
        ("human", Selection(handled_by="agent"), "is of the handled_by 'human'"),
        ("now", Selection(since=NOW, until=NOW), "since must be before until"),
        ("now", Selection(intent="a\x00b"), "control character"),
        ("history:nobody", Selection(), "nothing was imported as 'nobody'; there are before"),
    ],
)
async def test_what_cannot_be_asked_says_why(shelf: Shelf, of: str, which: Selection, why: str) -> None:
    """And what to ask instead."""
    await shelf.history("1")
    with pytest.raises(BadReport, match=why):
        await report(shelf.cases, of, which)


async def test_a_figure_nobody_knows_is_refused_with_those_there_are(shelf: Shelf) -> None:
    """In a report and in a comparison."""
    with pytest.raises(BadReport, match="there is no figure csta; there are claimed, "):
        await report(shelf.cases, names=["csta"])
    with pytest.raises(BadReport, match="no figure"):
        await comparison(shelf.cases, "now", "human", names=["csta"])


@pytest.mark.parametrize(
    "told", ["", "later", "now:x", "human:ann", "release", "release:", "agent:", "a\nb", "history:"]
)
def test_what_is_no_set_of_cases_is_refused(told: str) -> None:
    """With those there are."""
    with pytest.raises(BadReport, match="there are now, agent:NAME"):
        side_of(told)
