"""Every figure there is: what it says, of which cases, and how it is told from them. docs/reports.md lists them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from aftercare.learning import intervals
from aftercare.learning.facts import RATES, CaseFacts, durable
from aftercare.learning.intervals import Estimate
from aftercare.messages.kinds import KINDS
from aftercare.messages.outcome import QUIET, Outcome
from aftercare.messages.policy import Verdict

Cases = Sequence[CaseFacts]


@dataclass(frozen=True)
class Measure:
    """A figure: `says` what it tells, `of` which cases, in words.

    `estimate` tells it from cases, `differ` tells how much higher it is in the first cases than in the second.
    """

    name: str
    says: str
    of: str
    unit: str
    estimate: Callable[[Cases], Estimate]
    differ: Callable[[Cases, Cases], Estimate]


def _measure(name: str, says: str, of: str, unit: str, estimate: Callable[[Cases], Estimate]) -> Measure:
    return Measure(name, says, of, unit, estimate, lambda a, b: intervals.difference(estimate(a), estimate(b)))


def _share(name: str, says: str, of: str, holds: Callable[[CaseFacts], bool | None] | None = None) -> Measure:
    """The share of cases for which it holds, among those where that is known."""
    told = holds or attrgetter(name)

    def estimate(cases: Cases) -> Estimate:
        known = _known(told, cases)
        return intervals.share(int(sum(known)), len(known))

    return _measure(name, says, of, "share", estimate)


def _mean(name: str, says: str, of: str, kind: str | None = None) -> Measure:
    """The mean over the cases of which it is known, in the unit and within the bounds of its kind of evidence."""
    bounds, value = KINDS[kind or name], attrgetter(name)
    return Measure(
        name,
        says,
        of,
        bounds.unit,
        lambda cases: intervals.mean(_known(value, cases), bounds.lowest, bounds.highest),
        lambda a, b: intervals.difference_of_means(_known(value, a), _known(value, b)),
    )


def _percentile(name: str, says: str, of: str, below: float, values: Callable[[CaseFacts], Iterable[float]]) -> Measure:
    def estimate(cases: Cases) -> Estimate:
        return intervals.percentile([value for case in cases for value in values(case)], below)

    return _measure(name, says, of, "s", estimate)


def _per_durable(name: str, says: str, kind: str) -> Measure:
    """What the settled cases took in all, over how many of them were durable."""
    value = attrgetter(kind)

    def estimate(cases: Cases) -> Estimate:
        known = [c for c in cases if c.outcome and value(c) is not None]
        return intervals.ratio([value(c) for c in known], [float(durable(c)) for c in known])

    return _measure(name, says, f"settled cases whose {kind} is known", KINDS[kind].unit, estimate)


def _known(value: Callable[[CaseFacts], float | None], cases: Cases) -> list[float]:
    return [told for case in cases if (told := value(case)) is not None]


def _settled(holds: Callable[[CaseFacts], bool]) -> Callable[[CaseFacts], bool | None]:
    return lambda case: holds(case) if case.outcome else None


def _if_known(name: str, holds: Callable[[float], bool]) -> Callable[[CaseFacts], bool | None]:
    value = attrgetter(name)
    return lambda case: None if value(case) is None else holds(value(case))


def _autonomous(case: CaseFacts) -> bool | None:
    if case.outcome is None or case.handled_by != "agent":
        return None
    return bool(case.resolved) and case.outcome in QUIET


def _judged(verdict: Verdict) -> Callable[[CaseFacts], bool | None]:
    return lambda case: case.policy_verdict is verdict if case.policy_verdict else None


def _thumbs(cases: Cases) -> Estimate:
    up, down = sum(c.thumbs_up for c in cases), sum(c.thumbs_down for c in cases)
    return intervals.share(up, up + down)


def _own_time(case: CaseFacts) -> Iterable[float]:
    return () if case.resolution_time is None else (case.resolution_time,)


SETTLED, KNOWN, AUDITED = "settled cases", "cases where that is known", "audited cases"
BY_AGENT = "settled cases that an agent handled"
RESOLVED = "resolved cases, and imported ones of which it is said"
EPISODES = "episodes whose latency is known"
ANSWERED, PROPOSED = "cases whose customer answered", "cases with a proposal"
ALL = (
    *(_share(name, rate.says, SETTLED, _settled(rate.holds)) for name, rate in RATES.items()),
    _share("autonomous", "the agent resolved it, no person stepped in, nothing contradicts it", BY_AGENT, _autonomous),
    _share("first_contact", "it was solved at the first contact", KNOWN),
    _share("escalated", "it was handed over to a person", KNOWN),
    _share("overridden", "a person corrected it", SETTLED, _settled(lambda c: c.outcome is Outcome.OVERRIDDEN)),
    _share("abandoned", "it was left without an end", SETTLED, _settled(lambda c: c.outcome is Outcome.ABANDONED)),
    _share("reopened", "it was opened again", KNOWN),
    _share("reopened_24h", "it was opened again within 24 hours of a resolution", RESOLVED),
    _share("recontacted", "the customer wrote again about it", KNOWN),
    _share("compliant", "the audit found nothing undecided, and no clause broken", AUDITED, _judged(Verdict.COMPLIANT)),
    _share("violating", "the audit found a clause broken", AUDITED, _judged(Verdict.VIOLATION)),
    _mean("csat", "the customer's satisfaction score", ANSWERED),
    _mean("ces", "the customer's effort score", ANSWERED),
    _share("said_resolved", "the customer says that it is solved", ANSWERED),
    _measure("thumbs", "a thumb points up", "thumbs given to single replies", "share", _thumbs),
    _mean("sentiment_slope", "how the customer's sentiment moved", KNOWN),
    _share("sentiment_falling", "the customer's sentiment fell", KNOWN, _if_known("sentiment_slope", lambda v: v < 0)),
    _percentile("resolution_time", "half were resolved within this time of being opened", KNOWN, 0.5, _own_time),
    _mean("handling_time", "the time spent on a case", KNOWN),
    _percentile("latency_p50", "half took the agent's steps no longer in all", EPISODES, 0.5, lambda c: c.latencies),
    _percentile("latency_p95", "95% took the agent's steps no longer in all", EPISODES, 0.95, lambda c: c.latencies),
    _share("error", "the agent met an error", KNOWN, _if_known("errors", lambda v: v > 0)),
    _share(
        "fallback",
        "the agent fell back on an answer for when it knows none",
        KNOWN,
        _if_known("fallbacks", lambda v: v > 0),
    ),
    _mean("cost", "the cost of a case", KNOWN),
    _per_durable("cost_per_durable", "the cost of all cases for each durable resolution", "cost"),
    _per_durable("energy_per_durable", "the energy of all cases for each durable resolution", "energy"),
    _mean("agreement", "how far the agent proposed what the person did", PROPOSED, "shadow_agreement"),
    _share("agreed", "the agent proposed just what the person did", PROPOSED, _if_known("agreement", lambda v: v == 1)),
)
MEASURES: Mapping[str, Measure] = {measure.name: measure for measure in ALL}
