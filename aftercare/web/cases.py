"""What is written about a case: an agent's reports, a person's correction, feedback, a second contact, a reopening."""

# Annotations are evaluated here: a route names the callers it lets in, which are known once it is made.

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from fastapi.responses import JSONResponse
from pydantic import Field

from aftercare.keys import Caller, Role
from aftercare.messages.base import Id, Message
from aftercare.messages.case import Case, CaseReport, Escalation, Proposal, Resolution, Steps
from aftercare.messages.evidence import Feedback, Recontact, Reopen
from aftercare.messages.kinds import KINDS
from aftercare.messages.override import Override
from aftercare.web.access import Access
from aftercare.web.problems import Problem, documented
from aftercare.web.writing import Prefer, Taken, TakenBatch, Writing

OVERRIDE_WAIT = 10
MOST_AT_ONCE = 500
CaseId = Annotated[Id, Path(description="The case, by the id its agent gave it.")]


class Registration(Case):
    """A case, named by its path; an id in the body must be the same."""

    id: Id | None = None  # type: ignore[assignment]


class FeedbackBatch(Message):
    """Pieces of feedback about one case: all are held, or none is."""

    feedback: Annotated[tuple[Feedback, ...], Field(min_length=1, max_length=MOST_AT_ONCE)]


class FeedbackAbout(Feedback):
    """A piece of feedback that names its case."""

    case_id: Id


class FeedbackAcross(Message):
    """Pieces of feedback about many cases: all are held, or none is."""

    feedback: Annotated[tuple[FeedbackAbout, ...], Field(min_length=1, max_length=MOST_AT_ONCE)]


def agents_routes(writing: Writing, access: Access) -> APIRouter:
    """What an agent reports."""
    routes = APIRouter(prefix="/v1/cases/{case_id}", tags=["agents"])
    May = Annotated[Caller, Depends(access.needs(Role.AGENT))]
    answers: dict[str, Any] = {
        "response_model": Taken,
        "status_code": 202,
        "responses": {200: {"model": Taken, "description": "The case took it in."}, **documented(404, 409, 410, 422)},
    }

    async def taken(case_id: str, kind: str, message: Any, caller: Caller, prefer: str | None) -> JSONResponse:
        await access.check_agent(caller, case_id)
        return await writing.take(case_id, kind, message, caller.by, prefer, steps=getattr(message, "steps", ()))

    @routes.put("", **answers)
    async def register(case_id: CaseId, case: Registration, caller: May, prefer: Prefer = None) -> JSONResponse:
        """An agent takes up a case, or a person's case is announced (`handled_by`). The same again changes nothing."""
        told = case.model_dump(exclude_unset=True)
        whole = Case(**{**told, "id": told.get("id") or case_id})
        await _check_own(access, whole, case_id, caller)
        return await writing.take(case_id, "registration", whole, caller.by, prefer)

    @routes.put("/report", **answers)
    async def report(case_id: CaseId, report: CaseReport, caller: May, prefer: Prefer = None) -> JSONResponse:
        """A whole case in one call, from an agent that has already finished."""
        await _check_own(access, report.case, case_id, caller)
        return await writing.take(case_id, "report", report, caller.by, prefer, steps=report.steps)

    @routes.post("/steps", **answers)
    async def steps(case_id: CaseId, batch: Steps, caller: May, prefer: Prefer = None) -> JSONResponse:
        """Decision points of the agent's trace."""
        return await taken(case_id, "steps", batch, caller, prefer)

    @routes.post("/resolution", **answers)
    async def resolution(case_id: CaseId, resolution: Resolution, caller: May, prefer: Prefer = None) -> JSONResponse:
        """The agent claims that the case is resolved; or the person does whose case it is."""
        return await taken(case_id, "resolution", resolution, caller, prefer)

    @routes.post("/escalation", **answers)
    async def escalation(case_id: CaseId, escalation: Escalation, caller: May, prefer: Prefer = None) -> JSONResponse:
        """The agent hands over to a person."""
        return await taken(case_id, "escalation", escalation, caller, prefer)

    @routes.post("/proposals", **answers)
    async def proposal(case_id: CaseId, proposal: Proposal, caller: May, prefer: Prefer = None) -> JSONResponse:
        """What the agent would have done in a case that a person handles: shadow mode."""
        return await taken(case_id, "proposal", proposal, caller, prefer)

    return routes


async def _check_own(access: Access, case: Case, case_id: str, caller: Caller) -> None:
    if case.id != case_id:
        raise Problem(422, "refused", f"the path says case {case_id!r}, and the body says {case.id!r}")
    if caller.agent and case.agent != caller.agent:
        raise Problem(403, "not-yours", f"this key is agent {caller.agent!r}'s, and the case says {case.agent!r}")
    if caller.agent and await access.agent_of(case_id) not in (None, caller.agent):
        raise Problem(403, "not-yours", f"case {case_id!r} is not registered by agent {caller.agent!r}")


def people_routes(writing: Writing, access: Access) -> APIRouter:
    """What customers, machines and people send about a case, while it runs or after it has settled."""
    routes = APIRouter(tags=["evidence"])
    anybody = access.needs(Role.AGENT, Role.CUSTOMER_CHANNEL, Role.REVIEWER)
    May = Annotated[Caller, Depends(anybody)]
    MayCorrect = Annotated[Caller, Depends(access.needs(Role.REVIEWER))]
    case, held = "/v1/cases/{case_id}", {"status_code": 202}
    delivered: dict[int | str, dict[str, Any]] = {200: {"model": Taken, "description": "The case took it in before."}}
    answers: dict[str, Any] = {
        "response_model": Taken,
        "responses": {**delivered, **documented(409, 410, 422)},
        **held,
    }

    async def taken(case_id: str, kind: str, message: Message, caller: Caller) -> JSONResponse:
        await access.check_agent(caller, case_id)
        return await writing.take(case_id, kind, _sent(message), caller.by)

    @routes.post(f"{case}/override", **answers)
    async def override(case_id: CaseId, override: Override, caller: MayCorrect, prefer: Prefer = None) -> JSONResponse:
        """A person corrects the agent: whole, or refused with what is missing. Waits for the case's answer."""
        return await writing.take(case_id, "override", _sent(override), caller.by, prefer, OVERRIDE_WAIT)

    @routes.post(
        f"{case}/feedback",
        response_model=Taken | TakenBatch,
        status_code=202,
        responses={200: {"model": Taken, "description": "The case took it in before."}, **documented(409, 410, 422)},
    )
    async def feedback(case_id: CaseId, feedback: Feedback | FeedbackBatch, caller: May) -> Any:
        """What the customer thinks, or did: one piece, or a batch of them."""
        pieces = feedback.feedback if isinstance(feedback, FeedbackBatch) else (feedback,)
        _check_values(pieces)
        if isinstance(feedback, Feedback):
            return await taken(case_id, "feedback", feedback, caller)
        await access.check_agent(caller, case_id)
        return await writing.take_all([(case_id, _sent(piece)) for piece in pieces], caller.by)

    @routes.post("/v1/feedback", response_model=TakenBatch, status_code=202, responses=documented(409, 410, 422))
    async def feedback_across(batch: FeedbackAcross, caller: May) -> TakenBatch:
        """Feedback about many cases at once."""
        _check_values(batch.feedback)
        for case_id in dict.fromkeys(piece.case_id for piece in batch.feedback):
            await access.check_agent(caller, case_id)
        told = [(p.case_id, {k: v for k, v in _sent(p).items() if k != "case_id"}) for p in batch.feedback]
        return await writing.take_all(told, caller.by)

    @routes.post(f"{case}/recontacts", **answers)
    async def recontact(case_id: CaseId, recontact: Recontact, caller: May) -> JSONResponse:
        """The customer wrote again."""
        return await taken(case_id, "recontact", recontact, caller)

    @routes.post(f"{case}/reopenings", **answers)
    async def reopen(case_id: CaseId, reopen: Reopen, caller: May) -> JSONResponse:
        """The case was opened again."""
        return await taken(case_id, "reopen", reopen, caller)

    return routes


def _sent(message: Message) -> dict[str, Any]:
    return message.model_dump(mode="json", exclude_unset=True)


def _check_values(pieces: tuple[Feedback, ...]) -> None:
    """Raises Problem for a value that its kind does not take, naming each."""
    problems = [
        f"feedback {piece.id!r}: {problem}"
        for piece in pieces
        if piece.kind in KINDS and (problem := KINDS[piece.kind].problem(piece.value))
    ]
    if problems:
        raise Problem(422, "refused", *problems)
