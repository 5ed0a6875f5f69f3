"""The door: settings read, store looked at, Temporal reached; or one plain sentence about what is not there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_settings import SettingsError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from temporalio.client import Client
from temporalio.envconfig import ClientConfig

from aftercare.codec import BadKeys, WithoutKeys, codec_of
from aftercare.commands.answering import DOCTOR, NotAsked
from aftercare.delivery import NoAnswerYet
from aftercare.gateway import Gateway
from aftercare.settings import Settings
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.store.looking import known_revisions, newest_revision, revision
from aftercare.temporal import LOCAL, connect

PATIENCE = 20.0
T = TypeVar("T")


@dataclass(frozen=True)
class Door:
    """Everything a verb about cases needs."""

    settings: Settings
    client: Client
    cases: Cases
    gateway: Gateway


@asynccontextmanager
async def opened() -> AsyncIterator[Door]:
    """Temporal and the store. Raises NotAsked where either does not answer."""
    settings = read_settings()
    async with store(settings) as cases:
        client = await temporal()
        yield Door(settings, client, cases, Gateway(client, cases, by="cli"))


def read_settings() -> Settings:
    """The settings. Raises NotAsked, naming the variable and never its value."""
    try:
        settings = Settings()
        codec_of(settings.codec_keys.get_secret_value())  # so that keys which cannot be used are told here
        return settings
    except BadKeys as error:
        raise NotAsked("settings", [str(error)]) from None
    except ValidationError as error:
        wrong = [f"AFTERCARE_{str(p['loc'][0]).upper()}: {p['msg']}" for p in error.errors()]
        raise NotAsked("settings", wrong) from None
    except SettingsError as error:
        named = re.search(r'field "(\w+)"', str(error))
        told = f"AFTERCARE_{named[1].upper() if named else '*'} cannot be read (is it JSON?)"
        raise NotAsked("settings", [told]) from None


@asynccontextmanager
async def store(settings: Settings) -> AsyncIterator[Cases]:
    """The store as it stands: never made and never migrated here, which is for a worker to do."""
    database = database_of(settings)
    try:
        async with asyncio.timeout(PATIENCE):
            found = await revision(database)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        await database.close()
        raise NotAsked("store", [f"the store at {where(settings)} does not answer", reason(error), DOCTOR]) from None
    try:
        if found != newest_revision():
            raise NotAsked("store", [_not_migrated(settings, found)])
        yield Cases(database)
    finally:
        await database.close()


def database_of(settings: Settings) -> Database:
    """The store's database; a file that is not there is not made. Raises NotAsked."""
    try:
        file = sqlite_file(settings)
        if file and not file.exists():
            told = f"there is no store at {file} yet; a worker makes it when it starts, or set AFTERCARE_DATABASE"
            raise NotAsked("store", [told])
        return Database(settings.database_url)
    except (SQLAlchemyError, ModuleNotFoundError, KeyError) as error:
        raise NotAsked("store", [f"AFTERCARE_DATABASE cannot be used: {type(error).__name__}"]) from None


def sqlite_file(settings: Settings) -> Path | None:
    """The file a store lies in, where it lies in one."""
    url = make_url(settings.database_url)
    kept = url.database if url.get_backend_name() == "sqlite" else None
    return Path(kept).expanduser() if kept and kept != ":memory:" else None


def where(settings: Settings) -> str:
    """The store's address, without what may be a secret in it."""
    url = make_url(settings.database_url)
    return url.set(query={}).render_as_string(hide_password=True) + ("?***" if url.query else "")


def _not_migrated(settings: Settings, found: str | None) -> str:
    at = f"the store at {where(settings)}"
    if found and found not in known_revisions():
        return f"{at} was migrated to revision {found} by a newer program; use that one"
    held = f"is at revision {found}" if found else "is empty"
    return f"{at} {held}, and this program needs {newest_revision()}; a worker of it migrates when it starts"


async def temporal() -> Client:
    """A client, with the codec of the settings. Raises NotAsked where nothing answers at the address."""
    codec = codec_of(read_settings().codec_keys.get_secret_value())
    try:
        async with asyncio.timeout(PATIENCE):
            return await connect(codec=codec or WithoutKeys())
    except (RuntimeError, ValueError, TimeoutError) as error:
        told = f"Temporal does not answer at {temporal_address()}"
        raise NotAsked("temporal", [told, reason(error), DOCTOR]) from None


def temporal_address() -> str:
    """Where Temporal is looked for: TEMPORAL_ADDRESS, a profile, or this machine."""
    try:
        return str(ClientConfig.load_client_connect_config().get("target_host") or LOCAL)
    except (RuntimeError, ValueError):
        return "an address that cannot be read (TEMPORAL_* variables, temporal.toml)"


def reason(error: BaseException) -> str:
    """An error in a line, without the towers of words that libraries build."""
    told = str(error).replace("Connect call failed", "Connection refused")
    for known in ("Connection refused", "timed out", "dns error", "certificate", "Permission denied", "readonly"):
        if known.lower() in told.lower():
            return known.lower()
    return f"{type(error).__name__}: {told.splitlines()[0][:200]}" if told else type(error).__name__


async def patiently(work: Awaitable[T], again: str, **more: Any) -> T:
    """Wait for a case's answer for so long. Raises NotAsked, saying what became of the message meanwhile."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await work
    except NoAnswerYet as error:
        raise NotAsked("no_answer_yet", [str(error), again], more) from None
    except TimeoutError:
        told = f"no answer within {PATIENCE:.0f} s: no worker may be running"
        raise NotAsked("no_answer_yet", [told, again, DOCTOR], more) from None
