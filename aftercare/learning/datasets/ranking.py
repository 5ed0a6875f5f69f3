"""Which cases tell most."""

from __future__ import annotations

from aftercare.learning.datasets.example import Example

RANKED_BY = (
    "8 points for a person's correction and 2 more where it names a clause or a step; 4 for a broken clause (6 for a "
    "critical one); 4 for an effect that is not there; 3 for a customer who came back; 2 for a handover; 1 for each "
    "claimed piece, up to 3"
)


def points_of(told: Example) -> tuple[int, list[str]]:
    """How much a case tells, and why, in words."""
    points = [*_by_people(told), *_by_checks(told)]
    claimed = sorted({said.kind for said in told.feedback if said.claimed})
    if claimed:
        points.append((min(sum(said.claimed for said in told.feedback), 3), ", ".join(claimed)))
    return sum(worth for worth, _ in points), [why for _, why in points]


def _by_people(told: Example) -> list[tuple[int, str]]:
    points = []
    if told.overrides:
        points.append((8, f"corrected by {', '.join(dict.fromkeys(o.reviewer for o in told.overrides))}"))
    if named := next((o.deciding for o in told.overrides if o.deciding.kind in ("clause", "step")), None):
        points.append((2, f"names clause {named.clause}" if named.clause else f"names step {named.step}"))
    if any(back.same_issue for back in told.came_back):
        points.append((3, "the customer came back"))
    return points


def _by_checks(told: Example) -> list[tuple[int, str]]:
    points = []
    if broken := [flag for flag in told.flags if flag.verdict == "violation"]:
        worst = 6 if any(flag.severity == "critical" for flag in broken) else 4
        points.append((worst, f"breaks {', '.join(sorted({flag.clause for flag in broken}))}"))
    if told.verification == "failed":
        points.append((4, f"{len(told.differing)} facts are not as promised"))
    if told.decision.ended == "escalated":
        points.append((2, "handed over"))
    return points
