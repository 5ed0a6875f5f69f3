"""A row of the matrix at work: takes evidence case by case, says what counts against the agent, and where it alarms.

Everything it knows is in the states it was given and gives back; the same evidence makes the same states, however it is
cut into takes, as long as no case is cut. Each case advances one group of a detector, or all clauses of a burst. So the
evidence of all groups together, divided by how many statistics a case advances, less the number of cases, is a
supermartingale, and `tolerated` holds for the row as a whole, however many groups it has.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from aftercare.learning.baselines import Sums, pooled
from aftercare.learning.detectors import BurstDetector, EDetector, QuantileDetector, counts_against, detectors_of
from aftercare.learning.groups import Group
from aftercare.learning.telling import because, volume_of
from aftercare.messages.improvement import GroupStanding
from aftercare.messages.triggers import TriggerRow

__all__ = ["Against", "GroupStanding", "Kept", "Key", "Piece", "Watch", "because", "volume_of"]

Groups = dict[str, Group]
TALLY = ""  # under this name a burst counts the audited cases; no clause is called so


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of evidence, as the detectors see it. `clauses` are those it names as broken."""

    case_id: str
    id: str
    kind: str
    value: float | None
    intent: str
    release: str
    at: datetime
    clauses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Key:
    """Whose state it is: that of a detector, by its name within the row, for one group under one release."""

    detector: str
    release: str
    group: str


@dataclass(slots=True)
class Kept:
    """A state as it is stored. `spec` is the digest of the declaration it was made under."""

    spec: str
    alarmed: bool
    state: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Against:
    """A piece that counts against the agent, and its group: the intent, the release, or all clauses as `,c.1,c.2,`."""

    piece: Piece
    group: str


class Watch:
    """The detectors of one row, for one agent."""

    def __init__(self, row: TriggerRow, states: Mapping[Key, Kept] = {}) -> None:
        """A state whose detector is declared otherwise by now, or is gone, is left alone: that one begins anew."""
        self.row = row
        self._detectors = {detector.name: detector for detector in detectors_of(row)}
        self._bursts = [name for name, detector in self._detectors.items() if isinstance(detector, BurstDetector)]
        self._specs = {name: _spec(row, detector) for name, detector in self._detectors.items()}
        self._groups: dict[tuple[str, str], Groups] = {}
        self._changed: dict[Key, Group] = {}
        for key, kept in states.items():
            if self._specs.get(key.detector) == kept.spec:
                self._of(key.detector, key.release)[key.group] = Group.of(kept.state, kept.alarmed)

    def take(self, pieces: Sequence[Piece]) -> list[Against]:
        """Take up pieces in their order, those of a case together; gives those that count against the agent."""
        against: list[Against] = []
        for _, of_case in groupby(pieces, key=lambda piece: piece.case_id):
            against += self._take_case(list(of_case))
        return against

    def standings(self) -> tuple[GroupStanding, ...]:
        """How each group stands with each detector, the nearest to its threshold first."""
        found = [
            self._standing(self._detectors[name], release, name_of, group)
            for (name, release), groups in self._groups.items()
            for name_of, group in groups.items()
            if not self._is_tally(name, name_of)
        ]
        return tuple(sorted(found, key=lambda s: (-s.evidence / s.threshold, s.group, s.release, s.detector)))

    def alarmed(self) -> tuple[str, ...]:
        """The groups that alarm, whichever detector does, under whichever release."""
        return tuple(sorted({key.group for key, group in self._all() if group.alarmed}))

    def begin_anew(self, groups: Collection[str] | None) -> None:
        """The statistics of these groups from zero and without alarm, None: of all. What is usual stays learned."""
        for key, group in self._all():
            if (groups is None or key.group in groups) and group.begin_anew():
                self._changed[key] = group

    def alarm_again(self, groups: Collection[str]) -> None:
        """What alarmed in these groups before it began anew alarms again; where nobody knows which, all of a group."""
        for name in groups:
            of_group = [(key, group) for key, group in self._all() if key.group == name]
            had_alarmed = [(key, group) for key, group in of_group if group.fell_silent]
            for key, group in had_alarmed or of_group:
                group.alarmed, group.fell_silent = True, False
                self._changed[key] = group

    def changed(self) -> Mapping[Key, Kept]:
        """The states that are others than those it was given."""
        return {
            key: Kept(self._specs[key.detector], group.alarmed, group.kept()) for key, group in self._changed.items()
        }

    def _take_case(self, pieces: list[Piece]) -> list[Against]:
        # What is known last is known best; a case that was taken for another intent before is counted under its own.
        release, own = pieces[-1].release or "", self._group_of(pieces[-1])
        known = [(piece, piece.value) for piece in pieces if piece.value is not None]
        against = [Against(p, self._grouping(p, own)) for p, v in known if self._is_against(p.kind, v, release, own)]
        for detector in self._detectors.values():
            mine = [(piece, value) for piece, value in known if piece.kind in detector.kinds]
            if isinstance(detector, BurstDetector):
                self._audit(detector, release, mine)
            else:
                value = detector.observed([(piece.kind, value) for piece, value in mine])
                if value is not None:
                    self._observe(detector, release, own, value)
        return against

    def _observe(self, detector: EDetector, release: str, name: str, value: float) -> None:
        groups = self._of(detector.name, release)
        group = groups.get(name)
        if group is None:
            group = groups[name] = Group()
        self._hold(detector, Key(detector.name, release, name), group, value, groups)

    def _audit(self, detector: BurstDetector, release: str, mine: Sequence[tuple[Piece, float]]) -> None:
        """An audited case: broken or not, it is one more case for every clause under watch."""
        if not mine:
            return
        counts = dict(detector.counts)
        broken = {c for piece, value in mine if counts_against(counts.get(piece.kind), value) for c in piece.clauses}
        groups = self._of(detector.name, release)
        tally = groups.setdefault(TALLY, Group())
        for name, group in groups.items():
            if name != TALLY:
                self._hold(detector, Key(detector.name, release, name), group, float(name in broken), groups)
        for clause in sorted(broken - groups.keys()):
            learned = min(tally.seen, 2 * detector.baseline.cases)
            group = groups[clause] = Group(seen=tally.seen, learned=Sums(learned))
            detector.observe(group, 1.0, judged=False, others=Sums)
            self._changed[Key(detector.name, release, clause)] = group
        tally.seen += 1
        self._changed[Key(detector.name, release, TALLY)] = tally

    def _hold(self, detector: EDetector, key: Key, group: Group, value: float, groups: Groups) -> None:
        """Hold a case against what is usual in its group, and alarm where there is evidence enough."""
        judged = group.seen >= self.row.minimum_sample
        detector.observe(group, value, judged, lambda: pooled([g.learned for g in groups.values() if g is not group]))
        if judged and group.level >= self._threshold(key.release):
            group.alarm()
        self._changed[key] = group

    def _threshold(self, release: str) -> float:
        """`tolerated` cases for each statistic that one case advances."""
        advanced = len(self._detectors)
        for name in self._bursts:
            clauses = len(self._groups.get((name, release), {})) - 1
            advanced += max(clauses - 1, 0)
        return self.row.tolerated * advanced

    def _is_against(self, kind: str, value: float, release: str, group: str) -> bool:
        if counts_against(self.row.evidence.get(kind), value):
            return True
        ranking = (d for d in self._detectors.values() if isinstance(d, QuantileDetector) and kind in d.kinds)
        usual = (self._groups.get((d.name, release), {}).get(group) for d in ranking)
        return any(of.limit is not None and value > of.limit for of in usual if of)

    def _group_of(self, piece: Piece) -> str:
        match self.row.group_by:
            case "intent":
                return piece.intent or ""
            case "release":
                return piece.release or ""
            case _:
                return ""

    def _grouping(self, piece: Piece, own: str) -> str:
        if self.row.group_by != "clause":
            return own
        return f",{','.join(sorted(set(piece.clauses)))}," if piece.clauses else ""

    def _standing(self, detector: EDetector, release: str, name: str, group: Group) -> GroupStanding:
        return GroupStanding(
            detector=detector.name,
            group=name,
            release=release,
            cases=group.seen,
            statistic=detector.unscaled(group.anew.mean),
            baseline=detector.usually(group),
            lately=detector.unscaled(group.telling.mean),
            lately_cases=group.telling.cases,
            evidence=group.level,
            threshold=self._threshold(release),
            alarmed=group.alarmed,
        )

    def _all(self) -> Iterator[tuple[Key, Group]]:
        for (name, release), groups in self._groups.items():
            for group, state in groups.items():
                if not self._is_tally(name, group):
                    yield Key(name, release, group), state

    def _is_tally(self, detector: str, group: str) -> bool:
        return group == TALLY and isinstance(self._detectors[detector], BurstDetector)

    def _of(self, detector: str, release: str) -> Groups:
        return self._groups.setdefault((detector, release), {})


def _spec(row: TriggerRow, detector: EDetector) -> str:
    """The digest of what a state rests on: a detector's own declaration, and that of what it counts and learns."""
    declared = next(d for d, made in zip(_declared(row), detectors_of(row), strict=True) if made.name == detector.name)
    parts = {
        "detector": declared.model_dump(mode="json"),
        "counts": {kind: counts.model_dump() for kind, counts in detector.counts},
        "group_by": row.group_by,
        "baseline": row.baseline.model_dump(),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _declared(row: TriggerRow) -> list[Any]:
    return [declared for declared in row.detectors if declared.detector != "volume"]
