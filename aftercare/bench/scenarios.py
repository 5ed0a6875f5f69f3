"""What `aftercare bench triggers` shows each row: cases as usual, and cases once something has become worse.

All figures are made up. Of each row there is a shift that nobody should miss, with a bar for the median delay in cases,
and the one that the row is declared to notice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aftercare.bench.streams import Source, broken, either, failing, handled, normal, scored


@dataclass(frozen=True)
class Worse:
    """A shift, in words, and how many cases it may take to be seen, in the median; None where that is only told.

    It begins after so many cases of the release: long after what is usual was learned, unless it is told.
    """

    said: str
    source: Source
    bar: int | None = None
    after: int | None = None


@dataclass(frozen=True)
class Scenario:
    """A row, what is usual in it, and what is worse. `watched` says which of its detectors this is about."""

    row: str
    usual_said: str
    usual: Source
    worse: tuple[Worse, ...] = ()
    watched: str = ""


def mean_of(weights: Sequence[float], lowest: int) -> float:
    """The mean of scores from `lowest` on."""
    return sum((lowest + place) * weight for place, weight in enumerate(weights))


def lowered(weights: Sequence[float], lowest: int, by: float) -> list[float]:
    """The same scores with a mean that is lower by so much: each score loses to the one below it by the same factor."""
    low, high = 1.0, 9.0
    for _ in range(60):
        factor = (low + high) / 2
        told = _tilted(weights, factor)
        low, high = (factor, high) if mean_of(weights, lowest) - mean_of(told, lowest) < by else (low, factor)
    return told


def _tilted(weights: Sequence[float], factor: float) -> list[float]:
    tilted = [weight * factor ** (len(weights) - 1 - place) for place, weight in enumerate(weights)]
    return [weight / sum(tilted) for weight in tilted]


STARS = (0.04, 0.05, 0.11, 0.27, 0.53)
EASE = (0.03, 0.04, 0.07, 0.11, 0.20, 0.27, 0.28)


def _overrides(rate: float) -> Source:
    return either("override", "escalation", rate)


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        "override",
        "2% of cases",
        _overrides(0.02),
        (
            Worse("10%", _overrides(0.10), 90),
            Worse("4%", _overrides(0.04)),
            Worse("10%, at its case 500", _overrides(0.10), after=500),
            Worse("10%, at its case 300", _overrides(0.10), after=300),
            Worse("10%, at its case 150", _overrides(0.10), after=150),
        ),
    ),
    Scenario(
        "override", "3% of cases", _overrides(0.03), (Worse("15%", _overrides(0.15), 90), Worse("6%", _overrides(0.06)))
    ),
    Scenario(
        "override",
        "5% of cases",
        _overrides(0.05),
        (Worse("20%", _overrides(0.20), 90), Worse("10%", _overrides(0.10))),
    ),
    Scenario(
        "override",
        "10% of cases",
        _overrides(0.10),
        (Worse("30%", _overrides(0.30), 90), Worse("20%", _overrides(0.20))),
    ),
    Scenario(
        "csat",
        f"{mean_of(STARS, 1):.1f} stars",
        scored("csat", 1, STARS),
        (
            Worse("1 star less", scored("csat", 1, lowered(STARS, 1, 1.0)), 60),
            Worse("0.5 less", scored("csat", 1, lowered(STARS, 1, 0.5)), 250),
        ),
    ),
    Scenario(
        "first_contact_resolution",
        "80% solved",
        failing("first_contact_resolution", 0.2),
        (
            Worse("60%", failing("first_contact_resolution", 0.4), 90),
            Worse("70%", failing("first_contact_resolution", 0.3)),
        ),
    ),
    Scenario(
        "ces",
        f"{mean_of(EASE, 1):.1f} of 7",
        scored("ces", 1, EASE),
        (
            Worse("1.5 less", scored("ces", 1, lowered(EASE, 1, 1.5)), 60),
            Worse("0.75 less", scored("ces", 1, lowered(EASE, 1, 0.75)), 250),
        ),
    ),
    Scenario(
        "sentiment",
        "slope 0.02",
        normal("sentiment_slope", 0.02, 0.1),
        (
            Worse("0.2 lower", normal("sentiment_slope", -0.18, 0.1), 30),
            Worse("0.1 lower", normal("sentiment_slope", -0.08, 0.1), 60),
        ),
    ),
    Scenario(
        "policy_flag",
        "a clause in 0.5%",
        broken(a=0.005, b=0.01, c=0.005),
        (
            Worse("5%", broken(a=0.005, b=0.01, c=0.05), 200),
            Worse("2.5%", broken(a=0.005, b=0.01, c=0.025)),
        ),
    ),
    Scenario(
        "handling_time",
        "p90 294 s",
        handled(1, 0.03),
        (Worse("all twice as long", handled(2, 0.03), 60), Worse("a third longer", handled(4 / 3, 0.03))),
        "quantile",
    ),
    Scenario(
        "handling_time",
        "3% loop",
        handled(1, 0.03),
        (Worse("15%", handled(1, 0.15), 90), Worse("6%", handled(1, 0.06))),
        "loops",
    ),
    Scenario(
        "post_resolution_contact",
        "4% come back",
        either("recontact", "reopen", 0.04),
        (
            Worse("16%", either("recontact", "reopen", 0.16), 90),
            Worse("8%", either("recontact", "reopen", 0.08)),
        ),
    ),
)
