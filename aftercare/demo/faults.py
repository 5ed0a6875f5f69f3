"""Which faults a run has: drawn by the case's id and the write's number, so that the same seed has the same faults."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeVar, get_args

from aftercare.demo.shop.messages import FaultPlan, JournalEntry, Kind, WriteFault

OfCase = Literal["slow", "down"]
K = TypeVar("K", Kind, OfCase)
OF_WRITES: tuple[Kind, ...] = get_args(Kind)
OF_CASES: tuple[OfCase, ...] = get_args(OfCase)
SLOW = timedelta(seconds=1.5)  # several reads follow on each other, and each has to come before the reader gives up
LATEST = timedelta(seconds=3)


class BadFaults(ValueError):
    """Faults that cannot be drawn as they were asked for, and why."""


@dataclass(frozen=True)
class Faults:
    """How often each kind comes: of writes and of cases, as shares between 0 and 1."""

    rates: Mapping[str, float]
    seed: int = 1

    def plan(self, case_id: str, operations: Iterable[JournalEntry], within: timedelta) -> FaultPlan:
        """What goes wrong for one case, whose fault-free operations these are. Everything shows long before `within`.

        A case whose records are slow or down has no other fault, so that what is made of it has one cause.
        """
        numbers = {int(entry.operation.removeprefix("op-")): entry.accepted for entry in operations}
        if not any(numbers.values()):
            return FaultPlan()
        match self._drawn(OF_CASES, case_id):
            case "slow":
                return FaultPlan(slow=SLOW.total_seconds())
            case "down":
                return FaultPlan(down_after=max(numbers))
        late = min(LATEST, within / 4).total_seconds()
        drawn = {n: self._drawn(OF_WRITES, case_id, n) for n, accepted in numbers.items() if accepted}
        faults = {
            number: WriteFault(
                kind=kind,
                choice=self._hash("which", case_id, number) if kind == "wrong" else 0,
                shows_after=late if kind == "eventual" else 0,
            )
            for number, kind in drawn.items()
            if kind
        }
        return FaultPlan(writes=faults)

    def _drawn(self, kinds: tuple[K, ...], *what: object) -> K | None:
        at = self._hash(*what) / 2**64
        for kind in kinds:
            if at < (rate := self.rates.get(kind, 0.0)):
                return kind
            at -= rate
        return None

    def _hash(self, *what: object) -> int:
        named = "/".join(map(str, (self.seed, *what)))
        return int.from_bytes(hashlib.sha256(named.encode()).digest()[:8])


def drawn(told: str, seed: int = 1) -> Faults:
    """The faults of `drop=0.15,slow=0.1`, drawn with this seed. Raises BadFaults."""
    rates: dict[str, float] = {}
    for part in filter(None, (p.strip() for p in told.split(","))):
        kind, given, share = (p.strip() for p in part.partition("="))
        if kind not in (*OF_WRITES, *OF_CASES):
            raise BadFaults(f"there is no fault {kind!r}; there are {', '.join((*OF_WRITES, *OF_CASES))}")
        if kind in rates:
            raise BadFaults(f"--faults names {kind} twice")
        rates[kind] = _share(kind, share if given else "")
    for kinds, of in ((OF_WRITES, "write"), (OF_CASES, "case")):
        if (total := sum(rates.get(kind, 0) for kind in kinds)) > 1:
            raise BadFaults(f"a {of} has one of {', '.join(kinds)} at most, and their shares come to {total:g}")
    if not rates:
        raise BadFaults("--faults names no fault; for example drop=0.15,slow=0.1")
    return Faults(rates, seed)


def _share(kind: str, told: str) -> float:
    try:
        share = float(told)
    except ValueError:
        raise BadFaults(f"{kind} has a share between 0 and 1, and {told!r} is no number") from None
    if not 0 <= share <= 1:
        raise BadFaults(f"{kind} has a share between 0 and 1, and {told} is none")
    return share
