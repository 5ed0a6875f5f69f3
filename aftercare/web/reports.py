"""Reports: the figures of settled cases, and one set of cases against another."""

# Annotations are evaluated here: a route names what it is asked by.

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import AfterValidator, AwareDatetime, BaseModel

from aftercare import reporting
from aftercare.learning.figures import By
from aftercare.reporting import BadReport, Comparison, Report
from aftercare.store.cases import Cases
from aftercare.store.reporting import Selection
from aftercare.web.problems import Problem, documented
from aftercare.zones import UnknownZone, zone_of


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("a time between the years 1 and 9999") from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Side = Annotated[str, Query(max_length=200, description=f"A set of cases: {reporting.SIDES}.")]
Figures = Annotated[list[str], Query(description="Only these figures; all, where none is named.")]


class CasesQuery(BaseModel):
    """Which cases are asked about: those that are all of this."""

    agent: str | None = None
    release: str | None = None
    intent: str | None = None
    handled_by: Literal["agent", "human"] | None = None
    since: Moment | None = None
    until: Moment | None = None
    figure: Figures = []

    def selection(self) -> Selection:
        """The same for the store."""
        return Selection(self.agent, self.release, self.intent, self.handled_by, self.since, self.until)


class ReportQuery(CasesQuery):
    """A report: the figures of a set of cases, as a whole or by what they have in common."""

    of: Side = reporting.NOW
    by: By | None = None
    zone: Annotated[str, Query(description="The zone whose weeks are meant, as Europe/Berlin.")] = "UTC"


class ComparisonQuery(CasesQuery):
    """A comparison of `a` with `b`."""

    a: Side
    b: Side
    same_intent: Annotated[
        bool | None, Query(description="Only cases of the same intent; so done between an agent and people.")
    ] = None


def report_routes(cases: Cases, may_read: Callable[..., Any]) -> APIRouter:
    """The reports, for those whom the dependency `may_read` lets in."""
    routes = APIRouter(prefix="/v1/reports", tags=["reports"], dependencies=[Depends(may_read)])

    @routes.get("", responses=documented(422))
    async def report(asked: Annotated[ReportQuery, Query()]) -> Report:
        """The figures of settled cases, each with a 95% interval and how many it rests on."""
        try:
            zone = zone_of(asked.zone)
            return await reporting.report(cases, asked.of, asked.selection(), asked.by, zone, asked.figure)
        except (BadReport, UnknownZone) as error:
            raise Problem(422, "refused", str(error)) from None

    @routes.get("/compare", responses=documented(422))
    async def compare(asked: Annotated[ComparisonQuery, Query()]) -> Comparison:
        """How much higher each figure is in `a` than in `b`, with a 95% interval; or that there are too few to tell."""
        try:
            return await reporting.comparison(
                cases, asked.a, asked.b, asked.selection(), asked.same_intent, asked.figure
            )
        except BadReport as error:
            raise Problem(422, "refused", str(error)) from None

    return routes
