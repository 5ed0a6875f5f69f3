"""Evidence read from the whole case: how it really ended, as far as that is known by now.

Something that came (a reopening, a second contact, an override) is known at once; that it did not come is known once
the watch has run to its end. Until then there is no piece. A piece without a value says that it was looked for and
could not be told.
"""

from __future__ import annotations

from collections.abc import Iterable

from aftercare.evidence.pieces import Piece
from aftercare.messages.base import Instant, Json
from aftercare.messages.evidence import Recontact, Reopen
from aftercare.messages.outcome import Episode, Snapshot, Stage
from aftercare.messages.override import Override
from aftercare.messages.policy import Verdict, Verification

Came = Reopen | Recontact | Override

_VERIFIED = {Verification.VERIFIED: 1, Verification.FAILED: 0, Verification.UNVERIFIABLE: None}
_COMPLIANT = {Verdict.COMPLIANT: 1, Verdict.VIOLATION: 0, Verdict.UNDETERMINED: None}


def verification(episode: Episode) -> Piece | None:
    """1 verified, 0 failed, null unverifiable; no piece before it was looked for. Names the facts that differ."""
    if (result := episode.verification) is None:
        return None
    differing: list[Json] = [{"system": f.system, "record": f.record, "field": f.field} for f in result.differing]
    payload: dict[str, Json] = {"checked": result.checked, "differing": differing}
    return Piece(kind="verification", value=_VERIFIED[result.status], payload=payload, episode=episode.number)


def policy_audit(episode: Episode) -> Piece | None:
    """1 compliant, 0 violation, null undetermined; no piece before the audit. Names the clauses that were broken."""
    if (result := episode.audit) is None:
        return None
    broken: list[Json] = sorted({f.clause for f in result.findings if f.verdict is Verdict.VIOLATION})
    payload: dict[str, Json] = {"clauses": broken, "undetermined": result.undetermined}
    return Piece(kind="policy_audit", value=_COMPLIANT[result.verdict], payload=payload, episode=episode.number)


def reopen(case: Snapshot) -> Piece | None:
    """1 once it was opened again, 0 once the watch ran out without."""
    return _came(case, "reopen", case.reopens)


def recontact(case: Snapshot) -> Piece | None:
    """1 once the customer wrote again about the same issue, 0 once the watch ran out without.

    Contacts about other issues are told in the payload.
    """
    same = [contact for contact in case.recontacts if contact.same_issue]
    return _came(case, "recontact", same, other_issues=len(case.recontacts) - len(same))


def override(case: Snapshot) -> Piece | None:
    """1 once a person corrected the agent, 0 once the watch ran out without; no piece where no agent decided."""
    by_person = case.case is not None and case.case.handled_by == "human"
    return None if by_person and not case.overrides else _came(case, "override", case.overrides)


def escalation(case: Snapshot) -> Piece | None:
    """1 once an episode ended with the agent handing over, 0 once the case has settled without."""
    numbers: list[Json] = [episode.number for episode in case.episodes if episode.ending == "escalated"]
    if not numbers and (case.stage is not Stage.SETTLED or not case.episodes):
        return None
    return Piece(kind="escalation", value=bool(numbers), payload={"episodes": numbers})


def first_contact_resolution(case: Snapshot) -> Piece | None:
    """1 where the first to handle it resolved it, and nobody came back about it within the watch; otherwise 0.

    The usual definition, which asks about contacts and not about records: a case that nobody could verify counts as
    the customer's silence says, so that it may be held against a history that was never verified. What verification
    came to stands in the payload, and is a kind of its own. Handing over and falling silent are no resolution.
    """
    first = case.episodes[0] if case.episodes else None
    if first is None or first.ending is None:
        return None
    resolved = first.ending == "resolved"
    again: list[Came] = [*case.reopens, *(r for r in case.recontacts if r.same_issue), *case.overrides]
    in_time = _in_time(again, first.watch_until)
    if resolved and not in_time and not _watched(case):
        return None
    status = first.verification.status if first.verification else None
    payload: dict[str, Json] = {"ending": first.ending, "came_back": in_time, "verification": status}
    return Piece(kind="first_contact_resolution", value=resolved and not in_time, payload=payload)


def _came(case: Snapshot, kind: str, came: Iterable[Came], **more: Json) -> Piece | None:
    all_of_them = list(came)
    if not all_of_them and not _watched(case):
        return None
    first = case.episodes[0] if case.episodes else None
    in_time = _in_time(all_of_them, first.watch_until if first else None)
    payload: dict[str, Json] = {"times": len(all_of_them), "within_watch": in_time, **more}
    return Piece(kind=kind, value=bool(all_of_them), payload=payload)


def _in_time(came: Iterable[Came], until: Instant | None) -> int:
    """How many came within the first watch; what does not tell its time is taken to have."""
    return sum(1 for message in came if until is None or message.at is None or message.at <= until)


def _watched(case: Snapshot) -> bool:
    """Whether the first resolution was watched to its end: a case in which somebody fell silent is not watched."""
    return case.stage is Stage.SETTLED and bool(case.episodes) and case.episodes[0].watch_until is not None
