"""Time zones by their names."""

from __future__ import annotations

import difflib
from zoneinfo import ZoneInfo, available_timezones


class UnknownZone(ValueError):
    """A name that is no time zone's here, with names like it."""


def zone_of(name: str) -> ZoneInfo:
    """The zone of a name like Europe/Berlin. Raises UnknownZone, saying what to do."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):  # also for what could be no name
        raise UnknownZone(_advice(name)) from None


def _advice(name: str) -> str:
    known = available_timezones()
    if not known:
        return "this machine knows no time zones at all: install its tzdata, or give times with their offset"
    like = difflib.get_close_matches(name, known, cutoff=0.5)
    told = f"did you mean {', '.join(like)}?" if like else "names are like Europe/Berlin, or UTC"
    return f"there is no time zone {name!r}; {told}"
