"""How a supervisor and an improvement read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from aftercare.lifecycle.improvement_story import in_line, resting, tell_improvement, tell_supervisor
from aftercare.messages.improvement import (
    Diagnosed,
    Firing,
    Frozen,
    GroupStanding,
    Supervise,
    TriggerStanding,
    Work,
)

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
WORK = Work(workflow="knowledge_update", kind="policy_grounding")
KNOWN = Supervise(agent="retail", trigger="policy_flag", checks=1_234, cool_until=NOW + timedelta(days=1))
FIRING = Firing(
    id="retail/policy_flag/7",
    agent="retail",
    trigger="policy_flag",
    cycle=7,
    work=WORK,
    because="clause r.4 is broken more often",
    cases=1,
    pieces=2,
    at=NOW,
    by="r.meyer",
)
STANDING = TriggerStanding(
    agent="retail",
    trigger="policy_flag",
    says="A clause is broken more often than it used to be.",
    at=NOW,
    book="0123456789abcdef",
    groups=(
        GroupStanding(
            detector="burst",
            group="r.4",
            release="r1",
            cases=1_240,
            statistic=0.12,
            baseline=0.04,
            evidence=2_300.4,
            threshold=24_000,
            alarmed=True,
        ),
        GroupStanding(detector="burst", group="r.5", cases=1, threshold=24_000),
    ),
    waiting=1,
    volume=40,
    work=WORK,
)


def lines(standing: TriggerStanding, known: Supervise = KNOWN) -> list[str]:
    return tell_supervisor(known, standing, NOW).splitlines()


def test_each_group_stands_beside_its_threshold() -> None:
    """What is now, what is usual, how near it is; and what is not known yet is said so."""
    burst = "- Burst in **r.4** under release r1: 12% now, 4.0% is usual"
    assert f"{burst}; evidence 2,300 of 24,000 needed, 1,240 cases; **alarmed**" in lines(STANDING)
    unknown = "not judged yet, what is usual is not known yet; evidence 0 of 24,000 needed, 1 case"
    assert f"- Burst in **r.5**: {unknown}" in lines(STANDING)


def test_a_mean_stands_in_its_own_unit_and_a_detector_says_what_it_looks_at() -> None:
    """Stars are no share of cases."""
    mean = GroupStanding(detector="mean", cases=200, statistic=3.614, baseline=4.16, evidence=7, threshold=3_000)
    loops = GroupStanding(
        detector="rate:loop", group="refund", cases=90, statistic=0.5, baseline=0.061, threshold=6_000
    )
    told = lines(STANDING.model_copy(update={"groups": (mean, loops)}))
    assert "- Mean: 3.61 now, 4.16 is usual; evidence 7 of 3,000 needed, 200 cases" in told
    assert "- Rate of loop in **refund**: 50% now, 6.1% is usual; evidence 0 of 6,000 needed, 90 cases" in told


def test_what_waits_stands_beside_the_volume() -> None:
    """Or by itself, where the row has none."""
    assert "- Volume: **1 of 40** cases against the agent, claimed by no firing" in lines(STANDING)
    without = STANDING.model_copy(update={"volume": None})
    assert "- 1 case against the agent, claimed by no firing" in lines(without)


def test_only_the_nearest_groups_are_shown() -> None:
    """A row may have as many as there are intents."""
    many = STANDING.model_copy(update={"groups": STANDING.groups * 50})
    assert "- and 92 more, further from their thresholds" in lines(many)


def test_the_heading_says_what_it_does_now() -> None:
    """An improvement before a pause, a pause before a cooldown."""
    paused = STANDING.model_copy(update={"paused_by": "r.meyer", "pause_reason": "the book is\nbeing edited"})
    improving = paused.model_copy(update={"open": FIRING})
    assert lines(STANDING)[0] == "# Cooling down until 2026-01-03 03:04 UTC"
    assert lines(paused)[0] == "# Paused by r.meyer"
    assert lines(improving)[0] == "# Improving, cycle 7"
    assert any("“the book is being edited”" in line for line in lines(paused))
    rested = KNOWN.model_copy(update={"cool_until": None})
    assert lines(STANDING, rested)[0] == "# Watching"
    assert lines(STANDING.model_copy(update={"due": "it is"}), rested)[0] == "# Due"


def test_a_book_that_cannot_be_taken_is_said_in_one_line() -> None:
    """A list of its own would run into the page's."""
    wrong = STANDING.model_copy(update={"problem": "triggers.yaml, row a:\n  - cooldown: no duration"})
    assert "- **Not in order**: triggers.yaml, row a: - cooldown: no duration" in lines(wrong)


def test_an_improvement_says_who_fired_it_and_what_became_of_the_evidence() -> None:
    """From the first moment on, and more as it comes."""
    frozen = Frozen(
        dataset="d", digest="f" * 64, rows=1, accounts={"kept": 1, "duplicate": 1}, redaction="patterns only"
    )
    told = tell_improvement(FIRING, frozen, Diagnosed(dataset="d", headline="It is r.4.")).splitlines()
    assert told[0] == "# Saying what the evidence tells"
    for line in (
        "- Fired by **r.meyer**",
        "- It claimed 2 pieces of evidence, of 1 case",
        "- `ffffffffffff`: 1 row",
        "- Of the evidence: 1 kept, 1 duplicate",
        "- It is r.4.",
    ):
        assert line in told


def test_a_summary_fits_wherever_it_was_written() -> None:
    """Temporal takes so many bytes, and no half of a character."""
    assert len(in_line("пример " * 200).encode()) <= 400
    assert resting(STANDING, timedelta(minutes=4)) == "look again in 4 min: nothing new came"
