"""From an event to evidence on the right case. An event about no case we know leaves nothing behind.

Nothing of it is kept: a helpdesk tells of every ticket it has, most of them no agent ever saw, and without a case
there is nobody for whom to keep a customer's words, nor a way to find them when they must be erased. Whoever has to
know sees what was sent in the helpdesk's own list of deliveries, and can send it again.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

from aftercare.lifecycle.state import Conflict
from aftercare.messages.base import Message
from aftercare.messages.evidence import Feedback, Recontact, Reopen
from aftercare.messages.kinds import KINDS
from aftercare.store.finding import CaseBrief
from aftercare.web.webhooks.events import CameBack, Event, Rated, TicketOpened, TicketReopened

UNKNOWN = "unknown"
log = logging.getLogger(__name__)

# Takes evidence about a case: its id, the kind of message, the message as JSON. Raises Conflict where another message
# has the id; any other Refused is for the sender.
Take = Callable[[str, str, dict[str, Any]], Awaitable[None]]


class CaseFinder(Protocol):
    """Finds cases, the newest first, and none that was erased."""

    async def by_case(self, case_id: str) -> CaseBrief | None:
        """The case of an id."""

    async def by_ticket(self, ticket: str) -> Sequence[CaseBrief]:
        """The cases of a ticket."""

    async def by_customer(self, customer: str, since: datetime) -> Sequence[CaseBrief]:
        """The cases of a customer whose watch had not ended at a moment."""


async def route(event: Event, finder: CaseFinder, take: Take, now: datetime) -> bool:
    """Hand an event over to the case it is about; False where there is none."""
    found = await _evidence(event, finder, event.at or now)
    if found is None:
        log.info("webhook_unmatched", extra={"source": event.source, "rule": event.rule})
        return False
    case, kind, evidence = found
    raw = evidence.model_dump(mode="json", exclude_none=True)
    try:
        await take(case.case_id, kind, raw)
    except Conflict:
        # The same event was told before in other words, such as a rating whose comment came later: it counts once.
        log.info("webhook_known", extra={"source": event.source, "rule": event.rule})
    return True


async def _evidence(event: Event, finder: CaseFinder, at: datetime) -> tuple[CaseBrief, str, Message] | None:
    """The case that an event is about, and the message it is to take in."""
    if isinstance(event, CameBack):
        return await _second_contact(event, finder, at)
    own = await _own(event, finder, at)
    match event:
        case TicketReopened() if own:
            return own, "reopen", Reopen(id=event.id, reason=event.reason, source=event.source, at=event.at)
        case Rated() if own:
            return own, "feedback", _feedback(event)
    return None


async def _second_contact(event: CameBack, finder: CaseFinder, at: datetime) -> tuple[CaseBrief, str, Message] | None:
    """In the ticket of a case that was resolved, or elsewhere after one. What the sender says goes before intents."""
    own = None if isinstance(event, TicketOpened) else await _own(event, finder, at)
    if own:
        watched = own.watched_at(at) and not own.with_its_agent
        found = (own, _same(event.intent, own.intent)) if watched else None
    else:
        found = _came_back(await _earlier(event, finder, at), event.intent)
    if found is None:
        return None
    case, same = found
    told = same if event.same_issue is None else event.same_issue
    message = Recontact(id=event.id, same_issue=told, channel=event.source, reason=event.reason, at=event.at)
    return case, "recontact", message


async def _own(event: Event, finder: CaseFinder, at: datetime) -> CaseBrief | None:
    """The case an event names: by our own id, else the latest of its ticket that was open already.

    A case that was opened since is another matter, and a vendor's retry must not reach it. Where all were opened since,
    the clocks differ, and it is the first of them.
    """
    if event.case and (named := await finder.by_case(event.case)):
        return named
    of_ticket = await finder.by_ticket(event.ticket) if event.ticket else ()
    return next((case for case in of_ticket if case.opened_at <= at), of_ticket[-1] if of_ticket else None)


async def _earlier(event: CameBack, finder: CaseFinder, at: datetime) -> list[CaseBrief]:
    """The customer's cases that this could be a second contact about.

    Not the case of the very ticket, nor one that its agent still has or gave up: the ticket may be how it handed over.
    """
    found = await finder.by_customer(event.customer, at) if event.customer else ()
    own = [case for case in found if case.case_id == event.case or (event.ticket and case.ticket == event.ticket)]
    return [case for case in found if case not in own and case.opened_at < at and not case.with_its_agent]


def _came_back(earlier: Sequence[CaseBrief], intent: str | None) -> tuple[CaseBrief, bool] | None:
    """The latest case about the same intent; else, where an intent is not known, the latest it might be about."""
    for case in earlier:
        if _same(intent, case.intent):
            return case, True
    for case in earlier:
        if UNKNOWN in (intent or UNKNOWN, case.intent):
            return case, False
    return None


def _same(intent: str | None, other: str) -> bool:
    return intent == other and other != UNKNOWN


def _feedback(event: Rated) -> Feedback:
    kind = KINDS[event.kind]
    return Feedback(
        id=event.id,
        family=kind.family,
        kind=kind.name,
        value=event.value,
        unit=kind.unit,
        comment=event.comment,
        source=event.source,
        at=event.at,
    )
