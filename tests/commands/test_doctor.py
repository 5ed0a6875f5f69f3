"""The doctor: what is well, what is not, what cannot be told, and what to do; never a secret, never a change."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import temporalio.api.operatorservice.v1 as operator
from temporalio.client import Client
from temporalio.common import SearchAttributeKey

from aftercare.store.tables import EvidenceRow
from aftercare.temporal import register_search_attributes
from tests.cases.desk import Desk
from tests.commands.conftest import NOBODY, ODD, UNATTENDED, Said, Terminal

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


def states(said: Said) -> dict[str, str]:
    """Every check's state, by its name."""
    return {f"{c['area']} {c['name']}": c["state"] for c in said.json["checks"]}


def of(said: Said, area: str, name: str) -> dict[str, str]:
    """One check."""
    return next(c for c in said.json["checks"] if (c["area"], c["name"]) == (area, name))


@asynccontextmanager
async def answering(status: str) -> AsyncIterator[str]:
    """Something that answers every request alike."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_where_nothing_runs_it_says_what_to_do(bare: Terminal) -> None:
    """Exit code 1; what rests on something else cannot be told; and nothing is made by looking."""
    said = await bare.types("doctor", "--json")
    assert (said.code, said.json["ok"]) == (1, False)
    found = states(said)
    assert (found["temporal server"], found["temporal worker"]) == ("problem", "cannot tell")
    assert (found["store reachable"], found["store inbox"]) == ("problem", "cannot tell")
    assert (found["policy retail"], found["systems shop"]) == ("ok", "problem")
    assert all(c["advice"] for c in said.json["checks"] if c["state"] == "problem")
    assert not (bare.folder / "home").exists()
    assert "start a worker" in (await bare.types("doctor")).out


async def test_where_all_is_well_it_says_so(desk: Desk, terminal: Terminal) -> None:
    """Exit code 0. That an address serves records cannot be told from a 404, and that is said."""
    async with answering("404 Not Found") as address:
        terminal.env.setenv("AFTERCARE_SYSTEMS", f'{{"shop": "{address}", "airline": "{address}"}}')
        said = await terminal.types("doctor", "--json")
    assert set(states(said).values()) == {"ok"}
    assert said.code == 0
    assert "that it serves records cannot be told" in of(said, "systems", "shop")["found"]
    assert "revision" in of(said, "store", "migrated")["found"]


async def test_a_system_of_record_is_asked(bare: Terminal) -> None:
    """For a record that cannot exist: only a plain no is well. What cannot be asked at all is a problem."""
    statuses = {"broken": "500 Oh", "closed": "403 No", "odd": "200 OK", "shop": "404 No"}
    async with AsyncExitStack() as stack:
        systems = {n: await stack.enter_async_context(answering(status)) for n, status in statuses.items()}
        systems |= {"away": f"http://{NOBODY}", "word": "nonsense", "half": "http://[", "other": "ftp://x"}
        bare.env.setenv("AFTERCARE_SYSTEMS", json.dumps(systems))
        found = states(await bare.types("doctor", "--json"))
    told = {name: found[f"systems {name}"] for name in systems}
    assert (told.pop("shop"), told.pop("odd")) == ("ok", "cannot tell")
    assert set(told.values()) == {"problem"}


async def test_no_secret_is_printed(bare: Terminal) -> None:
    """Neither a database's password nor what stands in an address of a system."""
    bare.env.setenv("AFTERCARE_DATABASE", "postgresql+asyncpg://me:Sesame1@127.0.0.1:1/db?password=Sesame2")
    bare.env.setenv("AFTERCARE_SYSTEMS", '{"shop": "http://me:Sesame3@127.0.0.1:1/?key=Sesame4"}')
    for typed in (("doctor",), ("doctor", "--json"), ("case", "show", "x")):
        said = await bare.types(*typed)
        assert "Sesame" not in said.out + said.err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE", "nonsense"),
        ("DATABASE", "oracle://x"),
        ("DATABASE", "sqlite:////tmp"),
        ("SYSTEMS", "{"),
        ("WATCH", "soon"),
    ],
)
async def test_a_setting_that_cannot_be_used_is_named(bare: Terminal, name: str, value: str) -> None:
    """A problem with the variable's name, no traceback; other commands end with exit code 2 and the same name."""
    bare.env.setenv(f"AFTERCARE_{name}", value)
    said = await bare.types("doctor", "--json")
    assert said.code == 1
    assert f"AFTERCARE_{name}" in said.out
    told = await bare.types("case", "orphans", "--json")
    assert told.code == 2
    assert f"AFTERCARE_{name}" in " ".join(told.json["reasons"])


async def test_an_old_store_is_told_from_a_new_one(desk: Desk, terminal: Terminal) -> None:
    """Where migrations are missing it says which revision there is, and that a worker brings the rest."""
    file = terminal.folder / "old.db"
    with sqlite3.connect(file) as old:
        old.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        old.execute("INSERT INTO alembic_version VALUES ('0001')")
    terminal.env.setenv("AFTERCARE_DATABASE", f"sqlite+aiosqlite:///{file}")
    check = of(await terminal.types("doctor", "--json"), "store", "migrated")
    assert check["state"] == "problem"
    assert "0001" in check["found"]
    assert "at revision 0001" in (await terminal.types("case", "orphans")).err
    with sqlite3.connect(file) as old:
        old.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "newer program" in of(await terminal.types("doctor", "--json"), "store", "migrated")["found"]


async def test_a_namespace_without_a_worker_is_a_problem(desk: Desk, terminal: Terminal) -> None:
    """Nobody polls the queue of the cases there; a namespace that is not there is said not to be."""
    terminal.env.setenv("TEMPORAL_NAMESPACE", UNATTENDED)
    assert states(await terminal.types("doctor", "--json"))["temporal worker"] == "problem"
    terminal.env.setenv("TEMPORAL_NAMESPACE", "nowhere")
    said = await terminal.types("doctor", "--json")
    assert of(said, "temporal", "namespace")["found"] == "there is no namespace nowhere"


async def test_an_attribute_of_another_type_is_a_problem(desk: Desk, terminal: Terminal) -> None:
    """By it no case would be found; one that is missing is brought by a worker."""
    address = desk.env.client.service_client.config.target_host
    client = await Client.connect(address, namespace=ODD)
    await client.operator_service.remove_search_attributes(
        operator.RemoveSearchAttributesRequest(namespace=ODD, search_attributes=["CaseStage"])
    )
    terminal.env.setenv("TEMPORAL_NAMESPACE", ODD)
    missing = of(await terminal.types("doctor", "--json"), "temporal", "search attributes")
    assert (missing["state"], missing["found"]) == ("problem", "missing: CaseStage")
    await register_search_attributes(client, [SearchAttributeKey.for_int("CaseStage")])
    check = of(await terminal.types("doctor", "--json"), "temporal", "search attributes")
    assert (check["state"], check["found"]) == ("problem", "of another type than ours: CaseStage")


async def test_a_build_that_is_not_current_is_a_problem(desk: Desk, terminal: Terminal) -> None:
    """A worker that names its build gets no new cases before it is made the current one."""
    terminal.env.setenv("AFTERCARE_BUILD_ID", "build-7")
    said = await terminal.types("doctor", "--json")
    assert states(said)["temporal worker version"] == "problem"


async def test_a_message_that_lies_too_long_is_a_problem(desk: Desk, terminal: Terminal) -> None:
    """About a registered case; one that waits for its case to be registered is only mentioned."""
    case, long_ago = await desk.case("stuck").registered(), datetime(2026, 1, 1, tzinfo=UTC)
    rows = [
        EvidenceRow(
            case_id=id, id="m1", kind="feedback", standing="waiting", digest="d", reasons=[], body={}, at=long_ago
        )
        for id in (case.id, "not-registered")
    ]
    await desk.cases.database.write(*rows)
    said = await terminal.types("doctor", "--json")
    for row in rows:
        await desk.cases.inbox.delivered(row)
    check = of(said, "store", "inbox")
    assert (check["state"], check["found"][:10]) == ("problem", "1 messages")
    well = of(await terminal.types("doctor", "--json"), "store", "inbox")
    assert (well["state"], well["found"]) == ("ok", "nothing is held up")


async def test_doors_are_on_off_or_set_wrongly(bare: Terminal) -> None:
    """A setting that cannot be used is a problem of its own, named by its variable; a door that is off is none."""
    off = await bare.types("doctor", "--json")
    assert {of(off, "doors", name)["state"] for name in ("surveys", "webhooks", "encryption", "sentiment")} == {"ok"}
    bare.env.setenv("AFTERCARE_SENTIMENT", "some-model")
    wrong = of(await bare.types("doctor", "--json"), "doors", "sentiment")
    assert wrong["state"] == "problem"
    assert "AFTERCARE_MODEL_URL" in wrong["found"]
