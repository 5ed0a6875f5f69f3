"""`aftercare dev`: everything on this machine, kept between starts: Temporal with its UI, store, worker and API."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
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
    ports = Ports(free_port(TEMPORAL_PORT), free_port(UI_PORT), free_port(port or API_PORT))
    os.environ |= _secrets(folder) | {"AFTERCARE_PUBLIC_URL": f"http://{HERE}:{ports.api}"}
    settings = Settings()
    pages = [f"http://{name}:{ports.ui}" for name in ("localhost", HERE)]
    more = {"AFTERCARE_SYSTEMS": json.dumps(settings.systems), "AFTERCARE_UI_ORIGINS": json.dumps(pages)}
    async with AsyncExitStack() as stack:
        with console.status("Starting a Temporal server, a store, a worker and the API, all on this machine ..."):
            starting = embedded(folder, {}, settings.waits, ui=True, api=True, ports=ports, more_env=more)
            place = await stack.enter_async_context(starting)
        _tell(console, place, folder)
        await stop.wait()
    return 0


def _secrets(folder: Path) -> dict[str, str]:
    """The secrets of this machine: made at the first start, kept where only their owner reads them."""
    file = folder / "dev-secrets.json"
    if not file.exists():
        made = {"AFTERCARE_CODEC_KEYS": new_key(), "AFTERCARE_SURVEY_SECRET": secrets.token_urlsafe(32)}
        with os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as new:
            json.dump(made, new)
    kept: dict[str, str] = json.loads(file.read_text())
    return {name: os.environ.get(name) or value for name, value in kept.items()}


def _tell(console: Console, place: Place, folder: Path) -> None:
    lines = {
        "HTTP API": f"{place.api_address}/openapi.json",
        "Temporal's UI": f"{place.ui}/namespaces/{place.client.namespace}/workflows",
        "Temporal": place.temporal,
        "Kept in": str(folder),
    }
    console.print("[bold]Aftercare[/bold] is up. On this machine nobody needs a key, and everybody is an admin.\n")
    for what, where in lines.items():
        console.print(f"  {what:<15}[cyan]{where}[/cyan]", soft_wrap=True, highlight=False)
    console.print(
        f"\nAn agent begins with: export AFTERCARE_URL={place.api_address}\n"
        "Histories are encrypted with a key that was made here; the UI above shows them in clear.\n"
        "[bold]Ctrl-C[/bold] stops it; the next start goes on where it left off.",
        soft_wrap=True,
        highlight=False,
    )
