"""What a replay found, for people and for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.table import Table
from rich.text import Text

from aftercare.commands.answering import Answer, safe
from aftercare.commands.case_story import coloured
from aftercare.commands.policy_replay import Changed, Judged, Replay
from aftercare.messages.policy import Verdict

SHOWN = 40


def told(replay: Replay) -> Answer:
    """A replay as an answer: which verdicts change, by case and by rule, in all, and what could not be judged again."""
    return Answer(_document(replay), list(_lines(replay)))


def by_rule(replay: Replay) -> dict[str, Counter[str]]:
    """What becomes of each rule's findings, where anything does."""
    rules: dict[str, Counter[str]] = {}
    for judged in _counted(replay):
        for change in judged.changed:
            name = f"{judged.domain} {change.rule}"
            rules.setdefault(name, Counter())[_what(change.before, change.after)] += 1
    return dict(sorted(rules.items()))


def _counted(replay: Replay) -> list[Judged]:
    return [j for j in replay.judged if not j.cannot]


def _what(before: Verdict | None, after: Verdict | None) -> str:
    if before is None:
        return f"appears: {after}"
    return f"disappears: {before}" if after is None else f"{before} → {after}"


def _document(replay: Replay) -> dict[str, Any]:
    counted = _counted(replay)
    return {
        "books": {domain: book.digest for domain, book in replay.books.items()},
        "totals": {
            "judged": len(counted),
            "under_the_same_book": sum(j.same_book for j in counted),
            "verdicts_changed": sum(j.differs for j in counted),
            "before": Counter(str(j.before) for j in counted),
            "after": Counter(str(j.after) for j in counted),
            "cannot_be_judged_again": sum(bool(j.cannot) for j in replay.judged),
        },
        "by_rule": by_rule(replay),
        "episodes": [asdict(j) | {"verdict_changed": j.differs} for j in replay.judged],
        "left_out": replay.left_out,
    }


def _lines(replay: Replay) -> Iterator[Text | Table]:
    counted = _counted(replay)
    for domain, book in replay.books.items() if counted else ():
        same = [j.same_book for j in counted if j.domain == domain]
        pinned = f"{sum(same)} of {len(same)} episodes were judged under this very book before"
        yield Text(f"{domain} {book.digest[:12]}: {pinned}")
    changed = [j for j in counted if j.differs]
    if counted:
        yield Text(f"\n{len(changed)} of {len(counted)} verdicts change", "bold")
    if changed:
        yield _cases(changed)
    if rules := by_rule(replay):
        yield Text("\nFindings that change, by rule", "bold")
        yield _rules(rules)
    if counted:
        yield Text("\nIn all", "bold")
        yield _totals(counted)
    yield from _unjudged(replay)


def _cases(changed: list[Judged]) -> Table:
    table = _table("case", "episode", "was", "is", "because of")
    for judged in changed[:SHOWN]:
        because = "; ".join(f"step {c.step} {c.rule}: {_what(c.before, c.after)}" for c in _telling(judged))
        episode = str(judged.episode)
        table.add_row(
            safe(judged.case_id), episode, coloured(judged.before), coloured(judged.after), safe(because or "the trace")
        )
    if len(changed) > SHOWN:
        table.add_row(f"and {len(changed) - SHOWN} more", "", "", "", "--json gives all")
    return table


def _telling(judged: Judged) -> list[Changed]:
    """The changes that make the new verdict, or unmake the old one."""
    new = [c for c in judged.changed if c.after is judged.after]
    return new if judged.after is not Verdict.COMPLIANT else [c for c in judged.changed if c.before is judged.before]


def _rules(rules: dict[str, Counter[str]]) -> Table:
    table = _table("rule", "what", "times")
    for name, counts in rules.items():
        for what, times in counts.most_common():
            table.add_row(safe(name), what, str(times))
    return table


def _totals(counted: list[Judged]) -> Table:
    table = _table("verdict", "was", "is")
    for verdict in Verdict:
        was, now = (sum(v is verdict for v in vs) for vs in zip(*((j.before, j.after) for j in counted), strict=True))
        table.add_row(coloured(verdict), str(was), str(now))
    return table


def _unjudged(replay: Replay) -> Iterator[Text]:
    cannot = [j for j in replay.judged if j.cannot]
    if cannot:
        yield Text(f"\nCannot be judged again: {len(cannot)}; they are in none of the figures above", "yellow")
        yield from (Text(safe(f"  {j.case_id}, episode {j.episode}: {j.cannot}")) for j in cannot[:SHOWN])
    later = sorted({f"{j.domain} {rule}" for j in replay.judged for rule in j.not_in_force})
    if later:
        told = f"Not in force yet when some of the cases were opened: {', '.join(later)}. --every-rule asks them too."
        yield Text(f"\n{safe(told)}", "yellow")
    for why, ids in replay.left_out.items():
        more = " ..." if len(ids) > SHOWN else ""
        yield Text(f"\nLeft out, {why}: {safe(', '.join(sorted(ids)[:SHOWN]))}{more}")
    if not replay.judged and not replay.left_out:
        yield Text("no stored case is like that")


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
