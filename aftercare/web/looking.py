"""What is read: a case whole, where a message stands, the list of cases."""

# Annotations are evaluated here: a route names the callers it lets in, which are known once it is made.

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, BeforeValidator

from aftercare.gateway import REGISTRATION, Gateway
from aftercare.keys import Caller, Role
from aftercare.messages.base import Id, Instant, Name
from aftercare.messages.outcome import Outcome, Snapshot
from aftercare.messages.policy import Verdict
from aftercare.store.cases import Cases
from aftercare.store.listing import BadCursor, page_of_cases
from aftercare.store.tables import CaseRow
from aftercare.web.access import Access
from aftercare.web.cases import CaseId
from aftercare.web.problems import Problem, documented


class CaseInList(BaseModel):
    """A case, in a line. Who the customer is stands in the case itself."""

    case_id: str
    agent: str
    domain: str
    handled_by: str
    stage: str
    opened_at: datetime
    release: str | None = None
    intent: str = "unknown"
    confidence: float | None = None
    outcome: str | None = None
    verdict: str | None = None


class CasePage(BaseModel):
    """Cases, newest first. `next` is the cursor of the next page; null on the last."""

    cases: list[CaseInList]
    next: str | None = None


class MessageStanding(BaseModel):
    """Where a message stands: `waiting`, `delivered`, `refused` with the reasons, or `orphan`."""

    id: str
    case_id: str
    kind: str
    standing: str
    reasons: list[str]
    at: datetime
    by: str | None = None


def _no_nul(value: Any) -> Any:
    if isinstance(value, str) and "\x00" in value:
        raise ValueError("a NUL character is no text")
    return value


Word = Annotated[Name | None, BeforeValidator(_no_nul)]
REFUSED_ID = r"^[A-Za-z0-9][A-Za-z0-9._:~\-]{0,200}$"


class Wanted(BaseModel):
    """Which cases are wanted."""

    stage: Literal["resolving", "watching", "settled"] | None = None
    outcome: Outcome | None = None
    verdict: Verdict | None = None
    agent: Id | None = None
    intent: Word = None
    release: Word = None
    domain: Id | None = None
    ticket: Word = None
    handled_by: Literal["agent", "human"] | None = None
    opened_after: Instant | None = None
    opened_before: Instant | None = None
    cursor: Annotated[str | None, Query(max_length=400)] = None
    limit: Annotated[int, Query(ge=1, le=200)] = 50


def looking_routes(gateway: Gateway, cases: Cases, access: Access) -> APIRouter:
    """What may be read, and by whom."""
    routes = APIRouter(prefix="/v1/cases", tags=["cases"])
    MayList = Annotated[Caller, Depends(access.needs(Role.REVIEWER, Role.OPERATOR))]
    MayLook = Annotated[Caller, Depends(access.needs(Role.AGENT, Role.REVIEWER, Role.OPERATOR))]
    anybody = access.needs(Role.AGENT, Role.CUSTOMER_CHANNEL, Role.REVIEWER, Role.OPERATOR)
    MayAsk = Annotated[Caller, Depends(anybody)]

    @routes.get("", responses=documented(422))
    async def listed(wanted: Annotated[Wanted, Query()], caller: MayList) -> CasePage:
        """Cases by what is known of them, newest first."""
        told = wanted.model_dump(mode="json", exclude={"opened_after", "opened_before", "cursor", "limit"})
        try:
            page = await page_of_cases(
                cases.database, told, wanted.opened_after, wanted.opened_before, wanted.cursor, wanted.limit
            )
        except BadCursor as error:
            raise Problem(422, "refused", f"cursor: {error}") from error
        return CasePage(cases=[_line(row) for row in page.cases], next=page.next)

    @routes.get("/{case_id}", responses=documented(404, 410, 422))
    async def snapshot(case_id: CaseId, caller: MayLook) -> Snapshot:
        """The whole case as it stands, from its own workflow."""
        await access.check_agent(caller, case_id)
        row = await cases.find(case_id)
        if row and row.erased_at:
            raise Problem(410, "erased", f"case {case_id!r} was erased with its customer")
        return await gateway.snapshot(case_id)

    @routes.get("/{case_id}/messages/{message_id}", responses=documented(404, 422))
    async def message(
        case_id: CaseId, message_id: Annotated[str, Path(pattern=REFUSED_ID)], caller: MayAsk
    ) -> MessageStanding:
        """Where a message stands. One that its case refused is found under the id it was sent with."""
        await access.check_agent(caller, case_id)
        sent = case_id if message_id == REGISTRATION else message_id  # a case refuses its own under the case's id
        row = await cases.inbox.find(case_id, message_id) or await cases.inbox.last_refusal(case_id, sent)
        if row is None:
            raise Problem(404, "no-such-message", f"case {case_id!r} has no message {message_id!r}")
        told = row.model_dump(include={"case_id", "kind", "standing", "reasons", "at", "by"})
        return MessageStanding(id=message_id, **told)

    return routes


def _line(row: CaseRow) -> CaseInList:
    return CaseInList(**row.model_dump(include=set(CaseInList.model_fields)))
