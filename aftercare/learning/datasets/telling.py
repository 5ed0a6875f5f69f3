"""A diagnosis as people read it: Markdown, which reads as well on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aftercare.learning.datasets.diagnosis import Diagnosis, IntentLine, KindLine, ReviewerLine, StepLine

SHOWN = 10  # of each list
QUOTED = 300  # characters of what somebody said


def told(diagnosis: Mapping[str, Any]) -> list[str]:
    """The lines of a diagnosis, as the store keeps it; none where there is no diagnosis yet."""
    if not diagnosis:
        return []
    read = Diagnosis.model_validate(diagnosis)
    return [read.headline, *_lines(read)]


def _lines(read: Diagnosis) -> Iterator[str]:
    yield from _section("What they are", _overview(read))
    yield from _section("Intents", map(_intent, read.intents))
    confusions = (f"{c.cases}: taken for {c.took_for}, really {c.is_really}" for c in read.confusions)
    yield from _section("Intents that were corrected", confusions)
    yield from _section("Clauses", (f"{c.clause}: {_counts(c, _CLAUSE)}{_says(c.says)}" for c in read.clauses))
    yield from _section("Steps at which it went wrong", map(_step, read.steps))
    facts = (f"{f.system}, {f.field}: {_cases(f.cases)}" for f in read.facts)
    yield from _section("Facts that were not as they should be", facts)
    yield from _section("Reviewers", map(_reviewer, read.reviewers))
    quotes = (f"row {q.row}, {q.reviewer}: “{_cut(q.says)}”{_decided(q.decided)}" for q in read.said)
    yield from _section("What those who corrected it said", quotes)
    ranked = (f"row {c.row}, {c.case_id} ({c.points}, {c.side}): {'; '.join(c.because)}" for c in read.cases)
    yield from _section("Cases that tell most", ranked, read.ranked_by)
    yield from _section("Evidence by kind", map(_kind, read.kinds))


_INTENT = {
    "overridden": "corrected",
    "escalated": "handed over",
    "broken": "broke a clause",
    "failed": "not as promised",
    "came_back": "came back",
}
_CLAUSE = {"broken": "broken in {}", "named": "named by reviewers in {}", "undetermined": "undetermined in {}"}
_STEP = {
    "errors": "failed in {}",
    "named": "named by reviewers in {}",
    "flagged": "broke a clause in {}",
    "noted": "noted in {}",
}


def _overview(read: Diagnosis) -> Iterator[str]:
    yield f"{_cases(read.rows)}, {read.problems} problems: {_listed(read.sides)}"
    yield _listed(read.outcomes)
    if read.unreadable:
        yield f"left out, since it can no longer be read: {_cases(read.unreadable)}"
    if read.unsettled:
        yield f"not settled when this was frozen: {_cases(read.unsettled)}"


def _intent(line: IntentLine) -> str:
    ways = [f"{getattr(line, name)} {way}" for name, way in _INTENT.items() if getattr(line, name)]
    return f"{line.intent}: {_cases(line.cases)}" + (f" ({', '.join(ways)})" if ways else "")


def _step(line: StepLine) -> str:
    return f"{line.kind} {line.name}".rstrip() + f": {_cases(line.cases)} ({_counts(line, _STEP)})"


def _reviewer(line: ReviewerLine) -> str:
    did = {"actions": line.actions, "undone": line.undone, "nothing to do": line.nothing_to_do}
    told = _listed({name: count for name, count in did.items() if count})
    corrected = f"; {line.intents_corrected} intents corrected" if line.intents_corrected else ""
    return f"{line.reviewer}: {line.overrides} overrides ({told}){corrected}"


def _kind(line: KindLine) -> str:
    known = f", from {line.lowest:g} to {line.highest:g}, mean {line.mean:.3g}" if line.mean is not None else ""
    return f"{line.kind}: {_cases(line.cases)}, {line.values} values{known}"


def _section(title: str, lines: Iterable[str], note: str = "") -> Iterator[str]:
    listed = list(lines)
    if not listed:
        return
    yield ""
    yield f"## {title}"
    if note:
        yield f"({note})"
    yield from (f"- {line}" for line in listed[:SHOWN])
    if len(listed) > SHOWN:
        yield f"- and {len(listed) - SHOWN} more"


def _counts(line: Any, words: Mapping[str, str]) -> str:
    return ", ".join(how.format(getattr(line, name)) for name, how in words.items() if getattr(line, name))


def _says(text: str) -> str:
    return f" (“{_cut(text)}”)" if text else ""


def _decided(by: str) -> str:
    return f" ({by})" if by else ""


def _cut(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= QUOTED else plain[: QUOTED - 1] + "…"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def _cases(count: int) -> str:
    return "1 case" if count == 1 else f"{count} cases"
