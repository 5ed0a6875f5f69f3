"""The survey about a case, for the agent who hands its link over."""

# Annotations are evaluated here: a route names the callers it lets in, which are known once it is made.

from typing import Annotated

from fastapi import APIRouter, Depends

from aftercare.keys import Caller, Role
from aftercare.surveys import Surveys, SurveyShown
from aftercare.web.access import Access
from aftercare.web.cases import CaseId
from aftercare.web.problems import Problem, documented


def asking_routes(surveys: Surveys, access: Access) -> APIRouter:
    """Where the survey about a case stands."""
    routes = APIRouter(tags=["agents"])
    May = Annotated[Caller, Depends(access.needs(Role.AGENT, Role.REVIEWER, Role.OPERATOR))]

    @routes.get("/v1/cases/{case_id}/survey", responses=documented(404, 422))
    async def survey(case_id: CaseId, caller: May) -> SurveyShown:
        """The latest survey; with its link, where the agent is to hand it over and it is still open."""
        await access.check_agent(caller, case_id)
        shown = await surveys.shown(case_id)
        if shown is None:
            raise Problem(404, "no-survey", f"nobody is asked about case {case_id!r}, or not yet")
        return shown

    return routes
