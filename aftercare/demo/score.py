"""How well verification did on faults whose places are known: everything found, nothing else, and what was not so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from aftercare.demo.faults import OF_CASES, OF_WRITES, Faults
from aftercare.demo.truth import Judged

Score = dict[str, Any]


def score(cases: Iterable[Judged], faults: Faults) -> Score:
    """The figures, and every fact and case for which it is not as it should be."""
    cases = list(cases)
    looked_at = [case for case in cases if case.verification]
    silent = [case for case in cases if case.verification is None and case.real.injected]
    injected = sum(len(case.tellable) for case in looked_at)
    missed = [{"case_id": case.case_id, **vars(fact)} for case in looked_at for fact in case.missed]
    alarms = [{"case_id": c.case_id, **check.model_dump(mode="json")} for c in looked_at for check in c.false_alarms]
    return {
        "rates": dict(faults.rates),
        "seed": faults.seed,
        "injected": injected,
        "found": injected - len(missed),
        "false_alarms": len(alarms),
        "by_kind": {kind: _of_writes(kind, looked_at) for kind in OF_WRITES}
        | {kind: _of_cases(kind, looked_at) for kind in OF_CASES},
        "missed": missed,
        "alarms": alarms,
        "misjudged": [_misjudged(case) for case in looked_at if case.misjudged],
        "untellable": [{"case_id": c.case_id, **vars(f)} for c in looked_at for f in c.net if not f.tellable],
        "not_verified": {"cases": len(silent), "net_facts": sum(len(case.net) for case in silent)},
    }


def sound(scored: Score) -> bool:
    """Whether every net fact was found, no other, and nothing late or unreadable was taken for something else."""
    return not (scored["missed"] or scored["alarms"] or scored["misjudged"])


def rows(scored: Score) -> Iterator[tuple[str, str]]:
    """The closing table's lines."""
    counts = f"{scored['injected']} net facts, {scored['found']} found, {scored['false_alarms']} false alarms"
    yield "faults", f"{counts} (seed {scored['seed']})"
    for kind, figures in scored["by_kind"].items():
        writes = f"{figures['writes']} writes, {figures['net_facts']} net facts; " if "writes" in figures else ""
        became = ", ".join(f"{number} {status}" for status, number in figures["verification"].items()) or "none"
        yield f"  {kind}", f"{writes}cases with nothing else: {became}"
    if untellable := len(scored["untellable"]):
        yield "  untellable", f"{untellable} facts of records that the shop itself named"
    if silent := scored["not_verified"]["cases"]:
        yield "  not verified", f"{silent} cases whose agent fell silent"
    for fact in scored["missed"]:
        yield "  missed", f"{fact['case_id']}: {fact['record']} {fact['field']} ({fact['kind']})"
    for fact in scored["alarms"]:
        yield "  false alarm", f"{fact['case_id']}: {fact['record']} {fact['field']}"
    for case in scored["misjudged"]:
        yield "  misjudged", f"{case['case_id']}: {case['fault']}, and {case['status']}"


def _of_writes(kind: str, cases: Sequence[Judged]) -> Score:
    """By writes and net facts; and what became of the cases that have this kind of fault alone.

    A write whose facts a later one set right has no net fact, and neither has one that only shows late.
    """
    writes = {(case.case_id, fact.operation) for case in cases for fact in case.real.injected if fact.kind == kind}
    net = [(case, fact) for case in cases for fact in case.tellable if fact.kind == kind]
    found = sum(fact not in case.missed for case, fact in net)
    return {"writes": len(writes), "net_facts": len(net), "found": found, **_of_cases(kind, cases)}


def _of_cases(kind: str, cases: Sequence[Judged]) -> Score:
    statuses = [str(case.verification.status) for case in cases if case.verification and case.only == kind]
    return {"cases": len(statuses), "verification": dict(Counter(statuses).most_common())}


def _misjudged(case: Judged) -> Score:
    told = case.verification.model_dump(mode="json", include={"status", "note"}) if case.verification else {}
    return {"case_id": case.case_id, "fault": case.only, **told}
