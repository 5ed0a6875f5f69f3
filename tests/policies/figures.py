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
def readings(domain: str, key: str = "violations") -> tuple[Reading, ...]:
    text = (HERE / "readings" / f"{domain}.yaml").read_text("utf-8")
    return tuple(Reading(**entry) for entry in yaml.safe_load(text)[key])


@cache
def places(domain: str, verdict: Verdict) -> tuple[Place, ...]:
    """Where the audit of the recordings came to a verdict."""
    found = ((c.case.id, f) for c in everything(domain) for f in c.findings)
    return tuple((case, f.step or 0, f.rule) for case, f in found if f.verdict is verdict)


def undisputed(domain: str, rule: str) -> int:
    """How many of a rule's violations no careful reader would contest."""
    return sum(r.right and not r.contested for r in readings(domain) if r.rule == rule)


def right_of(domain: str, rule: str) -> tuple[int, int]:
    """How many of a rule's violations a person found right, and of how many."""
    read = [r for r in readings(domain) if r.rule == rule]
    return sum(r.right for r in read), len(read)


def rule_table(domain: str) -> str:
    """One line per rule: how often it was asked, what came of it, and how many of its violations are right."""
    head = "| rule | clause | severity | asked | compliant | violation | undetermined | right | contested |"
    verdicts = Counter((f.rule, f.verdict) for c in everything(domain) for f in c.findings)
    lines = [head, "|---|---|---|--:|--:|--:|--:|--:|--:|"]
    for entry in (r.entry for r in book(domain).rules):
        counts = [verdicts[entry.id, v] for v in (Verdict.COMPLIANT, Verdict.VIOLATION, Verdict.UNDETERMINED)]
        right, read = right_of(domain, entry.id)
        contested = sum(r.contested for r in readings(domain) if r.rule == entry.id)
        cells = [f"`{entry.id}`", entry.clause, str(entry.severity), sum(counts), *counts]
        lines.append(_line([*cells, f"{right} of {read}" if read else "-", contested or "-"]))
    return "\n".join(lines)


def clause_table(domain: str) -> str:
    """The clauses that no rule and no effect decides, and what is missing."""
    undecided = {i: c for i, c in book(domain).clauses.items() if c.decided in ("not_decidable", "nothing_to_decide")}
    lines = ["| clause | says | decided | why |", "|---|---|---|---|"]
    return "\n".join(lines + [_line([i, c.says, c.decided.replace("_", " "), c.why]) for i, c in undecided.items()])


def caught_table(domain: str) -> str:
    """What became of the wrong writes: all of them, and those where no write at all was right."""
    lines = ["| wrong writes | cases | caught | undetermined | missed |", "|---|--:|--:|--:|--:|"]
    for name, cases in (("any", wrongly_written(domain)), ("nothing was to be written", nothing_expected(domain))):
        fates = Counter(fate(c) for c in cases)
        lines.append(_line([name, len(cases), fates["caught"], fates["undetermined"], fates["missed"]]))
    return "\n".join(lines)


def wrongly_written(domain: str) -> list[Played]:
    """The overridden cases with at least one accepted write that was none of the right ones."""
    return [c for c in everything(domain) if _overridden(c) and wrong_writes(c)]


def nothing_expected(domain: str) -> list[Played]:
    return [c for c in wrongly_written(domain) if not c.row["expected"]["writes"]]


def wrong_writes(case: Played) -> list[int]:
    """The steps of accepted writes that match no right one: tool and arguments, in any order but what is paired."""
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

    An attempt is a call of the same tool on the same order, reservation or customer, accepted or refused.
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
    return name, str(next((arguments[k] for k in ("order_id", "reservation_id", "user_id") if k in arguments), None))


def _wish(name: str, arguments: Mapping[str, Any]) -> str:
    rest = dict(arguments)
    if "new_item_ids" in rest:
        rest["item_ids"] = [list(pair) for pair in zip(rest["item_ids"], rest.pop("new_item_ids"), strict=True)]
    if "flights" in rest:  # agents may repeat where a flight goes; number and date name it
        rest["flights"] = [[f["flight_number"], f["date"]] for f in rest["flights"]]
    return _written({name: {k: _unordered(v) for k, v in rest.items()}})


def _unordered(value: Any) -> Any:
    return sorted(map(_written, value)) if isinstance(value, list) else value


def _written(value: Any) -> str:
    """As text, where 100 is 100.0."""
    if isinstance(value, dict):
        return json.dumps({k: _written(v) for k, v in sorted(value.items())})
    return json.dumps(float(value) if type(value) is int else value)


def _line(cells: Iterable[object]) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"
