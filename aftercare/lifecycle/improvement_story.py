"""How a supervisor and an improvement read: the Markdown an operator sees beside their histories.

One bullet a line, as in `story.py`. Nothing of a customer is known here: intents, clauses, numbers and ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from aftercare.lifecycle.story import in_words, quoted
from aftercare.lifecycle.supervising import FAILURES, cooling, spent
from aftercare.messages.improvement import (
    Diagnosed,
    Firing,
    Frozen,
    GroupStanding,
    Improved,
    Supervise,
    TriggerStanding,
    Work,
)

SHOWN = 8


def tell_supervisor(known: Supervise, standing: TriggerStanding | None, now: datetime) -> str:
    """A row of the matrix as it watches one agent: what it saw, how near it is to firing, and what it waits for."""
    if standing is None:
        return f"# Looking at the evidence\n\nAgent **{known.agent}**, trigger **{known.trigger}**."
    starts = f" It starts **{in_full(standing.work)}**." if standing.work else ""
    lines = [
        f"# {_heading(known, standing, now)}",
        "",
        f"Agent **{known.agent}**, trigger **{known.trigger}**: {standing.says}{starts}",
        "",
        f"## The evidence at {_moment(standing.at)}",
        *_evidence(standing),
        "",
        "## Firings",
        *_firings(known, standing, now),
        "",
        "## The book of triggers",
        *_book(known, standing),
    ]
    return "\n".join(lines)


def tell_improvement(
    firing: Firing, frozen: Frozen | None = None, diagnosed: Diagnosed | None = None, improved: Improved | None = None
) -> str:
    """An improvement so far: why it was started, what was frozen, what that tells, how it ended."""
    heading = "Saying what the evidence tells" if frozen else "Freezing the evidence"
    lines = [
        f"# {f'Ended: {improved.status}' if improved else heading}",
        "",
        f"Agent **{firing.agent}**, trigger **{firing.trigger}**, cycle {firing.cycle}: **{in_full(firing.work)}**.",
        "",
        "## Why",
        f"- {firing.because}",
        f"- It claimed {_several(firing.pieces, 'piece')} of evidence, of {_several(firing.cases, 'case')}",
    ]
    lines += [f"- Fired by **{firing.by}**"] if firing.by else []
    lines += ["", "## Dataset", *_dataset(frozen)] if frozen else []
    lines += ["", "## Diagnosis", f"- {diagnosed.headline}"] if diagnosed else []
    if improved:
        lines += [
            "",
            "The evidence is frozen and diagnosed. Nothing was improved by that, and nothing is claimed to be.",
        ]
    return "\n".join(lines)


def in_full(work: Work) -> str:
    """`knowledge update: policy grounding`"""
    return f"{work.workflow}: {work.kind}".replace("_", " ")


def supervisor_summary(agent: str, trigger: str, says: str) -> str:
    """A supervisor in a line."""
    return in_line(f"{agent}, {trigger}: {says}")


def in_line(words: str) -> str:
    """Words that fit a summary: Temporal takes 400 bytes."""
    return words.encode()[:300].decode("utf-8", "ignore")


def cooldown(known: Supervise, standing: TriggerStanding) -> str:
    """What a supervisor that has fired waits for."""
    until = f"until {_moment(known.cool_until)}" if known.cool_until else ""
    return f"cooldown {until}: {in_words(standing.cooldown)} between two firings"


def resting(standing: TriggerStanding, rest: timedelta) -> str:
    """What a supervisor waits for between two looks."""
    came = f"{_several(standing.counted, 'piece')} came" if standing.counted else "nothing new came"
    paused = f", paused by {standing.paused_by}" if standing.paused_by else ""
    return in_line(f"look again in {in_words(rest)}: {came}{paused}")


def failed_too_often(note: str) -> str:
    """Why a supervisor pauses itself."""
    return f"{FAILURES} improvements in a row failed, the last because: {note}"[:1_000]


def _heading(known: Supervise, standing: TriggerStanding, now: datetime) -> str:
    if standing.open:
        return f"Improving, cycle {standing.open.cycle}"
    if standing.paused_by:
        return f"Paused by {standing.paused_by}"
    if standing.due and spent(standing, now):
        return f"Due, and over its budget until {_moment(standing.over_budget_until)}"
    if cooling(known, now):
        return f"Cooling down until {_moment(known.cool_until)}"
    return "Due" if standing.due else "Watching"


def _evidence(standing: TriggerStanding) -> Iterator[str]:
    yield from (_group(group) for group in standing.groups[:SHOWN])
    if len(standing.groups) > SHOWN:
        yield f"- and {len(standing.groups) - SHOWN} more, further from their thresholds"
    if standing.volume is None:
        yield f"- {_several(standing.waiting, 'case')} against the agent, claimed by no firing"
    else:
        yield f"- Volume: **{standing.waiting} of {standing.volume}** cases against the agent, claimed by no firing"
    if standing.more:
        yield "- More evidence waits to be counted"
    if standing.due:
        yield f"- **Due**: {standing.due}"


def _group(group: GroupStanding) -> str:
    name, _, of = group.detector.partition(":")
    what = f"{name.capitalize()}{f' of {of}' if of else ''}{f' in **{group.group}**' if group.group else ''}"
    under = f" under release {group.release}" if group.release else ""
    seen = "not judged yet" if group.statistic is None else f"{_figure(name, group.statistic)} now"
    usual = "what is usual is not known yet" if group.baseline is None else f"{_figure(name, group.baseline)} is usual"
    reach = (
        f"evidence {_rounded(group.evidence)} of {_rounded(group.threshold)} needed, {_several(group.cases, 'case')}"
    )
    alarm = "; **alarmed**" if group.alarmed else ""
    return f"- {what}{under}: {seen}, {usual}; {reach}{alarm}"


def _figure(detector: str, value: float) -> str:
    """A mean in the unit of its kind; what the other detectors watch is a share of cases."""
    if detector.startswith("mean"):
        return f"{value:.2f}"
    return f"{value:.0%}" if value == 0 or value >= 0.1 else f"{value:.1%}"


def _firings(known: Supervise, standing: TriggerStanding, now: datetime) -> Iterator[str]:
    if standing.open:
        yield f"- Under way: {_firing(standing.open)}"
    elif standing.last:
        yield f"- The last: {_firing(standing.last)}"
    else:
        yield "- None yet"
    if cooling(known, now):
        yield f"- Cooldown until {_moment(known.cool_until)}"
    if spent(standing, now):
        yield f"- The week's budget is spent; it has room again on {_moment(standing.over_budget_until)}"
    if standing.paused_by:
        why = f": {quoted(standing.pause_reason)}" if standing.pause_reason else ""
        yield f"- **Paused** by {standing.paused_by}{why}. Evidence is counted, and nothing is started"
    if known.failures:
        yield f"- {_several(known.failures, 'improvement')} in a row failed; {FAILURES} pause it"


def _firing(firing: Firing) -> str:
    by = f", by {firing.by}" if firing.by else ""
    note = f". {firing.note}" if firing.note else ""
    return f"cycle {firing.cycle} on {_moment(firing.at)}{by}, **{firing.status}**: {firing.because}{note}"


def _book(known: Supervise, standing: TriggerStanding) -> Iterator[str]:
    yield f"- `{standing.book[:12]}`, {_several(known.checks, 'check')} so far"
    if known.edited_at:
        yield f"- Took an edited book at {_moment(known.edited_at)}"
    if standing.problem:
        yield f"- **Not in order**: {' '.join(standing.problem.split())}"


def _dataset(frozen: Frozen) -> Iterator[str]:
    sides = ", ".join(f"{count} {side.replace('_', ' ')}" for side, count in frozen.sides.items())
    yield f"- `{frozen.digest[:12]}`: {_several(frozen.rows, 'row')}{f' ({sides})' if sides else ''}"
    if frozen.accounts:
        yield f"- Of the evidence: {', '.join(f'{count} {became}' for became, count in frozen.accounts.items())}"
    if frozen.redaction:
        yield f"- Personal data was looked for by {frozen.redaction}"


def _rounded(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 or not number else f"{number:.2g}"


def _several(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _moment(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC" if time else "an unknown time"
