"""The doctor on the store: is it there, migrated and writable, and does anything lie in the inbox too long?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from aftercare.commands import door
from aftercare.commands.answering import NotAsked
from aftercare.commands.checks import Check, problem, untold, well
from aftercare.settings import Settings
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.store.looking import check_writable, known_revisions, newest_revision, revision, waiting_since

AREA = "store"
HELD_LONG = timedelta(minutes=1)


async def store(settings: Settings) -> AsyncIterator[Check]:
    """Every check of the store. Nothing is made, migrated or left behind."""
    try:
        database = door.database_of(settings)
    except NotAsked as error:
        yield problem(AREA, "reachable", error.reasons[0], "put AFTERCARE_DATABASE right, or start a worker with it")
        yield untold(AREA, "inbox", "there is no store")
        return
    try:
        async with asyncio.timeout(door.PATIENCE):
            async for check in _checks(settings, database):
                yield check
    except TimeoutError:
        yield problem(AREA, "reachable", f"{door.where(settings)} does not answer in time", "look at the database")
    finally:
        await database.close()


async def _checks(settings: Settings, database: Database) -> AsyncIterator[Check]:
    try:
        found = await revision(database)
    except (SQLAlchemyError, OSError) as error:
        told = f"{door.where(settings)} does not answer ({door.reason(error)})"
        yield problem(AREA, "reachable", told, "start the database, or set AFTERCARE_DATABASE")
        yield untold(AREA, "inbox", "the store does not answer")
        return
    yield well(AREA, "reachable", f"{database.engine.dialect.name}, {door.where(settings)}")
    migrated = _migrated(found)
    yield migrated
    if migrated.state != "ok":
        yield untold(AREA, "inbox", "the store has not the tables of this program")
        return
    yield await _writable(database)
    async for check in _inbox(Cases(database)):
        yield check


def _migrated(found: str | None) -> Check:
    newest = newest_revision()
    if found == newest:
        return well(AREA, "migrated", f"revision {found}, the newest")
    if found and found not in known_revisions():
        told = f"revision {found} is unknown here: a newer program has migrated it"
        return problem(AREA, "migrated", told, "run this program in the version the workers have")
    advice = "start a worker of this version: it migrates the store"
    return problem(AREA, "migrated", f"revision {found or 'none'}, and the newest is {newest}", advice)


async def _writable(database: Database) -> Check:
    try:
        await check_writable(database)
    except (SQLAlchemyError, OSError) as error:
        advice = "give this user the right to write there, and look for a full disk"
        return problem(AREA, "writable", f"it cannot be written ({door.reason(error)})", advice)
    return well(AREA, "writable", "a write was tried, and taken back")


async def _inbox(cases: Cases) -> AsyncIterator[Check]:
    held, unregistered = await waiting_since(cases, datetime.now(UTC) - HELD_LONG)
    if held:
        told = f"{held} messages about registered cases have waited for more than a minute"
        yield problem(AREA, "inbox", told, "a worker delivers them: see whether one runs, and what its log says")
    else:
        told = f"; {unregistered} wait for their case to be registered" if unregistered else ""
        yield well(AREA, "inbox", f"nothing is held up{told}")
    orphans = len(await cases.inbox.orphans())
    advice = "`aftercare case orphans` lists them, `aftercare case attach` gives each to its case"
    told = f"{orphans} about cases that nobody registered" if orphans else "none"
    yield well(AREA, "orphans", told, advice if orphans else "")
