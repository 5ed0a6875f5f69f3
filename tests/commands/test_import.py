"""`aftercare import`: everything or nothing, the same once, and every row that cannot be read with its line."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlmodel import select

from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.store.history import history_of
from aftercare.store.reporting import Selection
from aftercare.store.tables import FeedbackRow, HistoryRow
from tests.commands.conftest import Terminal

TICKETS = """id,opened_at,resolved_at,reopened_at,category,csat
1,2026-01-05T10:00Z,2026-01-05T12:00Z,2026-01-06T12:00Z,refund,4
2,2026-01-05T10:00Z,2026-01-05T11:00Z,,refund,
3,2026-01-05T10:00Z,,,cancel,2
"""


@pytest_asyncio.fixture(loop_scope="session")
async def store(bare: Terminal) -> AsyncIterator[Database]:
    """An empty store, at which commands are typed."""
    database = Database(f"sqlite+aiosqlite:///{bare.folder / 'store.db'}")
    await database.migrate()
    bare.env.setenv("AFTERCARE_DATABASE", database.url)
    yield database
    await database.close()


def file(bare: Terminal, name: str, content: str | bytes) -> Path:
    """A file of this name."""
    path = bare.folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


async def rows(store: Database, source: str = "tickets") -> dict[str, HistoryRow]:
    """The imported cases."""
    async with store.session() as session:
        found = [await session.get(HistoryRow, (source, str(number))) for number in range(10)]
    return {row.id: row for row in found if row}


async def test_a_history_is_imported_and_reported(bare: Terminal, store: Database) -> None:
    """By sensible names; what is known of coming back, and what is not."""
    said = await bare.types("import", "history", file(bare, "tickets.csv", TICKETS), "--json")
    assert (said.code, said.json["files"][0]["new"], said.json["files"][0]["source"]) == (0, 3, "tickets")
    assert {id: row.body for id, row in (await rows(store)).items()} == {
        "1": {"reopened": True, "reopened_24h": True},
        "2": {"reopened": False, "reopened_24h": False},
        "3": {"reopened": False},
    }
    report = (await bare.types("report", "--of", "history:tickets", "--json")).json
    figures = {figure["name"]: (figure["value"], figure["n"]) for figure in report["groups"][0]["figures"]}
    assert (figures["reopened_24h"], figures["csat"], figures["recontacted"]) == ((0.5, 2), (3.0, 2), (None, 0))


async def test_the_same_file_again_changes_nothing(bare: Terminal, store: Database) -> None:
    """And a row that says something else now replaces the one before."""
    path = file(bare, "tickets.csv", TICKETS)
    await bare.types("import", "history", path)
    again = (await bare.types("import", "history", path, "--json")).json["files"][0]
    assert (again["new"], again["changed"], again["same"]) == (0, 0, 3)
    file(bare, "tickets.csv", TICKETS.replace("refund,4", "refund,5"))
    changed = (await bare.types("import", "history", path, "--json")).json["files"][0]
    assert (changed["new"], changed["changed"], changed["same"]) == (0, 1, 2)
    assert (await rows(store))["1"].csat == 5


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".jsonl", ".jsonl.gz"])
async def test_every_form_says_the_same(bare: Terminal, store: Database, ending: str) -> None:
    """Comma-separated or a JSON object a line, gzipped or not."""
    header, *lines = (line.split(",") for line in TICKETS.splitlines())
    as_json = "\n".join(json.dumps({k: v or None for k, v in zip(header, line, strict=True)}) for line in lines)
    content = (TICKETS if "csv" in ending else as_json).encode()
    path = file(bare, f"tickets{ending}", gzip.compress(content) if ending.endswith("gz") else content)
    assert (await bare.types("import", "history", path)).code == 0
    assert [row.csat for row in (await rows(store)).values()] == [4, None, 2]


async def test_one_bad_row_and_nothing_is_imported(bare: Terminal, store: Database) -> None:
    """Its line and its reason are told, and never what stood in it."""
    hers = "ann@example.org"
    bad = f"4,{hers},,,refund,\n5,2026-01-05T10:00Z,,,refund,9\n6,2026-01-05T10:00Z\n"
    path = file(bare, "tickets.csv", TICKETS + bad)
    said = await bare.types("import", "history", path, "--json")
    assert (said.code, said.json["error"], said.json["bad"]) == (2, "wrong_input", 3)
    assert f"{path}, line 5: opened_at is no time like 2016-02-29T01:16 (ISO 8601)" in said.json["reasons"]
    assert f"{path}, line 6: csat is from 1 to 5, and this is 9" in said.json["reasons"]
    assert f"{path}, line 7: it has 2 columns, and the first line names 6" in said.json["reasons"]
    assert hers not in said.out
    assert await rows(store) == {}


async def test_bad_rows_may_be_skipped(bare: Terminal, store: Database) -> None:
    """They are counted; but where every row is bad, that is no import."""
    path = file(bare, "tickets.csv", TICKETS + "4,later,,,refund,\n")
    told = (await bare.types("import", "history", path, "--skip-bad", "--json")).json["files"][0]
    assert (told["rows"], told["new"], [bad["line"] for bad in told["skipped"]]) == (4, 3, [5])
    path = file(bare, "bad.csv", "id,opened_at\n1,later\n")
    assert (await bare.types("import", "history", path, "--skip-bad")).code == 2


async def test_times_without_a_zone_need_one(bare: Terminal, store: Database) -> None:
    """And then are of that zone; an hour that its clocks left out is refused."""
    path = file(bare, "tickets.csv", "id,opened_at\n1,2026-03-29 01:30\n2,2026-03-29 03:30\n")
    said = await bare.types("import", "history", path)
    assert (said.code, "say in which one these times are, with --zone" in said.err) == (2, True)
    assert (await bare.types("import", "history", path, "--zone", "Europe/Berlin")).code == 0
    assert [row.opened_at.hour for row in (await rows(store)).values()] == [0, 1]
    file(bare, "tickets.csv", "id,opened_at\n1,2026-03-29 02:30\n")
    said = await bare.types("import", "history", path, "--zone", "Europe/Berlin")
    assert "an hour that Europe/Berlin left out" in said.err


async def test_a_zone_nobody_knows_is_refused_with_names_like_it(bare: Terminal, store: Database) -> None:
    """Before the file is read."""
    said = await bare.types("import", "history", "none.csv", "--zone", "Europe/Berlni")
    assert (said.code, "did you mean Europe/Berlin" in said.err) == (2, True)


async def test_columns_are_named_and_unnamed(bare: Terminal, store: Database) -> None:
    """A column that is not there is refused; a fixed value holds for all rows; a name alone unmaps."""
    path = file(bare, "tickets.csv", TICKETS)
    said = await bare.types("import", "history", path, "--map", "customer=who")
    assert (said.code, "--map: no row has who; there are category, " in said.err) == (2, True)
    typed = ("--map", "csat=,agent=category", "--set", "handled_by=agent", "--source", "all")
    assert (await bare.types("import", "history", path, *typed)).code == 0
    assert {(row.csat, row.agent, row.handled_by) for row in (await rows(store, "all")).values()} == {
        (None, "refund", "agent"),
        (None, "cancel", "agent"),
    }


async def test_a_row_that_stands_there_twice_counts_once(bare: Terminal, store: Database) -> None:
    """Two that say different things under one id are bad."""
    path = file(bare, "tickets.csv", TICKETS + TICKETS.splitlines()[1])
    told = (await bare.types("import", "history", path, "--json")).json["files"][0]
    assert (told["new"], told["repeated"]) == (3, 1)
    file(bare, "tickets.csv", TICKETS + TICKETS.splitlines()[1].replace("refund", "cancel"))
    said = await bare.types("import", "history", path)
    assert f"line 5: it has the id of line 2 of {path}, and says something else" in said.err


async def test_files_of_one_source_are_one_import(bare: Terminal, store: Database) -> None:
    """What both tell counts once; where they contradict each other, neither is imported."""
    first, second = (file(bare, name, TICKETS) for name in ("first.csv", "second.csv"))
    typed = ("import", "history", first, second, "--source", "tickets")
    told = (await bare.types(*typed, "--json")).json["files"]
    assert [(one["new"], one["repeated"]) for one in told] == [(3, 0), (0, 3)]
    file(bare, "second.csv", TICKETS.replace("refund,4", "refund,5"))
    said = await bare.types(*typed)
    assert (said.code, f"{second}, line 2: it has the id of line 2 of {first}" in said.err) == (2, True)


async def test_what_a_row_says_outright_is_believed_before_its_times(bare: Terminal, store: Database) -> None:
    """A case may have been reopened more often than there are times for."""
    twice = "2026-01-09T10:00Z;2026-01-09T12:00Z"
    text = f"id,opened_at,resolved_at,reopened_at,reopened_within_24h\n1,2026-01-05Z,2026-01-05Z,{twice},1\n"
    await bare.types("import", "history", file(bare, "tickets.csv", text.replace("05Z", "05T10:00Z")))
    row = (await rows(store))["1"]
    assert row.body == {"reopened": True, "reopened_24h": True}
    assert row.reopened_at
    assert row.reopened_at.hour == 10


THUMBS = [
    {"conversation_id": "c1", "context": ["hello", "hi"], "thumb": 1},
    {"conversation_id": "c1", "context": ["hello", "hi", "bye"], "thumb": 0},
    {"conversation_id": "c2", "context": ["hello"], "thumb": None},
]
AS_THUMBS = ("--map", "value=thumb,step=#context", "--set", "kind=thumbs,at=2026-01-05T10:00Z")


async def test_thumbs_are_imported_by_the_reply_they_are_about(bare: Terminal, store: Database) -> None:
    """Under an id that the same row gets again; the unknown stays unknown."""
    path = file(bare, "thumbs.jsonl", "\n".join(map(json.dumps, THUMBS)))
    said = await bare.types("import", "feedback", path, *AS_THUMBS, "--values", "1=up,0=down", "--json")
    assert said.json["files"][0]["new"] == 3
    again = await bare.types("import", "feedback", path, *AS_THUMBS, "--values", "1=up,0=down", "--json")
    assert again.json["files"][0]["same"] == 3
    told = {facts.case_id: facts for facts in await history_of(Cases(store), "thumbs", Selection())}
    assert (told["c1"].thumbs_up, told["c1"].thumbs_down, told["c2"].thumbs_up) == (1, 1, 0)
    async with store.session() as session:
        kept = [row.step for row in (await session.exec(select(FeedbackRow)))]
    assert sorted(filter(None, kept)) == [2, 3, 4]


async def test_a_thumb_of_zero_is_not_guessed_at(bare: Terminal, store: Database) -> None:
    """It may point down, or be none."""
    path = file(bare, "thumbs.jsonl", "\n".join(map(json.dumps, THUMBS)))
    said = await bare.types("import", "feedback", path, *AS_THUMBS)
    assert (said.code, "line 2: value is none of up, down" in said.err) == (2, True)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"kind": "csat", "value": 7}, "csat is from 1 to 5"),
        ({"kind": "cast", "value": 7}, "there is no kind like this"),
        ({"kind": "csat", "value": "good"}, "value is no number"),
        ({"kind": "csat", "value": 3, "case_id": ""}, "there is no case_id"),
        ({"kind": "csat", "value": 3, "case_id": "a\x00b"}, "case_id must be one line"),
        ({"kind": "csat", "value": 3, "id": "computed/csat/1"}, "id must be 1 to 120"),
        ({"kind": "csat", "value": 3, "step": 0}, "step is no whole number"),
        ({"kind": "csat", "value": 3, "at": None}, "there is no time"),
        ({"kind": "csat", "value": 3, "handled_by": "ann"}, "handled_by is none of agent, human"),
        ({"kind": "dreams", "value": 3, "family": "odd"}, "family is none of"),
    ],
)
async def test_feedback_that_is_none_is_refused(
    bare: Terminal, store: Database, row: dict[str, object], why: str
) -> None:
    """Each for its own reason."""
    whole = {"case_id": "c", "at": "2026-01-05T10:00Z"} | row
    said = await bare.types("import", "feedback", file(bare, "f.jsonl", json.dumps(whole)), "--json")
    assert (said.code, why in said.json["reasons"][0]) == (2, True), said.out


async def test_a_kind_of_ones_own_needs_its_family(bare: Terminal, store: Database) -> None:
    """Then any value will do; a known kind keeps its own family."""
    lines = [{"case_id": "c", "at": "2026-01-05T10:00Z", "kind": k, "value": 3} for k in ("dreams", "csat")]
    path = file(bare, "f.jsonl", "\n".join(map(json.dumps, lines)))
    assert (await bare.types("import", "feedback", path, "--set", "family=implicit")).code == 0
    async with store.session() as session:
        kept = {row.kind: (row.family, row.baseline) for row in (await session.exec(select(FeedbackRow)))}
    assert kept == {"dreams": ("implicit", True), "csat": ("explicit", True)}


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("t.xlsx", b"", "the name must end in .csv"),
        ("t.csv", b"", "the first line must name each column once"),
        ("t.csv", b"id,id\n1,2\n", "the first line must name each column once"),
        ("t.csv.gz", b"not gzipped", "cannot be read"),
        ("t.csv.gz", gzip.compress(TICKETS.encode(), mtime=0)[:-20], "cannot be read"),
        ("t.csv", b"id,opened_at\n1,\xff\n", "line 2: it is not UTF-8"),
        ("t.jsonl", b'{"id": "1"\n', "line 1: it is no JSON"),
        ("t.jsonl", b"[1]\n", "line 1: it is no JSON object"),
        ("t.jsonl", b"[" * 100_000 + b"\n", "line 1: it is no JSON"),
        ("t.csv", b'id,opened_at\n"' + b"x" * 200_000 + b'",1\n', "field larger than field limit"),
        ("t.jsonl", b'{"id": "\\ud800", "opened_at": "2026-01-05T10:00Z"}\n', "id must be one line"),
        ("t.jsonl", b'{"id": "1", "opened_at": "2026-01-05T10:00Z", "cost": NaN}\n', "cost is no number"),
        ("t.jsonl", b'{"id": "1", "opened_at": "0001-01-01T00:00+14:00"}\n', "opened_at is no time"),
        ("t.jsonl", b'{"id": {"a": 1}, "opened_at": "2026-01-05T10:00Z"}\n', "id is no text"),
    ],
)
async def test_a_file_that_cannot_be_read_says_why(
    bare: Terminal, store: Database, name: str, content: bytes, why: str
) -> None:
    """And nothing is written."""
    said = await bare.types("import", "history", file(bare, name, content), "--json")
    assert (said.code, any(why in reason for reason in said.json["reasons"])) == (2, True), said.out


async def test_a_file_that_is_not_there_is_said(bare: Terminal, store: Database) -> None:
    """As is that none was named."""
    for typed in (("none.csv",), ()):
        assert (await bare.types("import", "history", *typed, "--json")).json["error"] == "wrong_input"


async def test_semicolons_tabs_and_a_mark_of_windows_are_understood(bare: Terminal, store: Database) -> None:
    """What a spreadsheet writes."""
    for apart in (";", "\t"):
        content = "\ufeff" + TICKETS.replace(",", apart)
        assert (await bare.types("import", "history", file(bare, "tickets.csv", content))).code == 0
    assert len(await rows(store)) == 3
