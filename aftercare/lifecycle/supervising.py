"""What a supervisor decides between two looks at the evidence, and what it refuses to be told."""

from __future__ import annotations

from datetime import datetime, timedelta

from aftercare.lifecycle.state import Refused
from aftercare.messages.improvement import Firing, FiringStatus, GroupStanding, Supervise, TriggerStanding, Work

FAILURES = 3  # so many improvements in a row that fail, and the supervisor pauses itself
ITSELF = "aftercare"  # who paused it then
NOTHING = timedelta(0)
UNSAID = "its workflow has ended, and the store does not know how"

_FAILING = (FiringStatus.FAILED, FiringStatus.STARTED)


def target_of(work: Work) -> str:
    """What is to be improved: `retraining/intent_classifier`."""
    return f"{work.workflow}/{work.kind}"


def taken_up(known: Supervise, standing: TriggerStanding) -> Supervise:
    """What is known after a check: when it has cooled down, and by which book it checks."""
    told = {"checks": known.checks + 1, "book": standing.book}
    if known.book and known.book != standing.book:
        told["edited_at"] = standing.at
    return cooled(known.model_copy(update=told), standing)


def cooled(known: Supervise, standing: TriggerStanding) -> Supervise:
    """What is known once it has fired, or an improvement has ended: until when it cools down, how many have failed."""
    last = standing.last
    told = {
        "cool_until": last.at + standing.cooldown if last else None,
        "failures": known.failures if last and last.status in _FAILING else 0,
    }
    return known.model_copy(update=told)


def may_fire(known: Supervise, standing: TriggerStanding, now: datetime) -> bool:
    """Whether it is due, and nothing speaks against it."""
    busy = standing.open is not None or bool(standing.paused_by)
    return bool(standing.due) and not busy and not cooling(known, now) and not spent(standing, now)


def cooling(known: Supervise, now: datetime) -> timedelta:
    """How much of the cooldown is left."""
    return max(known.cool_until - now, NOTHING) if known.cool_until else NOTHING


def spent(standing: TriggerStanding, now: datetime) -> bool:
    """Whether the week's budget has no room."""
    return standing.over_budget_until is not None and standing.over_budget_until > now


def rest_after(standing: TriggerStanding, before: timedelta | None, now: datetime) -> timedelta:
    """How long until the next look: none while more is there, twice as long each time that nothing came."""
    if standing.more:
        return NOTHING
    rest = standing.check_every
    if before and not standing.counted:
        rest = max(min(before * 2, standing.check_at_most), standing.check_every)
    if standing.over_budget_until and spent(standing, now):
        rest = min(rest, standing.over_budget_until - now)
    return rest


def fired(standing: TriggerStanding, firing: Firing) -> TriggerStanding:
    """The standing once it has fired: what it claimed no longer waits, and the groups it fired for begin anew."""
    told = {"open": firing, "last": firing, "next_cycle": firing.cycle + 1, "due": ""}
    left = max(standing.waiting - firing.cases, 0)
    groups = tuple(_anew(group) if _fired_for(group, standing, firing) else group for group in standing.groups)
    return standing.model_copy(update=told | {"waiting": left, "groups": groups})


def _fired_for(group: GroupStanding, standing: TriggerStanding, firing: Firing) -> bool:
    """A volume and a person fire for every group, an alarm for its own."""
    by_volume = standing.volume is not None and standing.waiting >= standing.volume
    return bool(firing.by) or by_volume or not firing.groups or group.group in firing.groups


def _anew(group: GroupStanding) -> GroupStanding:
    return group.model_copy(
        update={"statistic": None, "lately": None, "lately_cases": 0, "evidence": 0.0, "alarmed": False}
    )


def ended(standing: TriggerStanding, firing: Firing, status: FiringStatus, note: str) -> TriggerStanding:
    """The standing once the improvement of a firing has ended; another one may have fired since."""
    if standing.open is None or standing.open.id != firing.id:
        return standing
    last = firing.model_copy(update={"status": status, "note": note})
    return standing.model_copy(update={"open": None, "last": last})


def failed(known: Supervise, standing: TriggerStanding, firing: Firing) -> Supervise:
    """One failure more, if it was one: an improvement may have been closed when all was done."""
    last = standing.last
    if last is None or last.id != firing.id or last.status is not FiringStatus.FAILED:
        return known
    return known.model_copy(update={"failures": known.failures + 1})


def check_pause(standing: TriggerStanding | None) -> None:
    """It is paused once."""
    if standing and standing.paused_by:
        raise Refused([f"it is paused already, by {standing.paused_by}"])


def check_resume(standing: TriggerStanding | None) -> None:
    """Only what is paused goes on."""
    if standing and not standing.paused_by:
        raise Refused(["it is not paused"])


def check_fire(standing: TriggerStanding | None) -> None:
    """One improvement of a row at a time."""
    if standing and standing.open:
        raise Refused([f"an improvement is under way: {standing.open.id}; the next may fire once it has ended"])
