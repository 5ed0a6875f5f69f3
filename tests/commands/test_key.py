"""`aftercare key create` gives a key that a shell can take up as it is."""

from __future__ import annotations

from aftercare.web.keys import MadeKey
from tests.cases.desk import Desk
from tests.commands.conftest import Terminal


async def test_a_key_is_printed_alone(desk: Desk, terminal: Terminal) -> None:
    """`AFTERCARE_KEY=$(aftercare key create ...)` holds the key and nothing else; what it is for is said beside."""
    said = await terminal.types("key", "create", "shop bot", "--role", "agent")
    assert said.code == 0
    assert said.out.startswith("ak_")
    assert len(said.out.split()) == 1
    assert "not shown again" in said.err
    assert said.out.strip() not in said.err


async def test_a_key_for_machines_is_one_document(desk: Desk, terminal: Terminal) -> None:
    """With the key in it, and nothing beside."""
    said = await terminal.types("key", "create", "shop bot", "--role", "agent", "--json")
    assert MadeKey.model_validate(said.json).key.startswith("ak_")
    assert said.err == ""
