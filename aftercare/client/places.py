"""Where Aftercare is, with which key it is spoken to, and which file the writes wait in."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from aftercare.client.problems import AftercareError

IN_THE_USERS_FOLDER: Final = ""


def address(url: str | None) -> str:
    """The address, from AFTERCARE_URL where not given. Raises AftercareError where it is none."""
    told = (url or os.environ.get("AFTERCARE_URL", "")).strip()
    try:
        parts = urlsplit(told)
        named = bool(parts.scheme in ("http", "https") and (parts.hostname or "").encode("idna"))
    except ValueError:
        named = False
    if not named:
        raise AftercareError("the address of Aftercare is missing: give url, or set AFTERCARE_URL (http://...)")
    return told


def readable_key(key: str | None) -> str:
    """The key, from AFTERCARE_KEY where not given; empty where there is none. Raises AftercareError."""
    told = (key or os.environ.get("AFTERCARE_KEY", "")).strip()
    if not (told.isascii() and told.isprintable()):
        raise AftercareError("the key holds characters that no key has; see AFTERCARE_KEY")
    return told


def buffer_file(given: str | Path | None, url: str, agent: str | None) -> Path | None:
    """The buffer's file; None keeps it in memory.

    In the user's folder there is one for each agent and each Aftercare, so that nothing is sent to another Aftercare
    or in another agent's name.
    """
    if given is None:
        return None
    if given != IN_THE_USERS_FOLDER:
        return Path(given).expanduser().absolute()
    digest = hashlib.sha256(f"{url} {agent or ''}".encode()).hexdigest()[:12]
    home = Path(os.environ.get("AFTERCARE_HOME") or Path.home() / ".aftercare").expanduser()
    return home / "client" / f"{re.sub(r'[^A-Za-z0-9]+', '-', agent or '') or 'any'}-{digest}.db"
