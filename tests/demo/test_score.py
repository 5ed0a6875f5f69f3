"""The score of a run with faults: held against the shop's own ledgers, fact by fact."""

from __future__ import annotations

from typing import Any

import pytest

from aftercare.demo.faults import drawn
from aftercare.demo.score import score, sound
from aftercare.demo.shop.messages import FaultPlan, Injected, Kind, Ledger, WriteFault
from aftercare.demo.truth import Judged
from aftercare.messages.policy import FactCheck, Verification, VerificationResult

ORDER = "orders/W1"
FAULTS = drawn("drop=0.5")
Record = dict[str, Any]


def injected(kind: Kind, field: str, operation: str = "op-1", record: str = ORDER) -> Injected:
    return Injected(operation=operation, kind=kind, record=record, field=field)


def ledger(record: Record | None, *facts: Injected, made: str | None = None, plan: FaultPlan | None = None) -> Ledger:
    writes = FaultPlan(writes={1: WriteFault(kind=facts[0].kind)}) if facts else None
    return Ledger(
        plan=plan or writes, injected=list(facts), records={ORDER: record}, made={ORDER: made} if made else {}
    )


def check(field: str, held: bool | None = False, record: str = ORDER) -> FactCheck:
    return FactCheck(system="shop", record=record, field=field, held=held)


def judged(real: Ledger, right: Record, *checks: FactCheck, status: str = "failed", made: str | None = None) -> Judged:
    told = VerificationResult(status=Verification(status), differing=checks)
    return Judged("case-1", real, ledger(right, made=made), told)


def figures(*cases: Judged) -> tuple[int, int, int]:
    told = score(cases, FAULTS)
    return told["injected"], told["found"], told["false_alarms"]


def test_a_net_fact_that_verification_names_is_found() -> None:
    """Record and field agree; a fact with the same name elsewhere is another."""
    real, right = ledger({"status": "open"}, injected("drop", "status")), {"status": "closed"}
    assert figures(judged(real, right, check("status"))) == (1, 1, 0)
    assert figures(judged(real, right, check("status", record="orders/W2"))) == (1, 0, 1)
    assert figures(judged(real, right, check("state"))) == (1, 0, 1)


@pytest.mark.parametrize("field", ["items", "items.price", "items.0.price"])
def test_a_fact_within_a_list_stands_for_the_list(field: str) -> None:
    """A list is one fact: whoever names an entry of it, or a column, has found it."""
    real = ledger({"items": [{"price": 1}]}, injected("wrong", "items.0.price"))
    assert figures(judged(real, {"items": [{"price": 2}]}, check(field))) == (1, 1, 0)


def test_each_fact_counts_for_itself() -> None:
    """Of an address that was dropped, every line has to be found; one that was the same before is no fault."""
    real = ledger({"a": {"zip": "1", "city": "X", "land": "L"}}, injected("drop", "a.zip"), injected("drop", "a.city"))
    right = {"a": {"zip": "2", "city": "Y", "land": "L"}}
    told = score([judged(real, right, check("a.zip"))], FAULTS)
    assert (told["injected"], told["found"], told["missed"][0]["field"]) == (2, 1, "a.city")
    assert not sound(told)


def test_a_fault_that_a_later_write_set_right_is_no_net_fault() -> None:
    """It counts as a write with a fault, and whoever reports it gives a false alarm."""
    real = ledger({"status": "closed"}, injected("drop", "status"))
    quiet = score([judged(real, {"status": "closed"}, status="verified")], FAULTS)
    assert quiet["by_kind"]["drop"]["writes"] == 1
    assert (quiet["injected"], quiet["false_alarms"], sound(quiet)) == (0, 0, True)
    loud = score([judged(real, {"status": "closed"}, check("status"))], FAULTS)
    assert (loud["false_alarms"], sound(loud)) == (1, False)


def test_what_cannot_be_told_is_no_alarm() -> None:
    """A fact that verification leaves open was not found, and is not reported either."""
    real = ledger({"status": "open"}, injected("drop", "status"))
    assert figures(judged(real, {"status": "closed"}, check("status", held=None))) == (1, 0, 0)


def test_what_a_record_was_made_with_no_book_can_tell() -> None:
    """It is listed apart; but what a later operation should have changed in that record counts like all else."""
    facts = injected("wrong", "bags"), injected("drop", "seats", "op-2")
    real = ledger({"bags": 1, "seats": 1}, *facts, made="op-1")
    told = score([judged(real, {"bags": 2, "seats": 2}, check("seats"), made="op-1")], FAULTS)
    assert (told["injected"], told["found"], sound(told)) == (1, 1, True)
    assert [fact["field"] for fact in told["untellable"]] == ["bags"]


def test_a_record_that_never_came_to_be_is_listed_apart() -> None:
    """There is no field to name; that it is missing shows where it should be listed, and is counted there."""
    real = ledger(None, injected("drop", ""), injected("drop", "seats", "op-2"), made="op-1")
    told = score([judged(real, {"seats": 2}, check("seats"), made="op-1")], FAULTS)
    assert (told["injected"], told["false_alarms"], len(told["untellable"])) == (0, 0, 1)


@pytest.mark.parametrize(
    ("plan", "fact", "right"),
    [
        (FaultPlan(slow=1), None, "verified"),
        (FaultPlan(writes={1: WriteFault(kind="eventual")}), injected("eventual", "status"), "verified"),
        (FaultPlan(down_after=1), None, "unverifiable"),
    ],
)
@pytest.mark.parametrize("status", list(Verification))
def test_what_is_late_is_verified_and_what_is_down_unverifiable(
    plan: FaultPlan, fact: Injected | None, right: str, status: Verification
) -> None:
    """Anything else is misjudged, and the run is not sound."""
    real = ledger({"status": "closed"}, *[fact] if fact else [], plan=plan)
    told = score([judged(real, {"status": "closed"}, status=status)], FAULTS)
    assert [case["status"] for case in told["misjudged"]] == ([] if status == right else [status])
    assert sound(told) is (status == right)


def test_a_case_whose_agent_fell_silent_is_counted_apart() -> None:
    """Nobody claimed anything, so nothing was looked for."""
    real = ledger({"status": "open"}, injected("drop", "status"))
    told = score([Judged("case-1", real, ledger({"status": "closed"}), None)], FAULTS)
    assert (told["injected"], told["not_verified"]) == (0, {"cases": 1, "net_facts": 1})
