"""Why a trigger fires, in a sentence for people: what, where, from what to what, and in how many cases."""

from __future__ import annotations

from collections.abc import Sequence

from aftercare.learning.detectors import BurstDetector, EDetector, MeanDetector, QuantileDetector, detectors_of
from aftercare.messages.improvement import GroupStanding
from aftercare.messages.triggers import TriggerRow, Volume

NAMED = 3  # groups told one by one; how many more there are is told as a number


def volume_of(row: TriggerRow) -> int | None:
    """How many cases against the agent make a firing by themselves; None where none do."""
    return min((detector.cases for detector in row.detectors if isinstance(detector, Volume)), default=None)


def because(row: TriggerRow, alarmed: Sequence[GroupStanding], waiting: int) -> str:
    """Why it fires; empty where nothing is due. `alarmed` are the standings to be told, nearest first."""
    detectors = {detector.name: detector for detector in detectors_of(row)}
    told = [_told(row, detectors[s.detector], s) for s in alarmed[:NAMED] if s.detector in detectors]
    if len(alarmed) > NAMED:
        told.append(f"and {len(alarmed) - NAMED} more")
    volume = volume_of(row)
    if volume is not None and waiting >= volume:
        told.append(f"{_cases(waiting)} against the agent are waiting, where {volume} are enough")
    return "; ".join(told)


def _told(row: TriggerRow, detector: EDetector, standing: GroupStanding) -> str:
    """One group: what is counted, where, from what to what, in how many cases."""
    lately = standing.lately if standing.lately is not None else standing.statistic
    cases = standing.lately_cases or standing.cases
    what, where = " or ".join(detector.kinds), _where(row, standing)
    if lately is None:
        return f"{what}{where}: an alarm whose cases came back from an improvement that failed"
    match detector:
        case MeanDetector():
            return (
                f"{what}{where}: {_figure(lately)} on average in {_cases(cases)}, usually {_figure(standing.baseline)}"
            )
        case QuantileDetector():
            usual = f"usually {_share(standing.baseline)}"
            return f"{what}{where}: {_share(lately)} of {_cases(cases)} beyond the usual limit, {usual}"
        case BurstDetector():
            what = f"clause {standing.group} broken in"
            return f"{what} {_share(lately)} of {_cases(cases)}, usually {_share(standing.baseline)}"
        case _:
            return f"{what}{where}: {_share(lately)} of {_cases(cases)}, usually {_share(standing.baseline)}"


def _where(row: TriggerRow, standing: GroupStanding) -> str:
    return f" in {standing.group}" if standing.group and row.group_by != "none" else ""


def _cases(number: int) -> str:
    return f"{number} case" + ("" if number == 1 else "s")


def _share(x: float | None) -> str:
    if x is None:  # of what is usual
        return "an unknown share"
    return f"{x:.0%}" if x == 0 or x >= 0.1 else f"{x:.1%}"


def _figure(x: float | None) -> str:
    return "unknown" if x is None else f"{x:.2f}"
