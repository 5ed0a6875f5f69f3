"""Three values: what is not known is never compliant, and never a violation."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from aftercare.messages.case import Case, Step, StepKind
from aftercare.messages.policy import Verdict
from policies.book import PolicyBook
from policies.engine import audit, verdict_of
from policies.facts import Known
from tests.policies.small import before, cancelling, changed, made

C, V, U = Verdict.COMPLIANT, Verdict.VIOLATION, Verdict.UNDETERMINED


def verdicts(
    known: Known, *steps: Step, book: PolicyBook | None = None, case: Case | None = None
) -> dict[str, Verdict]:
    return {f.rule: f.verdict for f in audit(book or made(), case, steps or [cancelling()], known)[0]}


@pytest.mark.parametrize(("status", "verdict"), [("pending", C), ("delivered", V)])
def test_a_known_record_decides(status: str, verdict: Verdict) -> None:
    """With the record at hand the rule is kept or broken."""
    assert verdicts(before(status=status))["pending-only"] is verdict


def test_a_missing_record_leaves_it_undetermined_and_is_asked_for() -> None:
    """Nobody has read the order: no verdict, and the record as it stood before the operation is named as missing."""
    findings, missing = audit(made(), None, [cancelling()], {})
    assert {f.verdict for f in findings} == {U}
    assert missing == set(before())


def test_a_record_that_does_not_exist_leaves_it_undetermined() -> None:
    """The system was asked and has no such order; nothing more is missing."""
    findings, missing = audit(made(), None, [cancelling()], dict.fromkeys(before()))
    assert {f.verdict for f in findings} == {U}
    assert not missing


def test_what_is_known_may_settle_it_all_the_same() -> None:
    """True or unknown is true: a small amount needs no look at what was paid."""
    assert verdicts({}, cancelling(amount=1.0))["paid-or-small"] is C


@pytest.mark.parametrize(("joint", "verdict"), [("&&", V), ("||", U)])
def test_unknown_with_false(joint: str, verdict: Verdict) -> None:
    """False and unknown is false, in either order; false or unknown is unknown."""
    for parts in (("order.paid > 0.0", "args.amount < 5.0"), ("args.amount < 5.0", "order.paid > 0.0")):
        book = changed("rules", "order.paid > 0.0\n        || args.amount < 5.0", f" {joint} ".join(parts))
        assert verdicts({}, cancelling(amount=9.0), book=book)["paid-or-small"] is verdict


def test_a_value_of_another_type_is_not_known() -> None:
    """A status that is a number is no status."""
    assert verdicts(before(status=7))["pending-only"] is U


def test_an_answer_that_is_neither_yes_nor_no_is_undetermined() -> None:
    """What a record holds may turn out to be no truth value at all."""
    book = changed("rules", "order.status == 'pending'", "order.extra")
    assert verdicts(before(extra="perhaps"), book=book)["pending-only"] is U


def test_a_rule_does_not_hold_before_its_date() -> None:
    """A case is judged by the rules in force when it was opened."""
    case = Case(id="c", agent="a", domain="small", opened_at=datetime(2024, 5, 31, tzinfo=UTC))
    assert set(verdicts(before(), case=case)) == {"pending-only"}


def test_a_step_without_a_receipt_is_judged_by_the_next() -> None:
    """A refused call met the records as the operation after it found them."""
    refused = cancelling().model_copy(update={"receipt": None, "error": "no"})
    later = cancelling().model_copy(update={"number": 2, "receipt": "op-2"})
    assert verdicts(before("op-2", status="delivered"), refused, later)["pending-only"] is V


def test_a_write_without_a_receipt_leaves_its_records_unknown() -> None:
    """Nobody can tell what it met, so nothing is even asked for."""
    findings, missing = audit(made(), None, [cancelling().model_copy(update={"receipt": None})], {})
    assert {f.verdict for f in findings} == {U}
    assert not missing


def test_a_case_no_rule_spoke_to_is_undetermined() -> None:
    """Nobody looked at anything, which is not the same as nothing being wrong."""
    findings, _ = audit(made(), None, [Step(number=1, kind=StepKind.REPLY, name="reply", said="hello")], {})
    assert verdict_of(findings) is U


def test_only_steps_from_the_first_named_are_judged() -> None:
    """A later episode is audited from its own first step, with what came before still in sight."""
    steps = [cancelling(), cancelling().model_copy(update={"number": 2})]
    findings, _ = audit(made(), None, steps, before(status="pending"), first=2)
    assert {f.step for f in findings} == {2}


def test_a_finding_speaks_to_people() -> None:
    """Step, tool, the rule in words, and the fact it rests on."""
    finding = audit(made(), None, [cancelling()], before(status="delivered"))[0][0]
    assert finding.sentence == "Step 1, cancel: broken. The order must be pending."
    assert finding.facts == {"order.status": "delivered"}
