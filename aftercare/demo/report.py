"""The closing report of a run: what became of the cases, and whether anything acknowledged is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from aftercare.demo.cost import Cost
from aftercare.demo.score import rows, sound
from aftercare.learning.facts import RATES
from aftercare.messages.base import Message
from aftercare.messages.outcome import QUIET, Outcome
from aftercare.messages.policy import Verdict, Verification


class FindingLine(Message):
    rule: str
    clause: str
    verdict: Verdict
    step: int | None = None


class CaseLine(Message):
    """One case of the report. `verification` and `policy_verdict` are those of the first episode.

    `correction` is the verification of what a person did, where a person ended the case; `came_in` counts what was
    taken in after the agent's own report.
    """

    case_id: str
    outcome: Outcome | None
    reported: str
    resolved: bool
    verification: Verification | None
    policy_verdict: Verdict | None
    correction: Verification | None = None
    findings: tuple[FindingLine, ...]
    overrides: int
    reopens: int
    events: int
    actions: int
    bytes: int
    runs: int = 1
    came_in: int = 0


def report_of(lines: Sequence[CaseLine], acknowledged: set[tuple[str, str]], stored: set[tuple[str, str]]) -> Any:
    """The report as plain data; the contract of `aftercare run --report`."""
    cases = len(lines)
    return {
        "cases": cases,
        "settled": sum(line.outcome is not None for line in lines),
        "outcomes": _count(line.outcome for line in lines),
        "verification": _count(line.verification for line in lines),
        "policy": _count(line.policy_verdict for line in lines),
        "rates": {name: _share(sum(map(rate.holds, lines)), cases) for name, rate in RATES.items()},
        "evidence": {
            "acknowledged": len(acknowledged),
            "stored": len(stored),
            "missing": [list(pair) for pair in sorted(acknowledged - stored)],
        },
        "history": {way: _history(lines, way) for way in ("live", "whole")},
        "per_case": [line.model_dump(mode="json") for line in lines],
    }


def complete(report: dict[str, Any]) -> bool:
    """Whether every case settled, nothing acknowledged is missing, and every fault was found and nothing else."""
    told = report["settled"] == report["cases"] and not report["evidence"]["missing"] and "refused" not in report
    # Where there are faults, a recorded correction need not fit what it meets.
    return told and (sound(report["faults"]) if "faults" in report else "not_corrected" not in report)


def _history(lines: Iterable[CaseLine], way: str) -> dict[str, Any]:
    """The medians over the quiet cases: what comes in after the agent's report has a cost of its own."""
    quiet = [line for line in lines if line.reported == way and line.outcome in QUIET and not line.came_in]
    costs = [Cost(line.events, line.actions, line.bytes) for line in quiet]
    return {
        "quiet_cases": len(costs),
        "events_median": median(c.events for c in costs) if costs else None,
        "actions_median": median(c.actions for c in costs) if costs else None,
        "bytes_median": median(c.bytes for c in costs) if costs else None,
    }


def _count(values: Iterable[Any]) -> dict[str, int]:
    return dict(Counter(str(v) if v is not None else "none" for v in values).most_common())


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def show(report: dict[str, Any], console: Console) -> None:
    """The closing tables."""
    table = Table("Outcome", "Cases", "Share", title="How the cases ended", title_justify="left")
    for outcome in [*map(str, Outcome), "none"]:
        if number := report["outcomes"].get(outcome):
            table.add_row(outcome, str(number), f"{number / report['cases']:.0%}")
    console.print(table)
    rates, evidence = report["rates"], report["evidence"]
    told = Table("", "", show_header=False, box=None)
    for name, rate in RATES.items():
        told.add_row(name, f"{_percent(rates[name])}  {rate.says}")
    told.add_row("verification", _listed(report["verification"]))
    told.add_row("policy", _listed(report["policy"]))
    told.add_row("evidence", f"{evidence['acknowledged']} acknowledged, {evidence['stored']} stored")
    for way, cost in report["history"].items():
        if cost["quiet_cases"]:
            size = f"{cost['bytes_median']:.0f} bytes"
            told.add_row(
                f"a quiet case, {way}",
                f"{cost['events_median']:.0f} events, {cost['actions_median']:.0f} actions, {size} (medians)",
            )
    for name, figures in rows(report["faults"]) if "faults" in report else ():
        told.add_row(name, figures)
    console.print(told)


def _percent(share: float | None) -> str:
    return "   -" if share is None else f"{share:>4.0%}"


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counts.items())
