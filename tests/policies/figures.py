"""The figures of docs/audit.md, computed afresh from the played recordings and from what people read in them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from aftercare.messages.policy import Verdict
from tests.policies.played import Played, accepted_actions, book, everything

HERE = Path(__file__).parent
Place = tuple[str, int, str]
Fate = Literal["caught", "undetermined", "missed"]


@dataclass(frozen=True)
class Reading:
    """What a person made of a verdict. `contested`: another careful reader may well not."""

    case: str
    step: int
    rule: str
    right: bool
    because: str
    contested: bool = False

    @property
    def place(self) -> Place:
        return self.case, self.step, self.rule


@cache
def readings(key: str = "violations") -> tuple[Reading, ...]:
    return tuple(Reading(**entry) for entry in yaml.safe_load((HERE / "readings.yaml").read_text("utf-8"))[key])


@cache
def places(verdict: Verdict) -> tuple[Place, ...]:
    """Where the audit of the recordings came to a verdict."""
    return tuple((c.case.id, f.step or 0, f.rule) for c in everything() for f in c.findings if f.verdict is verdict)


def right_of(rule: str) -> tuple[int, int]:
    """How many of a rule's violations a person found right, and of how many."""
    read = [r for r in readings() if r.rule == rule]
    return sum(r.right for r in read), len(read)


def rule_table() -> str:
    """One line per rule: how often it was asked, what came of it, and how many of its violations are right."""
    head = "| rule | clause | severity | asked | compliant | violation | undetermined | right | contested |"
    verdicts = Counter((f.rule, f.verdict) for c in everything() for f in c.findings)
    lines = [head, "|---|---|---|--:|--:|--:|--:|--:|--:|"]
    for entry in (r.entry for r in book().rules):
        counts = [verdicts[entry.id, v] for v in (Verdict.COMPLIANT, Verdict.VIOLATION, Verdict.UNDETERMINED)]
        right, read = right_of(entry.id)
        contested = sum(r.contested for r in readings() if r.rule == entry.id)
        cells = [f"`{entry.id}`", entry.clause, str(entry.severity), sum(counts), *counts]
        lines.append(_line([*cells, f"{right} of {read}" if read else "-", contested or "-"]))
    return "\n".join(lines)


def clause_table() -> str:
    """The clauses that no rule and no effect decides, and what is missing."""
    undecided = {i: c for i, c in book().clauses.items() if c.decided in ("not_decidable", "nothing_to_decide")}
    lines = ["| clause | says | decided | why |", "|---|---|---|---|"]
    return "\n".join(lines + [_line([i, c.says, c.decided.replace("_", " "), c.why]) for i, c in undecided.items()])


def caught_table() -> str:
    """What became of the wrong writes: all of them, and those where no write at all was right."""
    lines = ["| wrong writes | cases | caught | undetermined | missed |", "|---|--:|--:|--:|--:|"]
    for name, cases in (("any", wrongly_written()), ("nothing was to be written", nothing_expected())):
        fates = Counter(fate(c) for c in cases)
        lines.append(_line([name, len(cases), fates["caught"], fates["undetermined"], fates["missed"]]))
    return "\n".join(lines)


def wrongly_written() -> list[Played]:
    """The overridden cases with at least one accepted write that was none of the right ones."""
    return [c for c in everything() if _overridden(c) and wrong_writes(c)]


def nothing_expected() -> list[Played]:
    return [c for c in wrongly_written() if not c.row["expected"]["writes"]]


def wrong_writes(case: Played) -> list[int]:
    """The steps of accepted writes that match no right one: tool and arguments, items in any order but paired."""
    right = Counter(_wish(w["tool"], w["args"]) for w in case.row["expected"]["writes"])
    wrong: list[int] = []
    for action in accepted_actions(case.steps):
        wish = _wish(action.name, action.arguments)
        right[wish] -= 1
        if right[wish] < 0:
            wrong.append(action.step or 0)
    return wrong


def fate(case: Played) -> Fate:
    """What the audit says where the case went wrong: at a wrong write, or at another attempt at it.

    An attempt is a call of the same tool on the same order or customer, accepted or refused.
    """
    wrong = {_target(s.name, s.input) for s in case.steps if s.number in wrong_writes(case)}
    steps = {s.number for s in case.steps if _target(s.name, s.input) in wrong}
    verdicts = {f.verdict for f in case.findings if f.step in steps}
    if Verdict.VIOLATION in verdicts:
        return "caught"
    return "undetermined" if Verdict.UNDETERMINED in verdicts else "missed"


def _overridden(case: Played) -> bool:
    row = case.row
    silent = row["human_transfer"] or row["ended_by"] == "step_limit"
    return row["outcome"]["db_match"] is False and not silent


def _target(name: str, arguments: Mapping[str, Any]) -> tuple[str, str]:
    return name, str(arguments.get("order_id") or arguments.get("user_id"))


def _wish(name: str, arguments: Mapping[str, Any]) -> str:
    old, new = arguments.get("item_ids", []), arguments.get("new_item_ids")
    items = sorted(old) if new is None else sorted(zip(old, new, strict=True))
    rest = {k: v for k, v in arguments.items() if k not in ("item_ids", "new_item_ids")}
    return json.dumps([name, rest, items], sort_keys=True)


def _line(cells: Iterable[object]) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"
