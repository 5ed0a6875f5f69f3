"""`aftercare report`: figures with their n and interval, in a terminal and for machines."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from aftercare.learning.measures import MEASURES
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from tests.commands.conftest import Terminal
from tests.reports.shelf import NOW, Shelf

pytestmark = pytest.mark.usefixtures("zone")


@pytest.fixture
def zone() -> Iterator[None]:
    """The reader is in Auckland."""
    with pytest.MonkeyPatch.context() as env:
        env.setenv("TZ", "Pacific/Auckland")
        time.tzset()
        yield
    time.tzset()


@pytest_asyncio.fixture(loop_scope="session")
async def shelf(bare: Terminal) -> AsyncIterator[Shelf]:
    """A store with cases, at which commands are typed."""
    database = Database(f"sqlite+aiosqlite:///{bare.folder / 'store.db'}")
    await database.migrate()
    bare.env.setenv("AFTERCARE_DATABASE", database.url)
    shelf = Shelf(Cases(database))
    for number in range(40):
        of = {"release": f"r{number % 2}", "intent": "refund"}
        await shelf.settled(f"c{number}", "confirmed" if number % 4 else "overridden", **of)
        await shelf.feedback(f"c{number}", "csat", 1 + number % 5)
    yield shelf
    await database.close()


async def test_every_known_figure_has_its_n_and_interval(bare: Terminal, shelf: Shelf) -> None:
    """In a line of its own; the unknown are named, and none of them is zero."""
    said = await bare.types("report")
    lines = {line.split()[0]: line for line in said.out.splitlines()[2:] if line[0] != " "}
    assert lines["durable"].split()[1:6] == ["75.0%", "59.8%", "to", "85.8%", "40"]
    assert lines["csat"].split()[1:6] == ["3.00", "2.54", "to", "3.46", "40"]
    assert "ces" in lines["Nothing"]
    assert said.code == 0
    assert max(map(len, said.out.splitlines()[:-1])) <= 100


async def test_json_is_the_whole_report(bare: Terminal, shelf: Shelf) -> None:
    """One document, with every figure."""
    told = (await bare.types("report", "--json")).json
    assert (told["of"], told["cases"], told["unsettled"]) == ("now", 40, 0)
    assert [figure["name"] for figure in told["groups"][0]["figures"]] == list(MEASURES)


async def test_groups_stand_side_by_side(bare: Terminal, shelf: Shelf) -> None:
    """With the figures that were asked for."""
    said = await bare.types("report", "--by", "release", "--figure", "durable", "--figure", "csat")
    rows = [line.split() for line in said.out.splitlines()]
    assert rows[1] == ["release", "cases", "durable", "csat"]
    assert rows[2] == ["r0", "20", "50.0%,", "n", "20", "3.00,", "n", "20"]


async def test_weeks_and_times_are_the_readers_own(bare: Terminal, shelf: Shelf) -> None:
    """Sunday noon in UTC is Monday in Auckland, and so is what --since means."""
    await shelf.settled("sunday", opened_at=NOW.replace(day=22))
    assert [group["group"] for group in (await bare.types("report", "--by", "week", "--json")).json["groups"]] == [
        "2026-W48"
    ]
    for since, cases in (("2026-11-23", 41), ("2026-11-23T01:01", 40)):
        assert (await bare.types("report", "--since", since, "--json")).json["cases"] == cases
    assert "opened 2026-11-23 01:00:00 to 2026-11-24 01:00:00" in (await bare.types("report")).out


async def test_releases_are_compared(bare: Terminal, shelf: Shelf) -> None:
    """Twenty on a side are too few to tell."""
    said = await bare.types("report", "compare", "--a", "release:r0", "--b", "release:r1", "--figure", "durable")
    assert "a: release:r0, 20 cases; b: release:r1, 20 cases" in said.out
    row = next(line for line in said.out.splitlines() if line.startswith("durable"))
    assert row.split() == ["durable", "50.0%", "20", "100.0%", "20", "-", "-", "too", "few"]


async def test_a_clear_difference_is_said(bare: Terminal, shelf: Shelf) -> None:
    """All against the overridden half of them."""
    for number in range(40):
        await shelf.history(str(number), csat=1 + number % 2)
    said = await bare.types("report", "compare", "--a", "now", "--b", "history:before", "--figure", "csat")
    row = next(line for line in said.out.splitlines() if line.startswith("csat")).split()
    assert row[5] == "+1.50"
    assert row[-1] == "higher"


async def test_shadow_without_proposals_knows_nothing(bare: Terminal, shelf: Shelf) -> None:
    """And says of how many cases."""
    await shelf.settled("theirs", handled_by="human", intent="refund")
    said = await bare.types("report", "shadow")
    assert [line.split() for line in said.out.splitlines()][2] == ["refund", "1", "-", "-"]


@pytest.mark.parametrize(
    "typed",
    [
        ("--of", "moon"),
        ("--figure", "moon"),
        ("--by", "moon"),
        ("--since", "0001-01-01"),
        ("--since", "tomorrow"),
        ("compare", "--a", "now", "--b", "history:moon"),
        ("compare", "--a", "now"),
    ],
)
async def test_what_cannot_be_asked_is_wrong_input(bare: Terminal, shelf: Shelf, typed: tuple[str, ...]) -> None:
    """Exit code 2, with the reason."""
    said = await bare.types("report", *typed, "--json")
    assert (said.code, said.json["error"]) == (2, "wrong_input")


async def test_without_a_store_it_is_said(bare: Terminal) -> None:
    """And none is made."""
    said = await bare.types("report", "--json")
    assert (said.code, said.json["error"]) == (2, "store")
