"""`aftercare policy explain`: what a book says of a clause, a rule or an action, and where it is shown by example."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from aftercare.commands.answering import Answer, safe, wrong
from aftercare.commands.policy_check import domains
from policies.book import LOOKS_FOR, PolicyBook, Rule, load
from policies.schema import EffectEntry, ExampleEntry

DECIDED = {
    "by_rule": "by rules",
    "by_effect": "by what an action must leave in the systems of record",
    "not_decidable": "not: no recorded fact settles it",
    "nothing_to_decide": "there is nothing to decide",
}


def explain(name: str | None, domain: str | None, folder: Path | None) -> Answer:
    """What the books say of a name; without one, all their clauses. Raises NotAsked for a name nobody knows."""
    books = [load(d, folder) for d in ([domain] if domain else domains(folder))]
    if not books:
        raise wrong("there is no policy book in this folder")
    if name is None:
        told = [_overview(book) for book in books]
        return Answer({"books": told}, [line for one in told for line in _list(one)])
    found = [entry for book in books for entry in _entries(book, name)]
    if not found:
        raise wrong(*_unknown(name, books))
    return Answer({"name": name, "found": found}, [line for entry in found for line in _told(entry)])


def _entries(book: PolicyBook, name: str) -> Iterator[dict[str, Any]]:
    about = {"domain": book.domain, "book": book.digest}
    if name in book.clauses:
        rules = [_rule(book, r) for r in book.rules if r.entry.clause == name]
        yield about | {"kind": "clause", **_clause(book, name), "rules": rules}
    for rule in book.rules:
        if rule.entry.id == name:
            yield about | {"kind": "rule", "clause": _clause(book, rule.entry.clause), "rule": _rule(book, rule)}
    if action := book.outcomes.actions.get(name):
        yield about | {
            "kind": "action",
            "action": name,
            "does": action.does,
            "system": action.system,
            "effects": [_effect(e) for e in action.effects],
            "rules": [r.entry.id for r in book.rules if f"'{name}'" in r.entry.when],
            "examples": [e.example for e in book.examples if _shows(e, name)],
        }


def _clause(book: PolicyBook, name: str) -> dict[str, Any]:
    entry = book.clauses[name]
    stands = f"{entry.section}, bullet {entry.bullet}"
    return {"id": name, "says": entry.says, "stands": stands, "decided": entry.decided, "why": entry.why}


def _rule(book: PolicyBook, rule: Rule) -> dict[str, Any]:
    told = rule.entry.model_dump(mode="json")
    examples = [
        {"example": e.example, "verdict": str(e.findings[rule.entry.id])}
        for e in book.examples
        if rule.entry.id in e.findings
    ]
    return told | {"examples": examples}


def _effect(entry: EffectEntry) -> dict[str, Any]:
    return entry.model_dump(mode="json", exclude_none=True)


def _shows(example: ExampleEntry, action: str) -> bool:
    return example.verification is not None and any(s.name == action for s in example.steps)


def _overview(book: PolicyBook) -> dict[str, Any]:
    clauses = [
        _clause(book, name) | {"rules": [r.entry.id for r in book.rules if r.entry.clause == name]}
        for name in book.clauses
    ]
    return {"domain": book.domain, "book": book.digest, "clauses": clauses, "actions": sorted(book.outcomes.actions)}


def _unknown(name: str, books: Sequence[PolicyBook]) -> list[str]:
    known = {n for b in books for n in (*b.clauses, *(r.entry.id for r in b.rules), *b.outcomes.actions)}
    where = " and ".join(b.domain for b in books)
    told = [f"the policy of {where} knows no clause, rule or action {name!r}"]
    near = get_close_matches(name, sorted(known), n=4, cutoff=0.5) or sorted(n for n in known if name in n)[:4]
    return [*told, f"near it: {', '.join(near)}" if near else "`aftercare policy explain` lists what there is"]


def _list(told: dict[str, Any]) -> Iterator[Text | Table]:
    yield Text(f"{told['domain']} {told['book'][:12]}", "bold")
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    shown.add_column("clause", no_wrap=True)
    shown.add_column("says", ratio=3)
    shown.add_column("rules", ratio=2)
    for clause in told["clauses"]:
        rules = ", ".join(clause["rules"]) or f"({clause['decided'].replace('_', ' ')})"
        shown.add_row(clause["id"], safe(clause["says"]), safe(rules))
    yield shown
    yield Text(safe(f"actions: {', '.join(told['actions'])}"))


def _told(entry: dict[str, Any]) -> Iterator[Text]:
    match entry["kind"]:
        case "clause":
            yield from _clause_lines(entry, entry["domain"])
            yield from (line for rule in entry["rules"] for line in _rule_lines(rule))
        case "rule":
            yield from _clause_lines(entry["clause"], entry["domain"])
            yield from _rule_lines(entry["rule"])
        case _:
            yield from _action_lines(entry)


def _clause_lines(clause: dict[str, Any], domain: str) -> Iterator[Text]:
    yield Text(safe(f"{domain} clause {clause['id']}: {clause['says']}"), "bold")
    yield Text(safe(f"  stands under {clause['stands']}"))
    yield Text(safe(f"  decided {DECIDED[clause['decided']]}{f'. {why}' if (why := clause['why']) else ''}"))


def _rule_lines(rule: dict[str, Any]) -> Iterator[Text]:
    yield Text(safe(f"  rule {rule['id']} ({rule['severity']}, since {rule['since']}): {rule['says']}"))
    for part in ("when", "require"):
        yield from _source(part, rule[part], "    ")
    yield from (Text(safe(f"    example ({e['verdict']}): {e['example']}")) for e in rule["examples"])


def _action_lines(entry: dict[str, Any]) -> Iterator[Text]:
    yield Text(safe(f"{entry['domain']} action {entry['action']}: {entry['does']}, in {entry['system']}"), "bold")
    for effect in entry["effects"]:
        yield Text(safe(f"  must leave in {effect['record']}: {effect['field']}"))
        for part in (*LOOKS_FOR, "each", "when"):
            if part in effect:
                yield from _source(part, effect[part], "    ")
    if not entry["effects"]:
        yield Text("  nothing is expected of it")
    yield Text(safe(f"  rules that are asked of it: {', '.join(entry['rules']) or 'none by its name'}"))
    yield from (Text(safe(f"  example: {example}")) for example in entry["examples"])


def _source(part: str, text: str, indent: str) -> Iterator[Text]:
    lines = text.strip().splitlines()
    yield Text(safe(f"{indent}{part}: {lines[0] if len(lines) == 1 else ''}").rstrip())
    if len(lines) > 1:
        yield from (Text(f"{indent}  {safe(line)}") for line in lines)
