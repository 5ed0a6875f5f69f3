"""A case's whole story for a terminal: what was claimed, what was found, who said what, and what lies in the inbox."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.text import Text

from aftercare.commands.answering import safe
from aftercare.messages.case import Action
from aftercare.messages.outcome import Episode, Snapshot, Stage
from aftercare.messages.override import Clause, Override, RecordFact
from aftercare.messages.policy import FactCheck, Finding, Verdict, Verification
from aftercare.store.tables import EvidenceRow

COLOURS = {
    "verified": "green",
    "compliant": "green",
    "confirmed": "green",
    "delivered": "green",
    "failed": "red",
    "violation": "red",
    "overridden": "red",
    "refused": "red",
    "reopened": "yellow",
    "undetermined": "yellow",
    "unverifiable": "yellow",
    "waiting": "yellow",
    "orphan": "yellow",
}
_ENDING = {
    "resolved": "the agent says it is resolved",
    "escalated": "the agent handed over to a person",
    "fell_silent": "the agent fell silent",
    "actions": "a person put it right",
    "undo": "a person took back what the agent did",
    "nothing_to_do": "a person found that nothing had to be done",
}
SHOWN = 300


def story(
    case: Snapshot,
    findings: Mapping[int, Sequence[Finding]],
    inbox: Iterable[EvidenceRow],
    stage: str,
    confidence: bool = True,
) -> Iterator[Text]:
    """The case line by line, times in the reader's own zone; without the agent's confidence where that is withheld."""
    yield from _heading(case, stage)
    for episode in case.episodes:
        yield Text()
        yield from _episode(case, episode, findings.get(episode.number, ()), confidence)
    for number in sorted(findings.keys() - {e.number for e in case.episodes}):
        kept = sum(f.verdict is Verdict.COMPLIANT for f in findings[number])
        yield Text(f"\nEpisode {number}, as it was audited: {kept} of {len(findings[number])} findings kept", "bold")
        yield from _findings(findings[number])
    yield from _section("Feedback", (_feedback(f) for f in case.feedback))
    yield from _section("Second contacts", (_contact(r) for r in case.recontacts))
    yield from _section("Reopened", (f"{_at(r.at)}{safe(r.reason)}{_by(r.source)}" for r in case.reopens))
    yield from _section("Refused", (f"{r.kind} {r.id}: {safe('; '.join(r.reasons))}" for r in case.refused))
    rows = list(inbox)
    if rows:
        yield Text("\nInbox", "bold")
        yield from (_inbox(row) for row in rows)


def local(at: datetime | None) -> str:
    """A moment on the reader's own clock."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S") if at else ""


def coloured(word: object) -> Text:
    """A state, an outcome or a verdict."""
    return Text(str(word), COLOURS.get(str(word), "")) if word else Text("-")


def _heading(case: Snapshot, stage: str) -> Iterator[Text]:
    told = [Text(f"Case {safe(case.case_id)}", "bold"), Text(stage)]
    if case.outcome:
        so_far = " unless somebody objects" if case.stage is Stage.WATCHING else ""
        told.append(coloured(case.outcome) + Text(so_far))
    if case.stage is Stage.WATCHING and case.episodes and case.episodes[-1].watch_until:
        told.append(Text(f"until {local(case.episodes[-1].watch_until)}"))
    yield Text(" · ").join(told)
    about = case.case
    if about is None:
        yield Text("Nobody has registered this case yet.")
        return
    release = f", release {about.release}" if about.release else ""
    customer = f"; customer {about.customer}" if about.customer else ""
    yield Text(safe(f"Agent {about.agent}{release}, by {about.channel}, on {about.domain}{customer}"))
    book = f" under the {case.book.domain} book {case.book.digest[:12]}" if case.book else ""
    opened = f"Opened {local(about.opened_at)}" if about.opened_at else "Opened"
    yield Text(safe(f"{opened}{book}; {case.steps.count} steps on record"))


def _episode(case: Snapshot, episode: Episode, findings: Sequence[Finding], confidence: bool) -> Iterator[Text]:
    ending = _ENDING.get(episode.ending or "", "not ended yet")
    yield Text(safe(f"Episode {episode.number} ({episode.began}): {ending}"), "bold")
    override = next((o for o in case.overrides if o.id == episode.override), None)
    told = [f"The customer came back: {episode.because}"] if episode.because else []
    if override:
        told += _override(override)
    elif episode.ending in ("resolved", "escalated"):
        sure = f", confidence {_confidence(episode.confidence)}" if confidence else ""
        told.append(f"Intent {episode.intent}{sure}")
    told += [f"It said: {episode.handed_over_because}"] if episode.handed_over_because else []
    told += [f"{'Done' if override else 'Claimed'}: {action_told(a)}" for a in episode.actions]
    if episode.ending == "resolved" and not episode.actions:
        told.append("Claimed: an answer, no change in any system")
    yield from (Text(f"  {safe(line)}") for line in told)
    yield from _verification(episode)
    yield from _audit(episode, findings)


def _override(override: Override) -> list[str]:
    told = [
        f"{override.reviewer}: {override.rationale}",
        f"Right intent: {override.corrected_intent}",
        f"What decided it: {_deciding(override)}",
    ]
    if original := override.original:
        said = original.decision.replace("_", " ")
        told.append(f"The agent had {said}: {original.intent}, confidence {_confidence(original.confidence)}")
    return told


def _deciding(override: Override) -> str:
    match override.deciding:
        case RecordFact() as fact:
            told = f"{fact.system} {fact.record} {fact.field}"
            return f"{told}: expected {value_told(fact.expected)}, found {value_told(fact.found)}"
        case Clause(clause=clause):
            return f"clause {clause}"
        case other:
            return f"step {other.step} of the trace"


def _verification(episode: Episode) -> Iterator[Text]:
    result = episode.verification
    if result is None:
        return
    differing = sum(f.held is False for f in result.differing)
    note = {
        Verification.VERIFIED: f"all {result.checked} facts are there",
        Verification.FAILED: f"{differing} of {result.checked} facts differ",
        Verification.UNVERIFIABLE: result.note,
    }[result.status]
    yield Text.assemble("  Verification ", coloured(result.status), safe(f": {note}"))
    yield from (Text(f"    {safe(_fact(f))}") for f in result.differing)


def _fact(fact: FactCheck) -> str:
    place = f"{fact.system} {fact.record} {fact.field}"
    if fact.held is None:
        return f"{place}: cannot be told{f' ({fact.note})' if fact.note else ''}"
    return f"{place}: expected {value_told(fact.expected)}, found {value_told(fact.found)}"


def _audit(episode: Episode, findings: Sequence[Finding]) -> Iterator[Text]:
    audit = episode.audit
    if audit is None:
        return
    if not (audit.compliant or audit.undetermined or audit.findings):
        yield Text(f"  Policy: {safe(audit.note or 'nothing to audit')}")
        return
    known = findings or audit.findings
    broken = sum(f.verdict is Verdict.VIOLATION for f in known)
    counts = f": {audit.compliant} kept, {broken} broken, {audit.undetermined} cannot be told"
    yield Text.assemble("  Policy ", coloured(audit.verdict), counts)
    yield from _findings(known)


def _findings(findings: Sequence[Finding]) -> Iterator[Text]:
    """Those that are not kept, the broken ones first."""
    open_ = [f for f in findings if f.verdict is not Verdict.COMPLIANT]
    for finding in sorted(open_, key=lambda f: (f.verdict is not Verdict.VIOLATION, f.step or 0)):
        clause = Text(f"clause {safe(finding.clause)} ({finding.severity})", COLOURS[finding.verdict])
        yield Text.assemble("    ", clause, f". {safe(finding.sentence)}")


def _section(title: str, lines: Iterable[str]) -> Iterator[Text]:
    told = list(lines)
    if told:
        yield Text(f"\n{title}", "bold")
        yield from (Text(f"  {safe(line)}") for line in told)


def _feedback(feedback: Any) -> str:
    value = "no value" if feedback.value is None else f"{feedback.value:g} {feedback.unit}".rstrip()
    comment = f", “{feedback.comment}”" if feedback.comment else ""
    return f"{_at(feedback.at)}{feedback.kind}: {value}{comment}{_by(feedback.source)}"


def _contact(contact: Any) -> str:
    issue = "the same issue" if contact.same_issue else "another issue"
    return f"{_at(contact.at)}{issue}{f': {contact.reason}' if contact.reason else ''}{_by(contact.channel)}"


def _inbox(row: EvidenceRow) -> Text:
    told = safe("; ".join(row.reasons))
    reasons = f" ({told if len(told) <= SHOWN else f'{told[:SHOWN]} ...'})" if told else ""
    return Text.assemble(f"  {local(row.at)}  ", coloured(row.standing), safe(f"  {row.kind} {row.id}"), reasons)


def _at(at: datetime | None) -> str:
    return f"{local(at)}  " if at else ""


def _by(source: str) -> str:
    return f" (by {source})" if source else ""


def action_told(action: Action) -> str:
    """Something that was done, with its arguments and where in the trace it stands."""
    known = [f"step {action.step}"] if action.step else []
    known += [f"receipt {action.receipt}"] if action.receipt else []
    from_trace = f" ({', '.join(known)})" if known else ""
    return f"{action.name} {json.dumps(action.arguments)}{from_trace}"


def _confidence(confidence: Any) -> str:
    return "not reported" if isinstance(confidence, str) else f"{float(confidence):.2f}"


def value_told(value: Any) -> str:
    """A value, shortened."""
    told = json.dumps(value, default=str)
    return "nothing" if value is None else told if len(told) <= SHOWN else f"{told[:SHOWN]} ..."
