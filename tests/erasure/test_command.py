"""The command: asked before anything goes, counted, answered with a receipt."""

from __future__ import annotations

import io

import pytest

from tests.cases.desk import Desk
from tests.commands.conftest import Terminal
from tests.erasure.people import customer, places


class Typing(io.StringIO):
    """Somebody at a terminal."""

    def isatty(self) -> bool:
        return True


async def test_a_customer_is_erased(desk: Desk, terminal: Terminal) -> None:
    """The receipt stands on the standard output, and names nobody."""
    who = customer()
    await who.case(desk, "typed").watched()
    said = await terminal.types("erase", "--customer", who.id, "--known", who.name, "--yes", "--json")
    assert said.code == 0
    assert (said.json["complete"], said.json["terminated"], said.json["traces"]["cases"]) == (True, 1, 1)
    assert not any(value in said.out for value in (who.id, who.name, who.mail))
    assert await places(desk.cases.database, who.name, who.mail, who.id) == []


async def test_a_dry_run_changes_nothing(desk: Desk, terminal: Terminal) -> None:
    """It counts what would go."""
    who = customer()
    case = await who.case(desk, "dry").watched()
    said = await terminal.types("erase", "--customer", who.id, "--dry-run")
    assert (said.code, "1 cases of this customer" in said.out, "nothing was changed" in said.out) == (0, True, True)
    row = await desk.cases.find(case.id)
    assert row
    assert row.customer == who.id


@pytest.mark.parametrize(("typed", "code", "left"), [("yes\n", 0, False), ("y\n", 1, True), ("\n", 1, True)])
async def test_somebody_at_a_terminal_is_asked(
    desk: Desk, terminal: Terminal, typed: str, code: int, left: bool
) -> None:
    """Only a whole yes is one; what would go is shown first."""
    who = customer()
    case = await who.case(desk, "asked").watched()
    terminal.env.setattr("sys.stdin", Typing(typed))
    said = await terminal.types("erase", "--customer", who.id)
    assert (said.code, "1 cases of this customer" in said.out) == (code, True)
    row = await desk.cases.find(case.id)
    assert row
    assert (row.customer == who.id) is left


async def test_where_nobody_can_be_asked_yes_must_be_said(terminal: Terminal) -> None:
    """A script does not erase by accident."""
    terminal.env.setattr("sys.stdin", io.StringIO("yes\n"))
    said = await terminal.types("erase", "--customer", "c-1")
    assert said.code == 2
    assert "say --yes" in said.err


async def test_an_id_may_come_by_the_standard_input(desk: Desk, terminal: Terminal) -> None:
    """So that it does not lie in the shell's history; the lines that follow are what else is known."""
    who = customer()
    await who.case(desk, "piped").watched()
    terminal.env.setattr("sys.stdin", io.StringIO(f"{who.id}\n{who.name}\n"))
    said = await terminal.types("erase", "--customer", "-", "--yes", "--json")
    assert (said.code, said.json["traces"]["cases"]) == (0, 1)
    assert await places(desk.cases.database, who.name, who.id) == []


async def test_an_erased_case_can_be_looked_at(desk: Desk, terminal: Terminal) -> None:
    """How it ended is still told; of whom it was, nothing."""
    who = customer()
    case = await who.case(desk, "shown").watched()
    await case.settled()
    await terminal.types("erase", "--customer", who.id, "--yes")
    said = await terminal.types("case", "show", case.id, "--json")
    assert (said.code, said.json["snapshot"]["episodes"][0]["verification"]["status"]) == (0, "verified")
    assert not any(value in said.out for value in (who.id, who.name, who.mail))


async def test_nobody_is_erased_for_nothing_typed(terminal: Terminal) -> None:
    """An empty id is wrong, and what was typed is not repeated."""
    said = await terminal.types("erase", "--customer", "  ", "--known", "x" * 501, "--yes", "--json")
    assert (said.code, said.json["error"]) == (2, "wrong_input")
    assert [reason.split(":")[0] for reason in said.json["reasons"]] == ["customer", "known.0"]
    assert "xxx" not in said.out


async def test_without_temporal_it_says_so(bare: Terminal, desk: Desk) -> None:
    """Nothing was erased, and the doctor knows what is missing."""
    bare.env.setenv("AFTERCARE_DATABASE", desk.cases.database.url)
    said = await bare.types("erase", "--customer", "c-1", "--yes", "--json")
    assert (said.code, said.json["error"]) == (2, "temporal")
