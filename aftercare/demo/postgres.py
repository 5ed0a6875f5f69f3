"""A PostgreSQL of one's own, for tests and benches: on a socket nobody else sees, in a folder that goes away."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WHERE = "AFTERCARE_TEST_POSTGRES"  # the folder of initdb and postgres, where they are not found by themselves
MISSING = f"no PostgreSQL binaries are here (Debian: apt-get install postgresql; or name their folder in {WHERE})"
QUICK = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_connections=200")


def binaries() -> Path | None:
    """The folder of PostgreSQL's programs: the one named, else Debian's newest, else that of the path."""
    on_path = shutil.which("initdb")
    debian = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda p: int(p.split("/")[4]))
    places = [os.environ.get(WHERE), *reversed(debian), os.path.dirname(on_path) if on_path else None]
    return next((Path(p) for p in places if p and (Path(p) / "initdb").exists()), None)


@contextmanager
def running(bin: Path) -> Iterator[str]:
    """The server, for as long as the block lasts; gives its address up to the database's name.

    PostgreSQL refuses to run as root: there it runs as `nobody`, whose folder it is given.
    """
    user = "nobody" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a socket path has its limit
    try:
        if user:
            shutil.chown(folder, user)
        data = folder / "data"
        init = (str(bin / "initdb"), "-D", str(data), "-U", "tests", "-A", "trust", "-E", "UTF8", "--no-sync")
        subprocess.run(init, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL)  # noqa: S603 - our own words
        command = (str(bin / "postgres"), "-D", str(data), "-k", str(folder), "-c", "listen_addresses=", *QUICK)
        with (folder / "log").open("w") as log:
            server = subprocess.Popen(command, user=user, cwd=folder, stdout=log, stderr=log)  # noqa: S603
        try:
            _wait(bin, folder, server)
            yield f"postgresql+asyncpg://tests@/{{name}}?host={folder}"
        finally:
            server.terminate()
            server.wait(20)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(bin: Path, folder: Path, server: subprocess.Popen[bytes]) -> None:
    asking = (str(bin / "pg_isready"), "-q", "-h", str(folder))
    for _ in range(300):
        if subprocess.run(asking, check=False).returncode == 0:  # noqa: S603
            return
        if server.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError(f"PostgreSQL did not start: {(folder / 'log').read_text()[-500:]}")
