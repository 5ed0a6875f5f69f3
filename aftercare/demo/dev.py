"""`aftercare dev`: everything on this machine, kept between starts: Temporal with its UI, store, worker and API."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import secrets
import shlex
import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from rich.console import Console

from aftercare.codec import new_key
from aftercare.demo.embedded import HERE, UI_PORT, Place, Ports, embedded
from aftercare.demo.processes import free_port
from aftercare.settings import Settings

TEMPORAL_PORT, API_PORT = 7233, 8080


async def develop(console: Console, port: int) -> int:
    """Start everything, say where it is, and leave it running until told to stop."""
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    folder = Settings().home.expanduser()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if (held := _held(folder)) is None:
        console.print(
            f"{folder} is in use by another `aftercare dev`; stop that one, or set AFTERCARE_HOME", style="red"
        )
        return 2
    ports = Ports(free_port(TEMPORAL_PORT), free_port(UI_PORT), free_port(port or API_PORT))
    own = _secrets(folder) | {"AFTERCARE_PUBLIC_URL": f"http://{HERE}:{ports.api}"}
    os.environ |= own
    settings = Settings()
    pages = [f"http://{name}:{ports.ui}" for name in ("localhost", HERE)]
    more = {"AFTERCARE_SYSTEMS": json.dumps(settings.systems), "AFTERCARE_UI_ORIGINS": json.dumps(pages)}
    async with AsyncExitStack() as stack:
        stack.callback(os.close, held)
        with console.status("Starting a Temporal server, a store, a worker and the API, all on this machine ..."):
            starting = embedded(folder, {}, settings.waits, ui=True, api=True, ports=ports, more_env=more)
            place = await stack.enter_async_context(starting)
        _tell(console, place, _for_commands(folder, place, own))
        await stop.wait()
    return 0


def _held(folder: Path) -> int | None:
    """A lock on the folder, until it is closed: two Temporal servers would ruin its file. None where it is held."""
    lock = os.open(folder / "dev.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _secrets(folder: Path) -> dict[str, str]:
    """The secrets of this machine: made at the first start, kept where only their owner reads them."""
    file = folder / "dev-secrets.json"
    if not file.exists():
        made = {"AFTERCARE_CODEC_KEYS": new_key(), "AFTERCARE_SURVEY_SECRET": secrets.token_urlsafe(32)}
        with os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as new:
            json.dump(made, new)
    kept: dict[str, str] = json.loads(file.read_text())
    return {name: os.environ.get(name) or value for name, value in kept.items()}


def _for_commands(folder: Path, place: Place, own: Mapping[str, str]) -> Path:
    """A file for other terminals: with it commands find this Temporal and this store, and read what is encrypted."""
    found = {
        "AFTERCARE_HOME": str(folder),
        "AFTERCARE_URL": place.api_address,
        "AFTERCARE_DATABASE": place.database,
        "TEMPORAL_ADDRESS": place.temporal,
        **own,
    }
    if policies := os.environ.get("AFTERCARE_POLICIES"):
        found["AFTERCARE_POLICIES"] = str(Path(policies).resolve())
    file = folder / "dev.env"
    with os.fdopen(os.open(file, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as new:
        new.writelines(f"export {name}={shlex.quote(value)}\n" for name, value in found.items())
    return file


def _tell(console: Console, place: Place, env: Path) -> None:
    lines = {
        "HTTP API": f"{place.api_address}/openapi.json",
        "Temporal's UI": f"{place.ui}/namespaces/{place.client.namespace}/workflows",
        "Temporal": place.temporal,
        "Kept in": str(env.parent),
    }
    console.print("[bold]Aftercare[/bold] is up. On this machine nobody needs a key, and everybody is an admin.\n")
    for what, where in lines.items():
        console.print(f"  {what:<15}[cyan]{where}[/cyan]", soft_wrap=True, highlight=False)
    console.print(
        f"\nAn agent begins with: export AFTERCARE_URL={place.api_address}\n"
        f"Commands in another terminal begin with: . {shlex.quote(str(env))}\n"
        "Histories are encrypted with a key that was made here; the UI above shows them in clear.\n"
        "[bold]Ctrl-C[/bold] stops it; the next start goes on where it left off.",
        soft_wrap=True,
        highlight=False,
    )
