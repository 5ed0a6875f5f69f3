"""What must be true of a book of triggers beyond its form: that what a row declares can be watched at all."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from aftercare.messages.kinds import KINDS
from aftercare.messages.triggers import (
    KINDS_OF_WORK,
    Burst,
    Checking,
    Counts,
    Detector,
    Mean,
    Quantile,
    Rate,
    TriggerRow,
    Volume,
)
from policies.sources import Path

Problem = tuple[Path, str]

AUDITED, FLAGGED = "audit_label", "policy_audit"
NEVER_COUNTED = (
    f"{AUDITED} is never counted: what people say of cases drawn at random measures a release, and nothing that is "
    "made from it may be trained on it"
)


def problems_of_check(raw: Any) -> Iterator[Problem]:
    """Of how often supervisors look."""
    try:
        check = Checking.model_validate(raw or {})
    except ValidationError:
        return
    if check.at_most < check.every:
        yield ("check", "at_most"), f"it is shorter than every, which is {check.every}"


def problems_of_rows(rows: Any) -> Iterator[Problem]:
    """Of rows taken together: a piece counts once, so that a kind stands in one of them."""
    first: dict[str, str] = {}
    for name, row in rows.items() if isinstance(rows, dict) else ():
        evidence = row.get("evidence") if isinstance(row, dict) else None
        for kind in evidence if isinstance(evidence, dict) else ():
            if first.setdefault(str(kind), str(name)) != str(name):
                told = f"row {first[str(kind)]} counts {kind} already, and every piece counts once"
                yield ("triggers", str(name), "evidence", str(kind)), told


def problems_of_row(row: TriggerRow, are_whole: bool = True) -> Iterator[Problem]:
    """Of one row. What hangs on all of its detectors together is judged where they `are_whole`."""
    yield from _of_evidence(row, are_whole)
    for place, detector in enumerate(row.detectors):
        path: Path = ("detectors", place)
        yield from ((path + more, message) for more, message in _of_detector(row, detector))
    yield from _of_repetition(row)
    kinds = KINDS_OF_WORK[row.starts.workflow]
    if row.starts.kind not in kinds:
        yield ("starts", "kind"), f"{row.starts.workflow} has no {row.starts.kind}; it has {', '.join(kinds)}"
    if are_whole and row.group_by == "clause" and not any(isinstance(d, Burst) for d in row.detectors):
        yield ("group_by",), "clauses are watched by a burst alone"


def watched(row: TriggerRow, detector: Rate | Mean | Quantile | Burst) -> tuple[str, ...]:
    """The kinds a detector looks at: those it names, else all of the row's."""
    return detector.of or tuple(row.evidence)


def _of_evidence(row: TriggerRow, are_whole: bool) -> Iterator[Problem]:
    ranked = {kind for d in row.detectors if isinstance(d, Quantile) for kind in watched(row, d)}
    for name, counts in row.evidence.items():
        path: Path = ("evidence", name)
        if name == AUDITED:
            yield path, NEVER_COUNTED
        elif name not in KINDS:
            yield path, f"there is no kind of evidence {name}; {_nearest(name)}"
        elif are_whole and (message := _of_bounds(counts, name, name in ranked)):
            yield path, message


def _nearest(name: str) -> str:
    known = [kind for kind in KINDS if kind != AUDITED]
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"


def _of_bounds(counts: Counts, name: str, is_ranked: bool) -> str | None:
    """A bound says which values count against the agent; a quantile finds them by itself."""
    low, high, kind = counts.at_least, counts.at_most, KINDS[name]
    if is_ranked:
        given = low is not None or high is not None
        return "a quantile finds by itself what is slow or large: it takes no at_least or at_most" if given else None
    if low is not None and high is not None:
        return "which way is worse? Either at_least or at_most is given, not both"
    if low is None and high is None:
        return "which values count against the agent? at_least or at_most is needed"
    if low is not None and kind.lowest is not None and low <= kind.lowest:
        return f"at_least {low:g} is every value of {name}, which is {kind.between()}"
    if high is not None and kind.highest is not None and high >= kind.highest:
        return f"at_most {high:g} is every value of {name}, which is {kind.between()}"
    if (low is not None and kind.highest is not None and low > kind.highest) or (
        high is not None and kind.lowest is not None and high < kind.lowest
    ):
        return f"{name} never comes to that: it is {kind.between()}"
    return None


def _of_detector(row: TriggerRow, detector: Detector) -> Iterator[Problem]:
    if isinstance(detector, Volume):
        return
    for place, kind in enumerate(detector.of):
        if kind not in row.evidence:
            yield ("of", place), f"{kind} is no evidence of this row, which is {', '.join(row.evidence)}"
    match detector:
        case Mean():
            yield from _of_mean(row, detector)
        case Quantile():
            yield from _of_quantile(row, detector)
        case Burst() if row.group_by != "clause" or set(watched(row, detector)) != {FLAGGED}:
            yield (), f"a burst watches the clauses that {FLAGGED} names: that is its evidence, and group_by is clause"
        case _:
            pass
    if row.group_by == "clause" and not isinstance(detector, Burst):
        yield (), f"a {detector.detector} cannot watch clauses: a case is about all of them at once"


def _of_mean(row: TriggerRow, detector: Mean) -> Iterator[Problem]:
    kinds = watched(row, detector)
    if len(kinds) != 1:
        yield ("of",), f"a mean is that of one kind: name it, of {', '.join(kinds)}"
        return
    if (kind := KINDS.get(kinds[0])) is None:
        return
    bounds = (kind.lowest, kind.highest)
    if None not in bounds and detector.within is not None:
        yield ("within",), f"{kind.name} has bounds of its own: it is {kind.between()}"
    elif None in bounds and detector.within is None:
        yield ("within",), f"it is needed: {kind.name} is {kind.between()}, and a mean is watched within bounds"
    else:
        low, high = detector.within or bounds
        assert low is not None
        assert high is not None
        if low >= high:
            yield ("within",), "the lower bound comes first, and the upper one is above it"
        elif detector.notice >= high - low:
            yield ("notice",), f"no mean moves by so much within {low:g} and {high:g}"


def _of_quantile(row: TriggerRow, detector: Quantile) -> Iterator[Problem]:
    kinds = watched(row, detector)
    if len(kinds) != 1:
        yield ("of",), f"a quantile is that of one kind: name it, of {', '.join(kinds)}"
    elif (kind := KINDS.get(kinds[0])) and kind.whole and kind.highest is not None:
        yield ("of",), f"{kind.name} is {kind.unit}, and has no quantile worth watching: a rate watches it"
    if detector.notice * (1 - detector.quantile) >= 1:
        most = 1 / (1 - detector.quantile)
        yield ("notice",), f"no share is so large: beyond the {detector.quantile:g} quantile it is below {most:.3g}"


def _of_repetition(row: TriggerRow) -> Iterator[Problem]:
    """Two detectors of one sort need different kinds to look at, or they are one."""
    looks = [(d.detector, () if isinstance(d, Volume) else tuple(sorted(watched(row, d)))) for d in row.detectors]
    for place, look in enumerate(looks):
        if look in looks[:place]:
            yield ("detectors", place), f"a {look[0]} of the same stands here already"
