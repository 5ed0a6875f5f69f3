"""What a detector knows of one group under one release, and how that is kept as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from aftercare.learning.baselines import Sums
from aftercare.learning.edetector import MOST, NOTICED, SIZES, grown


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual at most, and the stakes against it, one per size of shift. No stakes: it is not judged."""

    at_most: float
    stakes: tuple[float, ...]


@dataclass(slots=True)
class Run:
    """So many observations one after the other, and their sum."""

    cases: int = 0
    total: float = 0.0

    def add(self, x: float) -> None:
        self.cases += 1
        self.total += x

    @property
    def mean(self) -> float | None:
        return self.total / self.cases if self.cases else None


@dataclass(slots=True)
class Group:
    """The state of one detector for one group under one release. Every observation lies between 0 and 1.

    `seen` cases in all; `learned` is what the first of them tell, and `values` the same for a quantile, in order.
    `evidence` is per size of shift. `anew` are the cases since the detector began anew, `lately` those since a shift
    seems to have begun: since `height`, the likelihood of one by now, was last at its lowest. `alarmed_at` are those of
    them that the last alarm rests on: it may have to wait, and what comes meanwhile is another matter. `fell_silent`
    says that it had alarmed when it last began anew.
    """

    seen: int = 0
    learned: Sums = field(default_factory=Sums)
    values: list[float] = field(default_factory=list)
    limit: float | None = None
    evidence: list[float] = field(default_factory=lambda: [0.0] * len(SIZES))
    anew: Run = field(default_factory=Run)
    lately: Run = field(default_factory=Run)
    height: float = 1.0
    alarmed: bool = False
    alarmed_at: Run = field(default_factory=Run)
    fell_silent: bool = False
    usual: Usual | None = None  # worked out from the others once it has learned, and never kept

    def watch(self, x: float, usual: Usual | None) -> None:
        """Hold one observation against what is usual; null where that is not known yet."""
        if usual is None:
            return
        beyond = x - usual.at_most
        self.evidence = grown(self.evidence, usual.stakes, beyond)
        self.anew.add(x)
        self.height = min(self.height * (1 + usual.stakes[NOTICED] * beyond), MOST)
        if self.height <= 1:
            self.height, self.lately = 1.0, Run()
        else:
            self.lately.add(x)

    def alarm(self) -> None:
        """Note what it rests on, unless it alarms already."""
        if not self.alarmed:
            self.alarmed, self.alarmed_at = True, replace(self.lately if self.lately.cases else self.anew)

    def begin_anew(self) -> bool:
        """The statistic from zero, and no alarm; what was learned stays. Whether that changes anything."""
        if not (self.anew.cases or self.alarmed or self.fell_silent):
            return False
        self.fell_silent, self.alarmed = self.alarmed, False
        self.evidence, self.height = [0.0] * len(SIZES), 1.0
        self.anew, self.lately = Run(), Run()
        return True

    @property
    def telling(self) -> Run:
        """The cases that tell what has become of the group: those of its alarm, or those lately."""
        return self.alarmed_at if self.alarmed and self.alarmed_at.cases else self.lately

    @property
    def level(self) -> float:
        """The evidence that something has become worse: the mean over the sizes of shift."""
        return sum(self.evidence) / len(self.evidence)

    def kept(self) -> dict[str, Any]:
        """All of it as JSON, but for the alarm."""
        return {
            "seen": self.seen,
            "learned": [self.learned.cases, self.learned.total, self.learned.squares],
            "values": list(self.values),
            "limit": self.limit,
            "evidence": list(self.evidence),
            "anew": [self.anew.cases, self.anew.total],
            "lately": [self.lately.cases, self.lately.total],
            "height": self.height,
            "alarmed_at": [self.alarmed_at.cases, self.alarmed_at.total],
            "fell_silent": self.fell_silent,
        }

    @classmethod
    def of(cls, kept: dict[str, Any], alarmed: bool) -> Group:
        """As it was kept."""
        return cls(
            seen=kept["seen"],
            learned=Sums(*kept["learned"]),
            values=list(kept["values"]),
            limit=kept["limit"],
            evidence=list(kept["evidence"]),
            anew=Run(*kept["anew"]),
            lately=Run(*kept["lately"]),
            height=kept["height"],
            alarmed=alarmed,
            alarmed_at=Run(*kept["alarmed_at"]),
            fell_silent=kept["fell_silent"],
        )
