"""An agent in a process of its own: `python -m tests.client.child URL FILE NAME CASES [fork]`.

Says every id once it is on disk; after its cases it waits to be told to end, or to be killed.
"""

from __future__ import annotations

import os
import sys

from aftercare.client import Aftercare

ENDED = "-"


def work(care: Aftercare, name: str, cases: int) -> None:
    """So many cases, each with steps and an ending; says what was kept."""
    for number in range(cases):
        with care.case(f"{name}-{number}") as case:
            for _ in range(3):
                case.step("reason", output="x" * 100)
            case.resolve()
        for id in ("", ".steps.1", ".resolution.1"):
            print(f"{name}-{number}{id}", flush=True)


def main() -> None:
    """Work; or begin, fork, and work in both processes."""
    url, file, name, cases, *fork = sys.argv[1:]
    care = Aftercare(url, agent="shop-assistant", domain="retail", buffer=file)
    if fork:
        work(care, f"{name}-before", 3)
        child = os.fork()
        work(care, f"{name}-parent" if child else f"{name}-child", int(cases))
        flushed = care.close(30.0)
        if not child:
            os._exit(0 if flushed else 1)
        flushed = flushed and os.waitpid(child, 0)[1] == 0
        print("flushed" if flushed else "not flushed", flush=True)
        return
    work(care, name, int(cases))
    print(ENDED, flush=True)
    sys.stdin.readline()
    print("flushed" if care.close(30.0) else "not flushed", flush=True)


if __name__ == "__main__":
    main()
