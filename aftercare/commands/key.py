"""`aftercare key`: API keys, made, listed and revoked by whoever has the store."""

from __future__ import annotations

from cyclopts import App
from rich.table import Table
from rich.text import Text

from aftercare.commands.answering import Answer, AsJson, answered, safe, to_people
from aftercare.commands.door import read_settings, store
from aftercare.keys import Keys, Role
from aftercare.store.keys import KeyStore
from aftercare.web.keys import MadeKey, info

key = App(name="key")


@key.command
async def create(name: str, *, role: Role, agent: str | None = None, json: AsJson = False) -> int:
    """Make a key. It is shown now and never again: the store keeps only its digest.

    Parameters
    ----------
    name
        What it is for, to know it again by.
    role
        What its holder may do.
    agent
        Limit a key of the role agent to the cases of this agent.
    """

    async def work() -> Answer:
        async with store(read_settings()) as cases:
            row, secret = await Keys(KeyStore(cases.database)).make(name, role, agent)
        made = MadeKey(**info(row).model_dump(), key=secret)
        if not json:
            told = f"Key {row.id} for {safe(name)}, role {role}. It is not shown again."
            to_people(stderr=True).print(Text(told), soft_wrap=True)  # so that the key alone can be piped on
        return Answer(made, [secret])

    return await answered(json, work())


@key.command(name="list")
async def list_keys(json: AsJson = False) -> int:
    """Every key there ever was."""

    async def work() -> Answer:
        async with store(read_settings()) as cases:
            keys = [info(row) for row in await Keys(KeyStore(cases.database)).all()]
        table = Table("Key", "For", "Role", "Agent", "Made", "Revoked")
        for k in keys:
            revoked = f"{k.revoked_at.astimezone():%Y-%m-%d %H:%M}" if k.revoked_at else ""
            made = f"{k.created_at.astimezone():%Y-%m-%d %H:%M} by {k.created_by}"
            table.add_row(k.id, safe(k.name), k.role, k.agent or "", made, revoked)
        return Answer([k.model_dump(mode="json") for k in keys], [table] if keys else ["There are no keys yet."])

    return await answered(json, work())


@key.command
async def revoke(id: str, json: AsJson = False) -> int:
    """Revoke a key for good. Every process of the API refuses it within five seconds."""

    async def work() -> Answer:
        async with store(read_settings()) as cases:
            row = await Keys(KeyStore(cases.database)).revoke(id)
        return Answer(info(row), [f"Key {row.id} for {safe(row.name)} is revoked."])

    return await answered(json, work())
