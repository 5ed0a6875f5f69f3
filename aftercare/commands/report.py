"""`aftercare report`: what became of the cases in figures, each with its interval; and comparisons."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, TypeVar

from cyclopts import App, Parameter
from rich.console import RenderableType

from aftercare import reporting
from aftercare.commands import report_told
from aftercare.commands.answering import Answer, AsJson, answered, wrong
from aftercare.commands.door import read_settings, store
from aftercare.learning.figures import By
from aftercare.messages.base import Message
from aftercare.store.cases import Cases
from aftercare.store.reporting import Selection

report = App(name="report", help="Figures of settled cases, each with an interval; and comparisons.")
T = TypeVar("T", bound=Message)
Figures = Annotated[tuple[str, ...], Parameter(name="--figure", negative=(), show_default=False)]


@Parameter(name="*")
@dataclass(frozen=True)
class Which:
    """Which cases.

    Parameters
    ----------
    agent
        Only cases of this agent.
    release
        Only cases of this release.
    intent
        Only cases of this intent.
    handler
        Only cases that an agent, or a person, handled.
    since
        Only cases opened at this time or later; without a zone it is your own.
    until
        Only cases opened before this time.
    """

    agent: str | None = None
    release: str | None = None
    intent: str | None = None
    handler: Literal["agent", "human"] | None = None
    since: datetime | None = None
    until: datetime | None = None

    def selection(self) -> Selection:
        """The same for the store."""
        return Selection(self.agent, self.release, self.intent, self.handler, _aware(self.since), _aware(self.until))


@report.default
async def show(
    *, by: By | None = None, of: str = "now", which: Which = Which(), figure: Figures = (), json: AsJson = False
) -> int:
    """The figures of the settled cases, each with a 95% interval and what it rests on (docs/reports.md).

    Parameters
    ----------
    by
        Group the cases: by intent, release, agent, handler, or the week they were opened in, in your zone.
    of
        Another set of cases: agent:NAME, release:NAME, human, history or history:SOURCE.
    figure
        Only this figure; more than once for several.
    """
    return await _answer(
        json,
        lambda cases: reporting.report(cases, of, which.selection(), by, None, figure),
        lambda told: report_told.groups(told, figure) if by else report_told.figures(told),
    )


@report.command
async def compare(
    *,
    a: str,
    b: str,
    same_intent: bool | None = None,
    which: Which = Which(),
    figure: Figures = (),
    json: AsJson = False,
) -> int:
    """One set of cases against another, figure by figure: the difference with its interval, or that there are too few.

    Parameters
    ----------
    a
        The one set: now, agent:NAME, release:NAME, human, history or history:SOURCE.
    b
        The other.
    same_intent
        Hold only cases of the same intent against each other. Done where an agent is compared with people.
    figure
        Only this figure; more than once for several.
    """
    return await _answer(
        json,
        lambda cases: reporting.comparison(cases, a, b, which.selection(), same_intent, figure),
        report_told.compared,
    )


@report.command
async def shadow(*, by: By = By.INTENT, which: Which = Which(), json: AsJson = False) -> int:
    """How far agents proposed what the people who handled the cases did.

    Parameters
    ----------
    by
        Group the cases.
    """
    return await _answer(
        json,
        lambda cases: reporting.shadow(cases, which.selection(), by),
        lambda told: report_told.groups(told, reporting.SHADOW),
    )


async def _answer(
    json: bool, ask: Callable[[Cases], Awaitable[T]], told: Callable[[T], Iterable[RenderableType]]
) -> int:
    async def work() -> Answer:
        async with store(read_settings()) as cases:
            try:
                found = await ask(cases)
            except reporting.BadReport as error:
                raise wrong(str(error)) from None
        return Answer(found, list(told(found)))

    return await answered(json, work())


def _aware(at: datetime | None) -> datetime | None:
    try:
        return at.astimezone() if at else None
    except (OverflowError, ValueError, OSError):
        raise wrong("since and until must be times that a clock can show") from None
