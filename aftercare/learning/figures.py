"""The figures of a set of cases, as a whole or group by group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, tzinfo
from enum import StrEnum

from aftercare.learning.facts import CaseFacts
from aftercare.learning.intervals import Estimate
from aftercare.learning.measures import ALL, MEASURES
from aftercare.messages.base import Message


class By(StrEnum):
    """What cases are grouped by."""

    INTENT = "intent"
    RELEASE = "release"
    AGENT = "agent"
    HANDLER = "handler"
    WEEK = "week"


class Figure(Estimate):
    """A figure: its name, the unit of its value, and of which cases it is told, in words."""

    name: str
    unit: str
    of: str


class Group(Message):
    """The figures of the cases that belong together. `group` is null for all of them."""

    group: str | None = None
    cases: int
    figures: tuple[Figure, ...]


def figures_of(cases: Sequence[CaseFacts], names: Iterable[str] | None = None) -> list[Figure]:
    """The figures of these cases, in their usual order: all of them, or those named. Raises KeyError for no figure."""
    measures = ALL if names is None else [MEASURES[name] for name in names]
    return [Figure(name=m.name, unit=m.unit, of=m.of, **dict(m.estimate(cases))) for m in measures]


def groups_of(
    cases: Sequence[CaseFacts], by: By | None, zone: tzinfo | None = None, names: Sequence[str] | None = None
) -> list[Group]:
    """The figures group by group: weeks in their order, everything else the largest group first."""
    if by is None:
        return [Group(cases=len(cases), figures=tuple(figures_of(cases, names)))]
    found = grouped(cases, by, zone)
    order = sorted(found, key=lambda name: name if by is By.WEEK else (-len(found[name]), name))
    return [Group(group=n, cases=len(found[n]), figures=tuple(figures_of(found[n], names))) for n in order]


def grouped(cases: Iterable[CaseFacts], by: By, zone: tzinfo | None = None) -> Mapping[str, list[CaseFacts]]:
    """The cases by what they have in common. A week is ISO's, of the day the case was opened in the reader's zone."""
    found: dict[str, list[CaseFacts]] = {}
    for case in cases:
        found.setdefault(_name(case, by, zone), []).append(case)
    return found


def _name(case: CaseFacts, by: By, zone: tzinfo | None) -> str:
    match by:
        case By.INTENT:
            return case.intent
        case By.RELEASE:
            return case.release or "none"
        case By.AGENT:
            return case.agent or "none"
        case By.HANDLER:
            return case.handled_by
        case By.WEEK:
            return _week(case.opened_at, zone)


def _week(at: datetime, zone: tzinfo | None) -> str:
    with suppress(OverflowError, ValueError):  # the zone's clock may not show so late or early a time
        at = at.astimezone(zone)
    year, week, _ = at.isocalendar()
    return f"{year}-W{week:02}"
