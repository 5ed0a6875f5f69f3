"""`python -m aftercare.demo.shop --data FILE`: the shop as a process of its own."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from aftercare.demo.shop.airline import AIRLINE
from aftercare.demo.shop.records import Database
from aftercare.demo.shop.retail import RETAIL
from aftercare.demo.shop.service import create_app
from aftercare.demo.shop.serving import serve

DOMAINS = {"airline": AIRLINE, "retail": RETAIL}


def main() -> None:
    wanted = _arguments()
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, lambda *_: sys.exit(0))
    with TemporaryDirectory(prefix="shop-") as directory:
        database = Database(wanted.database or Path(directory) / "shop.sqlite")
        database.load(wanted.data)
        serve(create_app(database, DOMAINS[wanted.domain]), wanted.port, _announce)


def _announce(address: str) -> None:
    print(f"listening on {address}", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m aftercare.demo.shop", description="A small shop over HTTP.")
    parser.add_argument("--data", type=Path, required=True, help="recorded database, .json or .json.gz")
    parser.add_argument("--database", type=Path, help="SQLite file to keep (default: a temporary one)")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: any free one)")
    parser.add_argument("--domain", choices=sorted(DOMAINS), default="retail")
    return parser.parse_args()


if __name__ == "__main__":
    main()
