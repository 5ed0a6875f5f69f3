"""Imported rows: under which names a history and feedback are looked for, and what must be true of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import TypeAdapter, ValidationError

from aftercare.commands.import_cells import Cells, Unreadable, number
from aftercare.commands.reading import id_by_content
from aftercare.messages.base import Id
from aftercare.messages.evidence import Family
from aftercare.messages.kinds import KINDS, Kind, family_of
from aftercare.store.tables import FeedbackRow, HistoryRow

A_DAY = timedelta(hours=24)
HANDLERS = ("agent", "human")

# What is looked for, under its own name first and then under others that are usual.
HISTORY = {
    "id": ("id", "case_id", "ticket_id", "number"),
    "opened_at": ("opened_at", "created_at"),
    "resolved_at": ("resolved_at", "solved_at"),
    "reopened_at": ("reopened_at",),
    "recontacted_at": ("recontacted_at",),
    "reopened": ("reopened",),
    "reopened_24h": ("reopened_24h", "reopened_within_24h"),
    "recontacted": ("recontacted",),
    "recontacted_24h": ("recontacted_24h",),
    "intent": ("intent", "category"),
    "agent": ("agent",),
    "handled_by": ("handled_by",),
    "customer": ("customer", "customer_id"),
    "csat": ("csat",),
    "cost": ("cost",),
    "handling_time": ("handling_time",),
}
FEEDBACK = {
    "case_id": ("case_id", "conversation_id", "ticket_id"),
    "id": ("id",),
    "kind": ("kind",),
    "value": ("value", "score", "rating"),
    "at": ("at", "occurred_at", "created_at"),
    "step": ("step", "turn"),
    "family": ("family",),
    "agent": ("agent",),
    "release": ("release",),
    "intent": ("intent", "category"),
    "handled_by": ("handled_by",),
}

# A zero is no thumb: it may mean one that points down, or none at all.
_WORDS: Mapping[str, Mapping[str, float]] = {
    "up/down": {"up": 1, "down": -1, "1": 1, "-1": -1},
    "yes/no": {"yes": 1, "no": 0, "true": 1, "false": 0, "1": 1, "0": 0},
}
_AN_ID = TypeAdapter(Id)


def history_row(cells: Cells, source: str) -> HistoryRow:
    """A case of the time before. Raises Unreadable with what is wrong."""
    opened_at, resolved_at = cells.moment("opened_at"), cells.moment("resolved_at")
    if opened_at is None:
        raise Unreadable("there is no opened_at: name its column with --map opened_at=COLUMN")
    if resolved_at and resolved_at < opened_at:
        raise Unreadable("resolved_at is before opened_at")
    return HistoryRow(
        source=source,
        id=cells.needed("id"),
        customer=cells.text("customer"),
        agent=cells.text("agent") or "",
        handled_by=_handler(cells, "human"),
        intent=cells.text("intent") or "unknown",
        opened_at=opened_at,
        resolved_at=resolved_at,
        reopened_at=cells.moment("reopened_at"),
        recontacted_at=cells.moment("recontacted_at"),
        csat=_measured(cells, "csat"),
        cost=_measured(cells, "cost"),
        handling_time=_measured(cells, "handling_time"),
        body=_came_back(cells, resolved_at),
    )


def _came_back(cells: Cells, resolved_at: datetime | None) -> dict[str, bool]:
    """What is known of the case coming back, and nothing of what is not.

    What a row says outright is believed before what its times would say: a case may have been resolved and reopened
    more often than there are times for.
    """
    told: dict[str, bool | None] = {}
    for what in ("reopened", "recontacted"):
        at, said, in_a_day = cells.moment(f"{what}_at"), cells.flag(what), cells.flag(f"{what}_24h")
        # A column for the time that is empty says that there was none; no such column at all says nothing.
        came = said if said is not None else at is not None if cells.tells(f"{what}_at") else None
        told[what] = came
        told[f"{what}_24h"] = in_a_day if in_a_day is not None else _in_a_day(came, at, resolved_at)
    return {name: known for name, known in told.items() if known is not None}


def _in_a_day(came: bool | None, at: datetime | None, resolved_at: datetime | None) -> bool | None:
    """Whether it came within 24 hours of the resolution; unknown where it came before, after another one."""
    if came is None or resolved_at is None:
        return None
    if not came:
        return False
    return None if at is None or at < resolved_at else at - resolved_at <= A_DAY


@dataclass(frozen=True)
class FeedbackReader:
    """Reads pieces of feedback. `values` says what a value in the file, as `spelt`, stands for: {"0": "down"}."""

    received_at: datetime
    values: Mapping[str, str] = field(default_factory=dict)

    def row(self, cells: Cells, source: str) -> FeedbackRow:
        """A piece of feedback. Raises Unreadable with what is wrong."""
        case_id, kind, at, step = cells.needed("case_id"), cells.needed("kind"), cells.moment("at"), _step(cells)
        if at is None:
            raise Unreadable("there is no time: --map at=COLUMN, or --set at=2026-11-23T12:00Z for all of them")
        return FeedbackRow(
            case_id=case_id,
            id=_id(cells, source, case_id, kind, step),
            agent=cells.text("agent") or "",
            release=cells.text("release"),
            intent=cells.text("intent") or "unknown",
            handled_by=_handler(cells, "agent"),
            family=_family(cells, kind),
            kind=kind,
            value=self._value(cells, kind),
            unit=KINDS[kind].unit if kind in KINDS else "",
            step=step,
            source=source,
            occurred_at=at,
            received_at=self.received_at,
            baseline=True,
        )

    def _value(self, cells: Cells, kind: str) -> float | None:
        told = cells.raw("value")
        told = self.values.get(spelt(told), told)
        known = KINDS.get(kind)
        words = _WORDS.get(known.unit) if known else None
        if told is None or words is None:
            return _within(known, number("value", told))
        if spelt(told) not in words:
            raise Unreadable(f"value is none of {', '.join(words)}; say what it stands for, as in --values 1=up,0=down")
        return words[spelt(told)]


def spelt(value: object) -> str:
    """A value by one spelling, whatever wrote the file: 1, "1", 1.0 and "+1" are the same."""
    try:
        return str(value).lower() if isinstance(value, bool) else f"{float(str(value)):g}"
    except ValueError:
        return str(value).lower()


def _measured(cells: Cells, kind: str) -> float | None:
    return _within(KINDS[kind], cells.number(kind))


def _within(kind: Kind | None, value: float | None) -> float | None:
    if kind and (problem := kind.problem(value)):
        raise Unreadable(problem)
    return value


def _step(cells: Cells) -> int | None:
    step = cells.number("step")
    if step is not None and (step != int(step) or not 1 <= step <= 1_000_000):
        raise Unreadable("step is no whole number from 1 to 1000000")
    return None if step is None else int(step)


def _id(cells: Cells, source: str, case_id: str, kind: str, step: int | None) -> str:
    """Its own id, or one made of what it is about, so that another value for the same is the same piece, changed."""
    at = None if "at" in cells.columns.fixed else cells.moment("at")
    told = cells.text("id") or id_by_content("import", source, case_id, kind, step, str(at))
    try:
        return _AN_ID.validate_python(told)
    except ValidationError:
        raise Unreadable("id must be 1 to 120 of A-Z a-z 0-9 . _ : - and begin with a letter or a figure") from None


def _family(cells: Cells, kind: str) -> Family:
    told = cells.text("family")
    if told is None and kind not in KINDS:
        raise Unreadable(f"there is no kind like this; there are {', '.join(KINDS)}; any other needs its family")
    if told is not None and told not in list(Family):
        raise Unreadable(f"family is none of {', '.join(Family)}")
    return family_of(kind, Family(told) if told else Family.EXPLICIT)


def _handler(cells: Cells, usual: str) -> str:
    told = cells.text("handled_by") or usual
    if told not in HANDLERS:
        raise Unreadable(f"handled_by is none of {', '.join(HANDLERS)}")
    return told
