"""`aftercare trigger`: the rows, how they stand, what an edited book would have done; and to speak to supervisors."""

from __future__ import annotations

import shutil
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from activities.books import Books
from aftercare.commands import trigger_told
from aftercare.commands.answering import to_people
from aftercare.commands.trigger_book import Book
from aftercare.demo.evidence import USUAL, Agent
from aftercare.demo.simulated_words import TOPICS
from aftercare.messages.improvement import Firing, FiringStatus, GroupStanding, TriggerStanding, Work
from aftercare.redaction import redactor_of
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.store.tables import HistoryRow, SupervisorRow
from aftercare.temporal import DATA_CONVERTER, workflow_runner
from policies.book import SHIPPED
from policies.triggers import FILE, load_matrix
from tests.cases.desk import stopped_clock
from tests.commands.conftest import NOBODY, Said, Terminal
from tests.improvement.bench import Bench, Row, bench_on
from tests.triggers.evidence import NOW, ROW
from worker import improvement_activities, improvement_worker

AUCKLAND = "Pacific/Auckland"
AGENT, BUSY = "shop-assistant", "busy-assistant"
BOOK = """\
check: {every: PT1H, at_most: P30D}
triggers:
  daily:
    says: "People correct what the agent decides."
    evidence: {override: {at_least: 1}}
    group_by: intent
    detectors: [{detector: rate, notice: 2}, {detector: volume, cases: 90}]
    cooldown: P1D
    starts: {workflow: retraining, kind: intent_classifier}
  slow:
    says: "Cases take too long."
    evidence: {handling_time: {}}
    detectors: [{detector: quantile}]
    cooldown: P1D
    starts: {workflow: playbook_revision, kind: execution}
"""
OFTEN = replace(USUAL, ends={"quiet": 0.5, "overridden": 0.5})


@pytest.fixture(autouse=True)
def zone() -> Iterator[None]:
    """The reader is in Auckland."""
    with pytest.MonkeyPatch.context() as env:
        env.setenv("TZ", AUCKLAND)
        time.tzset()
        yield
    time.tzset()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def env() -> AsyncIterator[WorkflowEnvironment]:
    """A Temporal of our own, whose clocks stand still."""
    async with await stopped_clock(DATA_CONVERTER) as started:
        yield started


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of policies."""
    made = tmp_path_factory.mktemp("policies")
    (made / FILE).write_text(BOOK, "utf-8")
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bench(
    env: WorkflowEnvironment, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Bench]:
    """Supervisors at work, on a store in which one agent has always done well, and another has begun to do badly."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('triggers') / 'store.db'}")
    await database.migrate()
    await Agent(database, AGENT).works(60)
    busy = Agent(database, BUSY)
    await busy.works(700)
    await busy.works(100, dict.fromkeys(TOPICS, OFTEN))
    made, cases = bench_on(env, database, folder), Cases(database)
    does = improvement_activities(cases, Books(cases), made.matrices, redactor_of(), made.triggers)
    async with improvement_worker(env.client, does, runner=workflow_runner()):
        yield made
        await made.end()
    await database.close()


@pytest.fixture
def bare(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Terminal:
    """A terminal where nothing runs: no Temporal, no store."""
    for name in ("DATABASE", "POLICIES"):
        monkeypatch.delenv(f"AFTERCARE_{name}", raising=False)
    monkeypatch.setenv("AFTERCARE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TEMPORAL_ADDRESS", NOBODY)
    return Terminal(capsys, monkeypatch, tmp_path)


@pytest.fixture
def terminal(bare: Terminal, bench: Bench, folder: Path) -> Terminal:
    """A terminal at the bench."""
    bare.env.setenv("TEMPORAL_ADDRESS", bench.env.client.service_client.config.target_host)
    bare.env.setenv("AFTERCARE_DATABASE", bench.database.url)
    bare.env.setenv("AFTERCARE_POLICIES", str(folder))
    return bare


async def supervised(bench: Bench, agent: str, trigger: str = "daily") -> Row:
    """A supervisor of a row for an agent whose evidence is there."""
    row = Row(bench, agent, trigger)
    bench.rows.append(row)
    return await row.supervised()


def edited(terminal: Terminal, *edits: tuple[str, str]) -> Path:
    """The book with something edited."""
    text = BOOK
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    file = terminal.folder / "edited.yaml"
    file.write_text(text, "utf-8")
    return file


def fits(said: Said) -> bool:
    """Whether it was done, and all but the places of books is no wider than where nobody looks."""
    assert (said.code, said.err) == (0, "")
    lines = [line for line in said.out.splitlines() if not line.startswith(("Book ", "     in force"))]
    return max(len(line.rstrip()) for line in lines) <= 100


async def test_the_rows_are_listed_before_there_is_a_store(bare: Terminal) -> None:
    """What each counts, notices and starts; and that no supervisor has taken them."""
    said = await bare.types("trigger", "list")
    assert fits(said)
    assert "there is no store" in said.out.splitlines()[0]
    assert "notices  2 x beyond p90 of handling_time, 2 x the rate of loop" in said.out
    told = (await bare.types("trigger", "list", "--json")).json
    assert (told["digest"], list(told["triggers"])) == (load_matrix().digest, list(load_matrix().matrix.triggers))


async def test_a_dry_run_tells_what_would_have_fired(terminal: Terminal) -> None:
    """When, on the reader's own clock; because of what; and that it is the book in force."""
    said = await terminal.types("trigger", "dry-run")
    assert fits(said)
    assert "it is the book in force" in said.out
    told = (await terminal.types("trigger", "dry-run", "--json")).json
    first = told["firings"][0]
    assert (first["agent"], first["trigger"], first["cases_earlier"]) == (BUSY, "daily", 0)
    assert first["edited"]["because"].startswith("override in ")
    assert f"{datetime.fromisoformat(first['edited']['at']).astimezone(ZoneInfo(AUCKLAND)):%Y-%m-%d %H:%M}" in said.out
    assert [row["fired"] for row in told["rows"]] == [row["fired_in_force"] for row in told["rows"]]


async def test_an_edited_book_is_held_against_the_one_in_force(terminal: Terminal) -> None:
    """By how many cases it is earlier or later; what is new, and what fires no more."""
    small = edited(terminal, ("cases: 90", "cases: 10"))
    told = (await terminal.types("trigger", "dry-run", "--book", small, "--agent", BUSY, "--json")).json
    assert any(firing["in_force"] is None for firing in told["firings"])
    assert told["book"]["digest"] != told["in_force"]["digest"]
    large = edited(terminal, ("notice: 2", "notice: 9"), ("cases: 90", "cases: 50"))
    said = await terminal.types("trigger", "dry-run", "--book", large, "--agent", BUSY, "--trigger", "daily")
    assert fits(said)
    assert "later than on" in said.out or "fires no more" in said.out


async def test_a_dry_run_writes_nothing(terminal: Terminal, bench: Bench) -> None:
    """No evidence is counted by it, and no supervisor or firing is there afterwards that was not there before."""
    before = await bench.triggers.standing(BUSY, "slow", load_matrix().matrix.triggers["csat"], NOW)
    await terminal.types("trigger", "dry-run", "--agent", BUSY, "--trigger", "slow")
    assert await bench.triggers.standing(BUSY, "slow", load_matrix().matrix.triggers["csat"], NOW) == before


async def test_an_imported_history_is_replayed_too(terminal: Terminal, bench: Bench) -> None:
    """As if one agent had handled it; an unknown source is wrong input."""
    rows = [
        HistoryRow(source="helpdesk", id=f"h{n}", agent=f"person-{n % 7}", opened_at=NOW, handling_time=60.0 + n)
        for n in range(50)
    ]
    await bench.database.write(*rows)
    told = (await terminal.types("trigger", "dry-run", "--imported", "helpdesk", "--json")).json
    assert [(row["agent"], row["trigger"], row["cases"]) for row in told["rows"]] == [("helpdesk", "slow", 50)]
    said = await terminal.types("trigger", "dry-run", "--imported", "help-desk")
    assert (said.code, "nothing was imported as help-desk; there are helpdesk" in said.err) == (2, True)


async def test_a_time_without_evidence_is_said(terminal: Terminal) -> None:
    """It is an answer, and not an error."""
    said = await terminal.types("trigger", "dry-run", "--until", "2020-01-01")
    assert fits(said)
    assert "There is no evidence of these kinds" in said.out


@pytest.mark.parametrize(
    ("edit", "told"),
    [(("override:", "overide:"), "row daily, evidence.overide"), (("P1D", "soon"), "row daily, cooldown: a duration")],
    ids=["an unknown kind", "no duration"],
)
async def test_a_broken_book_is_wrong_input(terminal: Terminal, edit: tuple[str, str], told: str) -> None:
    """Every problem by file, line, column, row and field."""
    said = await terminal.types("trigger", "dry-run", "--book", edited(terminal, edit))
    assert (said.code, said.out) == (2, "")
    assert told in said.err
    assert "edited.yaml:" in said.err


async def test_what_is_not_there_is_said(terminal: Terminal) -> None:
    """A file, a row, an agent, a firing."""
    for typed, code, told in (
        (("dry-run", "--book", "nowhere.yaml"), 2, "there is no such file"),
        (("dry-run", "--trigger", "dialy"), 1, "has no row dialy; did you mean daily?"),
        (("standing", "--trigger", "dialy"), 1, "has no row dialy; did you mean daily?"),
        (("standing", "--agent", "nobody"), 1, f"there are cases of {BUSY}, {AGENT}"),
        (("firings", "--agent", "nobody"), 1, f"there are cases of {BUSY}, {AGENT}"),
        (("firings", "--trigger", "dialy"), 1, "has no row dialy; did you mean daily?"),
        (("dry-run", "--agent", "nobody"), 1, f"there are cases of {BUSY}, {AGENT}"),
        (("show", "a/b/1"), 1, "nothing fired as a/b/1"),
    ):
        said = await terminal.types("trigger", *typed)
        assert (said.code, told in " ".join(said.err.split())) == (code, True)


async def test_a_supervisor_that_is_not_there_is_said_with_what_to_do(terminal: Terminal) -> None:
    """Whether nobody knows the agent or the row, or a worker has to bring it back."""
    said = await terminal.types("trigger", "check", AGENT, "slow")
    assert (said.code, "no supervisor watches slow for agent shop-assistant" in said.err) == (1, True)
    assert "a worker brings missing supervisors back within the hour, or when it starts" in said.err
    told = (await terminal.types("trigger", "pause", "nobody", "none", "--by", "r.meyer", "--json")).json
    assert told["error"] == "refused"
    assert [reason.split(";")[0] for reason in told["reasons"][1:]] == [
        "the book in force has no row none",
        "no case of agent nobody is registered",
    ]


async def test_without_temporal_nothing_is_asked(terminal: Terminal) -> None:
    """Exit code 2; what is read from the store is there all the same."""
    terminal.env.setenv("TEMPORAL_ADDRESS", NOBODY)
    assert (await terminal.types("trigger", "check", AGENT, "daily")).code == 2
    assert (await terminal.types("trigger", "standing")).code == 0


async def test_a_row_is_paused_and_goes_on(terminal: Terminal, bench: Bench) -> None:
    """By whom and why is told; what is asked twice is refused in words."""
    await supervised(bench, AGENT, "slow")
    pause = ("trigger", "pause", AGENT, "slow", "--by", "r.meyer", "--reason", "we change the book")
    assert "paused by r.meyer: we change the book" in (await terminal.types(*pause)).out
    again = await terminal.types(*pause)
    assert (again.code, "it is paused already, by r.meyer" in again.err) == (1, True)
    standing = await terminal.types("trigger", "standing", "--agent", AGENT)
    assert fits(standing)
    assert "paused by r.meyer" in standing.out
    resumed = await terminal.types("trigger", "resume", AGENT, "slow", "--by", "r.meyer", "--json")
    assert (resumed.code, resumed.json["paused_by"]) == (0, "")


async def test_a_check_tells_how_the_row_stands(terminal: Terminal, bench: Bench) -> None:
    """How much is new, what waits; afterwards it stands in the store, group by group."""
    await supervised(bench, BUSY, "slow")
    said = await terminal.types("trigger", "check", BUSY, "slow")
    assert fits(said)
    assert "checked: slow, agent busy-assistant" in said.out
    shown = await terminal.types("trigger", "standing", "--agent", BUSY, "--trigger", "slow")
    assert fits(shown)
    assert "quantile" in shown.out
    (told,) = (await terminal.types("trigger", "standing", "--agent", BUSY, "--trigger", "slow", "--json")).json
    assert (told["groups"][0]["cases"], told["groups"][0]["threshold"], bool(told["checked_at"])) == (786, 3000, True)


async def test_somebody_fires_a_row_and_follows_it(terminal: Terminal, bench: Bench) -> None:
    """It names who did and why; its dataset, diagnosis and workflow are shown once they are there."""
    row = await supervised(bench, AGENT)
    fire = ("trigger", "fire", AGENT, "daily", "--by", "r.meyer", "--reason", "a customer rang")
    said = await terminal.types(*fire)
    assert fits(said)
    assert said.out.startswith(f"fired: {AGENT}/daily/1, ")
    await row.ended("prepared")
    again = await terminal.types(*fire)
    assert (again.code, "there is no evidence that no firing has claimed" in again.err) == (1, True)
    listed = await terminal.types("trigger", "firings", "--agent", AGENT)
    assert fits(listed)
    assert "asked for by r.meyer: a customer rang" in " ".join(listed.out.split())
    shown = await terminal.types("trigger", "show", f"{AGENT}/daily/1")
    assert f"workflow  improvement/{AGENT}/daily/1" in shown.out
    told = (await terminal.types("trigger", "show", f"{AGENT}/daily/1", "--json")).json
    assert (told["firing"]["status"], told["dataset"]["accounts"]["kept"]) == ("prepared", told["firing"]["pieces"])
    assert fits(shown)
    words = " ".join(shown.out.split())
    assert (words.count(told["diagnosis"]["headline"]), words.count("asked for by r.meyer")) == (1, 1)
    standing = await terminal.types("trigger", "standing", "--agent", AGENT, "--trigger", "daily")
    assert "cooling down until" in standing.out
    assert f"last      {AGENT}/daily/1" in standing.out


async def test_a_dry_run_says_what_the_supervisor_did(terminal: Terminal, bench: Bench) -> None:
    """The book it took is the one in force; a rehearsal of it looks after each case, and so it is no later."""
    row = await supervised(bench, BUSY)
    await row.until(lambda fired: len(fired) == 1)
    (fired,) = await row.firings()
    told = (await terminal.types("trigger", "dry-run", "--agent", BUSY, "--trigger", "daily", "--json")).json
    first: dict[str, Any] = told["firings"][0]["edited"]
    assert told["in_force"]["from"] == "the one supervisors took last"
    assert set(first["groups"]) <= set(fired.groups)
    assert first["cases"] <= fired.cases
    terminal.env.setenv("AFTERCARE_POLICIES", str(SHIPPED))
    assert "is another" in " ".join((await terminal.types("trigger", "list")).out.split())


async def test_a_book_that_does_not_hold_is_seen(terminal: Terminal, bench: Bench) -> None:
    """Where its rows are listed and where they stand, with every mistake; the exit code is that of what was asked."""
    book = await bench.matrices.now()
    await bench.triggers.check(AGENT, "slow", book.matrix.triggers["slow"], book.digest, datetime.now(UTC))
    shutil.copy(edited(terminal, ("P1D", "soon")), terminal.folder / FILE)
    terminal.env.setenv("AFTERCARE_POLICIES", str(terminal.folder))
    for verb in ("list", "standing"):
        said = await terminal.types("trigger", verb)
        assert (said.code, "does not hold" in said.out) == (0, True)
        assert "triggers.yaml:8:5: row daily, cooldown: a duration is expected" in " ".join(said.out.split())


async def test_a_row_nobody_watches_is_not_called_watched(terminal: Terminal, bench: Bench) -> None:
    """One that was last checked long ago, and one that the book has lost."""
    ago = datetime.now(UTC) - timedelta(days=61)
    await bench.database.write(SupervisorRow(agent=AGENT, trigger="lost", book="", checked_at=ago))
    said = " ".join((await terminal.types("trigger", "standing", "--agent", AGENT)).out.split())
    assert "no row in the book: its evidence is not counted: lost" in said
    one = (await terminal.types("trigger", "standing", "--agent", AGENT, "--trigger", "lost")).out
    assert "state     no row in the book" in one


@pytest.mark.parametrize(
    ("checked", "fired", "told"),
    [
        (59, None, "watching"),
        (61, None, "not checked since"),
        (61, 61, "watching, last fired"),
        (61, 10_000, "not checked since"),
        (None, None, "not checked yet"),
    ],
)
def test_a_check_that_is_long_ago_is_told(checked: int | None, fired: int | None, told: str) -> None:
    """Longer than twice the longest rest; a cooldown, in which nobody looks, is none of it."""
    at = {"cooldown": timedelta(minutes=30), "at": NOW}
    last = firing(NOW - timedelta(minutes=fired)) if fired else None
    standing = TriggerStanding(agent=AGENT, trigger="daily", last=last, **at)
    looked = NOW - timedelta(minutes=checked) if checked else None
    assert trigger_told.state(standing, ROW, looked, timedelta(hours=1)).plain.startswith(told)


def test_a_group_that_learns_says_how_far_it_is() -> None:
    """What is usual is told once the group has learned it."""
    group = GroupStanding(detector="rate", group="returns", cases=6, statistic=0.5, baseline=0.25, threshold=3_000)
    standing = TriggerStanding(agent=AGENT, trigger="daily", at=NOW, groups=(group,))
    matrix = load_matrix().matrix.model_copy(update={"triggers": {"daily": ROW}})
    book = Book(replace(load_matrix(), matrix=matrix), "here")
    assert ("learning, 6 of 20" in printed(standing, book), "25.0%" in printed(standing, book)) == (True, False)


def printed(standing: TriggerStanding, book: Book) -> str:
    """How a row stands, as people see it."""
    console = to_people()
    with console.capture() as captured:
        for line in trigger_told.standings([standing], book, {}):
            console.print(line)
    return captured.get()


def firing(at: datetime) -> Firing:
    """A firing whose improvement has ended."""
    work = Work(workflow="retraining", kind="intent_classifier")
    about = {"agent": AGENT, "trigger": "daily", "cycle": 1, "work": work, "because": "150 cases", "at": at}
    return Firing(id=f"{AGENT}/daily/1", status=FiringStatus.PREPARED, **about)


async def test_the_check_of_policies_takes_the_triggers_along(bare: Terminal) -> None:
    """The shipped book where a folder has none; its problems, and exit code 1, where it has a bad one."""
    bare.folder.joinpath("alone").mkdir()
    (bare.folder / "alone" / FILE).write_text(BOOK.replace("override", "overide"), "utf-8")
    alone = await bare.types("policy", "check", bare.folder / "alone")
    assert (alone.code, "there is no policy book" in alone.out, "did you mean override?" in alone.out) == (
        1,
        True,
        True,
    )
    said = await bare.types("policy", "check")
    assert (said.code, "triggers.yaml (shipped)" in said.out, "8 rows" in said.out) == (0, True, True)
    shutil.copytree(SHIPPED / "retail", bare.folder / "books" / "retail")
    (bare.folder / "books" / FILE).write_text(BOOK.replace("override", "overide"), "utf-8")
    bad = await bare.types("policy", "check", bare.folder / "books", "--json")
    assert (bad.code, bad.json["triggers"]["rows"]) == (1, 0)
    assert "did you mean override?" in bad.json["triggers"]["problems"][0]


async def test_the_doctor_looks_at_the_triggers(bare: Terminal) -> None:
    """As at every other book."""
    folder = bare.folder / "books"
    shutil.copytree(SHIPPED / "retail", folder / "retail")
    for text, state in ((BOOK, "ok"), (BOOK.replace("P1D", "soon"), "problem")):
        (folder / FILE).write_text(text, "utf-8")
        bare.env.setenv("AFTERCARE_POLICIES", str(folder))
        checks = (await bare.types("doctor", "--json")).json["checks"]
        assert [c["state"] for c in checks if (c["area"], c["name"]) == ("policy", "triggers")] == [state]


def test_words_between_colons_stay_words(capsys: pytest.CaptureFixture[str]) -> None:
    """Also in a table: what a detector or an intent is called is no picture."""
    shown = trigger_told.table("detector")
    shown.add_row("rate:loop: 3")
    to_people().print(shown)
    assert "rate:loop: 3" in capsys.readouterr().out
