"""What a row holds, what it does not hold, and by what it is known."""

from __future__ import annotations

import json
from typing import Any

from aftercare.learning.datasets.example import Example
from aftercare.learning.datasets.freezing import Became, Freezing, body_of, digest_of, digest_of_rows, without
from aftercare.learning.datasets.material import Claimed, Material, Told
from aftercare.lifecycle.outcome import settlement_of, snapshot_of
from aftercare.lifecycle.state import CaseState
from aftercare.messages.case import Case, Escalation, Step, StepKind
from aftercare.messages.outcome import Stage
from aftercare.messages.override import Override
from aftercare.messages.policy import Finding, Severity, Verdict
from aftercare.redaction import Kind, Known, Redactor
from tests.datasets.shelf import NOW, Blacking, override, trace

CLAUSES = {"retail.returns": "Delivered orders may be returned."}
PIECE = Claimed("c", "computed/override/1", "override", NOW)


def material(*overrides: Override, id: str = "c", steps: tuple[Step, ...] = (), **other: Any) -> Material:
    """A case that has settled."""
    case = Case(id=id, agent="a", domain="retail", release="r1", customer="ann")
    state = CaseState(case_id=id, case=case, stage=Stage.SETTLED)
    state.begin_episode(NOW)
    state.escalation = Escalation(id="e", reason="I cannot do that", intent="cancel", confidence=0.3)
    state.end_episode()
    for one in overrides:
        state.apply(one)
        state.begin_episode(NOW)
    told: dict[str, Any] = {
        "case": case,
        "book": "digest",
        "seen": snapshot_of(state),
        "settled": True,
        "steps": steps or trace("Cancel my order, please."),
        "ending": state.escalation,
        "settlement": settlement_of(state),
        "revision": 1,
    }
    return Material(**(told | other))


def told(known: Material, redactor: Redactor | None = None) -> Example:
    """What a row says of a case."""
    redact = redactor.redacted if redactor else lambda body: body
    return Example.model_validate(body_of(known, [PIECE], CLAUSES, redact))


def test_an_override_is_told_whole() -> None:
    """Who, what instead, which intent, why, what decided it, and what the agent had decided."""
    (said,) = told(material(override())).overrides
    assert (said.reviewer, said.final, said.corrected_intent) == ("rev-1", "actions", "return")
    assert [(a.name, a.arguments) for a in said.actions] == [("return_order", {"order_id": "#1"})]
    assert said.rationale == "It had been delivered; it can only be returned."
    assert (said.deciding.kind, said.deciding.step) == ("step", 2)
    assert said.original
    assert (said.original.ended, said.original.intent, said.original.confidence) == ("escalated", "cancel", 0.3)


def test_a_clause_that_decided_is_told_with_what_it_says() -> None:
    """As the pinned book has it; and a fact with what was expected and found."""
    by_clause = override(deciding={"kind": "clause", "clause": "retail.returns"})
    fact = {"kind": "fact", "system": "shop", "record": "orders/#1", "field": "status", "expected": "a", "found": None}
    one, two = told(material(by_clause, override("o2", deciding=fact))).overrides
    assert one.deciding.says == "Delivered orders may be returned."
    assert two.deciding.model_dump(exclude_defaults=True) == {k: v for k, v in fact.items() if v}


def test_what_an_escalation_said_is_told() -> None:
    """With the confidence at which the agent gave up, and none invented where it reported none."""
    decision = told(material()).decision
    assert (decision.ended, decision.reason, decision.confidence) == ("escalated", "I cannot do that", 0.3)


def test_findings_come_with_their_clauses() -> None:
    """What was not compliant, and what it rests on."""
    found = Finding(
        rule="r", clause="retail.returns", verdict=Verdict.VIOLATION, severity=Severity.CRITICAL, step=2, facts={"a": 1}
    )
    fine = Finding(rule="s", clause="retail.returns", verdict=Verdict.COMPLIANT)
    (flag,) = told(material(findings=((1, found), (1, fine)))).flags
    assert (flag.says, flag.severity, flag.step, flag.facts) == (CLAUSES["retail.returns"], "critical", 2, {"a": 1})


def test_what_an_audit_says_is_never_learned_from() -> None:
    """Its label is what learning is measured by. Every other piece stands in the row, the claimed ones marked."""
    said = [
        Told(f"computed/{kind}/1", kind, "explicit", 1.0, "yes/no", None, {}) for kind in ("override", "audit_label")
    ]
    signals = told(material(feedback=(*said, Told("f", "csat", "explicit", 2.0, "1-5", None, {})))).feedback
    assert [(s.kind, s.claimed) for s in signals] == [("override", True), ("csat", False)]


def test_a_row_holds_no_ids_of_messages_and_no_times() -> None:
    """They teach nothing, and would make every row another."""
    text = json.dumps(
        body_of(material(override("message-1"), steps=trace("Cancel it, please.", "#77")), [PIECE], {}, _as_is)
    )
    assert not any(word in text for word in ("message-1", "op-77", "2026-11-23"))
    assert "#77" in text


def test_everything_personal_is_redacted_and_names_of_ours_are_not() -> None:
    """Even where a reviewer is called like the customer: it is not her, and judgements are held against each other."""
    name = "Ann Meyer"
    steps = (Step(number=1, kind=StepKind.REPLY, name=name, heard=f"I am {name}", input={"who": name}, output=[name]),)
    known = material(override(reviewer=name, rationale=f"{name} was right"), steps=steps)
    row = told(known, Blacking(name))
    assert (row.opening, row.steps[0].input, row.steps[0].output) == ("I am [name]", {"who": "[name]"}, ["[name]"])
    assert (row.steps[0].name, row.overrides[0].reviewer, row.overrides[0].rationale) == (
        "[name]",
        name,
        "[name] was right",
    )


def test_what_a_sender_may_fill_with_anything_stays_redacted() -> None:
    """Channel, unit, intents, tools, kinds of feedback, and what a correction names: each holds the customer's name."""
    name = "Ann Meyer"
    fact = {"kind": "fact", "system": name, "record": name, "field": name, "expected": name, "found": name}
    action = {"name": name, "arguments": {"who": name}}
    said = override(corrected_intent=name, deciding=fact, final={"kind": "actions", "actions": [action]})
    clause = override("o2", corrected_intent=name, deciding={"kind": "clause", "clause": name})
    known = material(
        said,
        clause,
        case=Case(id="c", agent="a", domain="retail", channel=name, intent=name),
        steps=(Step(number=1, kind=StepKind.ACT, name=name, heard=name, said=name, error=name, state={"a": name}),),
        feedback=(Told("f", name, "explicit", 1.0, name, 1, {"a": name}),),
        ending=Escalation(id="e", reason=name, intent=name),
    )
    for redactor in (Blacking(name), _Knowing(name)):
        body = body_of(known, [PIECE], CLAUSES, redactor.redacted)
        assert name not in json.dumps(body)
        assert Example.model_validate(body).channel == "[name]"


def test_names_that_tell_of_nobody_outlast_redaction() -> None:
    """The shipped redactor leaves tools, intents, kinds and units as they are: nothing has to be put back."""
    steps = (Step(number=1, kind=StepKind.ACT, name="Cancel Order", heard="Cancel it, please."),)
    action = {"name": "Return Order", "arguments": {"first_name": "Ann"}}
    said = override(final={"kind": "actions", "actions": [action]})
    row = told(material(said, steps=steps, feedback=(Told("f", "csat", "explicit", 1.0, "1-5", 1, {}),)), Redactor())
    (correction,), (signal,) = row.overrides, row.feedback
    assert (row.steps[0].name, correction.actions[0].name) == ("Cancel Order", "Return Order")
    assert correction.actions[0].arguments == {"first_name": "[name]"}
    assert (row.channel, row.intent, signal.kind, signal.unit) == ("chat", "return", "csat", "1-5")


def test_the_same_content_is_one_row() -> None:
    """Two cases that differ in their ids, their times and what they took alone."""
    freezing = Freezing()
    slower = tuple(s.model_copy(update={"latency": 9.0, "at": NOW}) for s in trace("Cancel my order, please."))
    other = Claimed("d", "computed/override/1", "override", NOW)
    assert freezing.take(material(), [PIECE], {}, _as_is)
    assert freezing.take(material(id="d", steps=slower), [other], {}, _as_is) is None
    assert [(a["case"], a["became"], a["row"]) for a in freezing.accounts] == [("c", "kept", 1), ("d", "duplicate", 1)]


def test_what_differs_only_by_whom_it_is_about_is_one_row() -> None:
    """After redaction it says the same."""
    freezing = Freezing()
    for name in ("Ann Meyer", "Bob Young"):
        known = material(steps=trace(f"I am {name}. Cancel my order."), id=name[:3])
        freezing.take(known, [PIECE], {}, Blacking(name).redacted)
    assert freezing.rows == 1


def test_other_words_are_another_row() -> None:
    """So that the tests above can fail: another word, another correction, another score."""
    freezing = Freezing()
    score = (Told("f", "csat", "explicit", 1.0, "1-5", None, {}),)
    for known in (material(), material(steps=trace("Cancel it.")), material(override()), material(feedback=score)):
        assert freezing.take(known, [PIECE], {}, _as_is)


def test_digests_say_the_same_whatever_the_order() -> None:
    """Of a row's fields and of a dataset's rows; another side is another dataset."""
    assert digest_of({"a": 1, "b": [2]}) == digest_of({"b": [2], "a": 1}) != digest_of({"a": 1, "b": [3]})
    rows = [("d1", "train"), ("d2", "held_out")]
    assert digest_of_rows(rows) == digest_of_rows(rows[::-1]) != digest_of_rows([("d1", "train"), ("d2", "train")])


def test_what_repeated_an_erased_row_is_gone_with_it() -> None:
    """There was one text of both, and the accounts say so."""
    freezing = Freezing()
    for id in ("c", "d"):
        freezing.take(material(id=id), [Claimed(id, "p", "csat", NOW)], {}, _as_is)
    freezing.account([Claimed("e", "p", "csat", NOW)], Became.NO_TRACE)
    left = without(freezing.accounts, frozenset("c"), frozenset({1}))
    assert [a["became"] for a in left] == ["erased", "erased", "without a trace"]


class _Knowing(Redactor):
    """The shipped redactor, which knows whose case it is."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._known = Known(((name, Kind.NAME),))

    def redacted(self, value: Any, known: Known | None = None) -> Any:
        """The same JSON without the name."""
        return super().redacted(value, self._known)


def _as_is(body: Any) -> Any:
    return body
