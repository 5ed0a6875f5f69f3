"""Reports, for every door: which cases are asked about, their figures, and one set of cases against another."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo

from aftercare.learning.comparison import MINIMUM, Compared, compare, shared_intents
from aftercare.learning.facts import CaseFacts
from aftercare.learning.figures import By, Group, groups_of
from aftercare.learning.measures import MEASURES
from aftercare.messages.base import Instant, Message
from aftercare.store.cases import Cases
from aftercare.store.history import history_of, sources
from aftercare.store.reporting import EVERY_CASE, Selection, facts_of, unsettled

NOW, HISTORY, HUMAN, AGENT, RELEASE = "now", "history", "human", "agent", "release"
SIDES = "now, agent:NAME, release:NAME, human, history or history:SOURCE"
SHADOW = ("agreement", "agreed")


class BadReport(ValueError):
    """What was asked for is no report. Says what to ask instead."""


@dataclass(frozen=True)
class Side:
    """A set of cases as it is typed. `source` names an imported history; empty means all of them."""

    told: str
    which: Selection = EVERY_CASE
    history: bool = False
    source: str = ""

    @property
    def handled_by(self) -> str | None:
        """Who handled its cases, where it is of one kind of handler only."""
        return self.which.handled_by


class Report(Message):
    """The figures of settled cases, or of an imported history. `unsettled` cases are in none of them yet.

    `opened_first` and `opened_last` say which time the cases are of.
    """

    of: str
    by: By | None = None
    cases: int
    unsettled: int | None = None
    opened_first: Instant | None = None
    opened_last: Instant | None = None
    groups: tuple[Group, ...] = ()


class Comparison(Message):
    """One set of cases against another. `intents` are those both have, where only the same ones were held together."""

    a: str
    b: str
    cases_a: int
    cases_b: int
    minimum: int
    intents: tuple[str, ...] | None = None
    figures: tuple[Compared, ...] = ()


async def report(
    cases: Cases,
    of: str = NOW,
    which: Selection = EVERY_CASE,
    by: By | None = None,
    zone: tzinfo | None = None,
    names: Sequence[str] = (),
) -> Report:
    """The figures of a set of cases, as a whole or group by group. Weeks are those of `zone`. Raises BadReport."""
    _check(which, names)
    side = _within(side_of(of), which)
    facts = await _facts(cases, side)
    groups = await asyncio.to_thread(groups_of, facts, by, zone, names or None)
    opened = [case.opened_at for case in facts]
    return Report(
        of=of,
        by=by,
        cases=len(facts),
        unsettled=None if side.history else await unsettled(cases, side.which),
        opened_first=min(opened, default=None),
        opened_last=max(opened, default=None),
        groups=tuple(groups),
    )


async def shadow(
    cases: Cases, which: Selection = EVERY_CASE, by: By | None = By.INTENT, zone: tzinfo | None = None
) -> Report:
    """What agents proposed in cases that people handled, beside what the people did. Raises BadReport."""
    return await report(cases, HUMAN, which, by, zone, SHADOW)


async def comparison(
    cases: Cases,
    a: str,
    b: str,
    which: Selection = EVERY_CASE,
    same_intent: bool | None = None,
    names: Sequence[str] = (),
) -> Comparison:
    """The first set of cases against the second. An agent and people are compared on the same intents, unless told
    otherwise. Raises BadReport.
    """
    _check(which, names)
    sides = [_within(side_of(told), which) for told in (a, b)]
    ours, theirs = [await _facts(cases, side) for side in sides]
    if same_intent is None:
        same_intent = {side.handled_by for side in sides} == {AGENT, HUMAN}
    figures = await asyncio.to_thread(compare, ours, theirs, same_intent, MINIMUM, names or None)
    return Comparison(
        a=a,
        b=b,
        cases_a=len(ours),
        cases_b=len(theirs),
        minimum=MINIMUM,
        intents=tuple(shared_intents(ours, theirs)) if same_intent else None,
        figures=tuple(figures),
    )


def side_of(told: str) -> Side:
    """The set of cases that is meant. Raises BadReport."""
    kind, colon, name = told.partition(":")
    if not told.isprintable():
        raise BadReport(f"a set of cases is typed in one line; there are {SIDES}")
    if bool(colon) != bool(name):
        raise BadReport(f"{told!r} names nothing after its colon; there are {SIDES}")
    match kind, bool(name):
        case "now", False:
            return Side(told)
        case "history", _:
            return Side(told, history=True, source=name)
        case "human", False:
            return Side(told, Selection(handled_by=HUMAN))
        case "agent", _:
            return Side(told, Selection(handled_by=AGENT, agent=name or None))
        case "release", True:
            return Side(told, Selection(handled_by=AGENT, release=name))
    raise BadReport(f"{told!r} is no set of cases; there are {SIDES}")


def _within(side: Side, which: Selection) -> Side:
    """Those of a side that were selected besides. Raises BadReport where they cannot be both."""
    both = {}
    for name in ("agent", "release", "intent", "handled_by", "since", "until"):
        own, asked = getattr(side.which, name), getattr(which, name)
        if own and asked and own != asked:
            raise BadReport(f"{side.told} is of the {name} {own!r}, and not of {asked!r}")
        both[name] = own or asked
    return replace(side, which=Selection(**both))


def _check(which: Selection, names: Iterable[str]) -> None:
    if which.since and which.until and which.since >= which.until:
        raise BadReport("since must be before until")
    for told in (which.agent, which.release, which.intent):
        if told and not told.isprintable():
            raise BadReport("no agent, release or intent has a control character in its name")
    if unknown := [name for name in names if name not in MEASURES]:
        raise BadReport(f"there is no figure {', '.join(unknown)}; there are {', '.join(MEASURES)}")


async def _facts(cases: Cases, side: Side) -> list[CaseFacts]:
    if not side.history:
        return await facts_of(cases, side.which)
    known = await sources(cases)
    if side.source and side.source not in known:
        raise BadReport(f"nothing was imported as {side.source!r}; there are {', '.join(known) or 'no imports yet'}")
    wanted = [side.source] if side.source else known
    return [facts for source in wanted for facts in await history_of(cases, source, side.which)]
