"""What the rows say together, counted from them alone, and how it is told."""

from __future__ import annotations

import json
from typing import Any

from aftercare.learning.datasets.diagnosing import SHOWN, Diagnosing, Known
from aftercare.learning.datasets.diagnosis import Diagnosis
from aftercare.learning.datasets.example import Correction, Deciding, Decision, Differing, Example, Flag, Signal, Turn
from aftercare.learning.datasets.ranking import points_of
from aftercare.learning.datasets.telling import told

STEPS = (Turn(number=1, kind="retrieve", name="get_order"), Turn(number=2, kind="act", name="cancel_order", error="no"))


def correction(reviewer: str = "rev-1", **other: Any) -> Correction:
    given: dict[str, Any] = {
        "final": "actions",
        "corrected_intent": "return",
        "rationale": f"{reviewer} says so",
        "deciding": Deciding(kind="step", step=2),
        "original": Decision(intent="cancel"),
    }
    return Correction(reviewer=reviewer, **(given | other))


def diagnosed(*examples: Example) -> Diagnosis:
    """One row each, each a problem of its own."""
    diagnosing = Diagnosing()
    for n, example in enumerate(examples, 1):
        diagnosing.take(Known(n, f"c{n}", f"p{n}", "train", example))
    return diagnosing.made()


def test_intents_are_told_with_what_contradicted_the_agent() -> None:
    """The one with most cases first; a case counts once in each way."""
    told = diagnosed(
        Example(settled=True, intent="cancel", overrides=(correction(), correction("rev-2"))),
        Example(settled=True, intent="return", decision=Decision(ended="escalated")),
        Example(settled=True, intent="return", verification="failed"),
    )
    assert [(i.intent, i.cases, i.overridden, i.escalated, i.failed) for i in told.intents] == [
        ("return", 2, 0, 1, 1),
        ("cancel", 1, 1, 0, 0),
    ]


def test_what_was_taken_for_what_is_counted() -> None:
    """Where a person said that the intent was another one."""
    unchanged = correction(corrected_intent="unchanged")
    told = diagnosed(*(Example(settled=True, overrides=(one,)) for one in (correction(), correction(), unchanged)))
    assert [(c.took_for, c.is_really, c.cases) for c in told.confusions] == [("cancel", "return", 2)]


def test_clauses_are_told_by_who_names_them() -> None:
    """The audit and the reviewers, with what the clause says."""
    flag = Flag(rule="r", clause="c.1", says="Ask first.", verdict="violation")
    named = correction(deciding=Deciding(kind="clause", clause="c.1", says="Ask first."))
    unsure = Flag(rule="r", clause="c.2", verdict="undetermined")
    told = diagnosed(Example(settled=True, flags=(flag, unsure, flag)), Example(settled=True, overrides=(named,)))
    assert [(c.clause, c.says, c.broken, c.named, c.undetermined) for c in told.clauses] == [
        ("c.1", "Ask first.", 1, 1, 0),
        ("c.2", "", 0, 0, 1),
    ]


def test_the_step_at_which_it_goes_wrong_is_told() -> None:
    """Where it failed, where a reviewer points, where a clause was broken, where the feedback is about."""
    flag = Flag(rule="r", clause="c.1", verdict="violation", step=2)
    thumb = Signal(kind="thumbs", family="explicit", value=-1, step=1, claimed=True)
    told = diagnosed(Example(settled=True, steps=STEPS, overrides=(correction(),), flags=(flag,), feedback=(thumb,)))
    assert [(s.kind, s.name, s.cases, s.errors, s.named, s.flagged, s.noted) for s in told.steps] == [
        ("act", "cancel_order", 1, 1, 1, 1, 0),
        ("retrieve", "get_order", 1, 0, 0, 0, 1),
    ]


def test_reviewers_are_told_with_what_they_did_instead() -> None:
    """So that one who corrects unlike the others can be seen."""
    undo = correction("rev-2", final="undo", corrected_intent="unchanged")
    told = diagnosed(*(Example(settled=True, overrides=(one,)) for one in (correction(), correction(), undo)))
    assert [(r.reviewer, r.overrides, r.actions, r.undone, r.intents_corrected) for r in told.reviewers] == [
        ("rev-1", 2, 2, 0, 2),
        ("rev-2", 1, 0, 1, 0),
    ]


def test_a_correction_tells_more_than_a_score() -> None:
    """And a broken clause more than a handover: the ranking says by what."""
    low = Signal(kind="csat", family="explicit", value=1, claimed=True)
    flag = Flag(rule="r", clause="c.1", verdict="violation", severity="critical")
    ranked = diagnosed(
        Example(settled=True, feedback=(low,)),
        Example(settled=True, decision=Decision(ended="escalated")),
        Example(settled=True, flags=(flag,)),
        Example(settled=True, overrides=(correction(),)),
    )
    assert [case.case_id for case in ranked.cases] == ["c4", "c3", "c2", "c1"]
    assert ranked.cases[0].because == ("corrected by rev-1", "names step 2")
    assert "8 points for a person's correction" in ranked.ranked_by


def test_those_who_corrected_it_are_quoted() -> None:
    """The cases that tell most first, each with what decided it."""
    fact = correction("rev-2", deciding=Deciding(kind="fact", system="shop", record="orders/#1", field="status"))
    told = diagnosed(Example(settled=True, overrides=(fact,)), Example(settled=True, overrides=(correction(),)))
    assert [(q.row, q.reviewer, q.says, q.decided) for q in told.said] == [
        (2, "rev-1", "rev-1 says so", "step 2"),
        (1, "rev-2", "rev-2 says so", "shop orders/#1, status"),
    ]


def test_only_claimed_pieces_are_evidence() -> None:
    """Of each kind how many cases, and how the values lie; what could not be told is no value."""
    scores = [Signal(kind="csat", family="explicit", value=v, claimed=True) for v in (1, 2, None)]
    other = Signal(kind="latency", family="operational", value=9)
    told = diagnosed(*(Example(settled=True, feedback=(score, other)) for score in scores))
    (kind,) = told.kinds
    assert (kind.kind, kind.cases, kind.values, kind.lowest, kind.mean, kind.highest) == ("csat", 3, 2, 1, 1.5, 2)


def test_facts_that_differ_are_counted_by_field() -> None:
    """Not by record: it is the field that an agent gets wrong."""
    facts = [Differing(system="shop", record=f"orders/{n}", field="status") for n in range(2)]
    told = diagnosed(*(Example(settled=True, differing=(fact, fact)) for fact in facts))
    assert [(f.system, f.field, f.cases) for f in told.facts] == [("shop", "status", 2)]


def test_of_many_cases_those_that_tell_most_are_kept() -> None:
    """In whatever order they come; no more is held than is shown."""
    examples = [
        Example(settled=True, overrides=(correction(),)) if n % 9 == 0 else Example(settled=True) for n in range(900)
    ]
    rows = list(enumerate(examples, 1))
    diagnosing = Diagnosing()
    for n, example in rows[1::2] + rows[::2][::-1]:
        diagnosing.take(Known(n, f"c{n}", "p", "train", example))
    told = diagnosing.made()
    assert (told.rows, told.overrides, len(told.cases), len(told.said)) == (900, 100, SHOWN, SHOWN)
    assert [case.row for case in told.cases] == [n for n, e in enumerate(examples, 1) if e.overrides][:SHOWN]


def test_it_is_told_in_lines() -> None:
    """The headline first; a section for everything there is something to say of, and none for the rest."""
    flag = Flag(rule="r", clause="c.1", says="Ask first.", verdict="violation", step=2)
    found = diagnosed(Example(settled=False, intent="return", steps=STEPS, overrides=(correction(),), flags=(flag,)))
    lines = told(json.loads(json.dumps(found.model_dump(mode="json", exclude_defaults=True))))
    assert lines[0] == (
        "1 case of 1 problem; most about return (1); 1 corrected by 1 reviewer; clause c.1 in 1; "
        "it goes wrong most at cancel_order (1)."
    )
    assert "- return: 1 case (1 corrected, 1 broke a clause)" in lines
    assert "- 1: taken for cancel, really return" in lines
    assert "- c.1: broken in 1 (“Ask first.”)" in lines
    assert "- act cancel_order: 1 case (failed in 1, named by reviewers in 1, broke a clause in 1)" in lines
    assert "- row 1, rev-1: “rev-1 says so” (step 2)" in lines
    assert "- not settled when this was frozen: 1 case" in lines
    assert "## Evidence by kind" not in lines


def test_what_has_not_been_diagnosed_is_told_in_no_lines() -> None:
    """An empty diagnosis is none."""
    assert told({}) == []


def test_points_are_those_that_are_told() -> None:
    """The sum of the reasons' own."""
    assert points_of(Example(settled=True)) == (0, [])
    assert points_of(Example(settled=True, overrides=(correction(),)))[0] == 10
