"""How a case reads: the Markdown an operator sees beside its history, written anew at each stage."""

from __future__ import annotations

from aftercare.lifecycle.outcome import outcome_of
from aftercare.lifecycle.state import CaseState
from aftercare.messages.case import Action
from aftercare.messages.outcome import Episode, Stage
from aftercare.messages.override import Deciding, Override, RecordFact, TraceStep
from aftercare.messages.policy import FactCheck, Verdict, Verification

_NEXT = {
    Stage.RESOLVING: "the agent's resolution",
    Stage.VERIFYING: "the systems of record to show what was promised",
    Stage.AUDITING: "the policy audit",
    Stage.WATCHING: "the customer: a word, a second contact, a reopening, or a person's correction",
}
_ENDING = {
    "resolved": "the agent claims to have resolved it",
    "escalated": "the agent handed over to a person",
    "fell_silent": "the agent fell silent",
    "actions": "a person put it right",
    "undo": "a person took back what the agent did",
    "nothing_to_do": "a person found that nothing had to be done",
}


def tell(state: CaseState) -> str:
    """The case so far, in Markdown: who, what was claimed, what was found, what is awaited and until when."""
    lines = [f"# {_heading(state)}", "", _who(state), ""]
    for episode in state.episodes:
        lines += _episode(state, episode)
    if state.feedback or state.recontacts:
        lines += ["## What came in", *_incoming(state), ""]
    if state.refused:
        refused = (f"- {r.kind} `{r.id}`: {'; '.join(r.reasons)}" for r in state.refused[-5:])
        lines += [f"## Refused ({len(state.refused)})", *refused, ""]
    if state.stage in _NEXT:
        until = state.episode.watch_until if state.episode and state.stage is Stage.WATCHING else None
        lines.append(f"**Waiting for** {_NEXT[state.stage]}{f', until {until:%Y-%m-%d %H:%M} UTC' if until else ''}.")
    return "\n".join(lines)


def _heading(state: CaseState) -> str:
    outcome = outcome_of(state)
    if state.stage is Stage.SETTLED and outcome:
        return f"Settled: {outcome}"
    return {
        Stage.RESOLVING: "The agent is at work",
        Stage.VERIFYING: "Verifying what was claimed",
        Stage.AUDITING: "Auditing against the policy",
        Stage.WATCHING: f"Watching; {outcome} unless somebody objects",
    }.get(state.stage, str(state.stage))


def _who(state: CaseState) -> str:
    case, book = state.case, state.book
    if case is None:
        return "Nobody has registered this case yet."
    release = f", release {case.release}" if case.release else ""
    pinned = f" Policy book `{book.domain}` `{book.digest[:12]}`." if book else ""
    return f"Agent **{case.agent}**{release}, by {case.channel}; {state.steps.count} steps on record.{pinned}"


def _episode(state: CaseState, episode: Episode) -> list[str]:
    ending = _ENDING.get(episode.ending or "", "not ended yet")
    lines = [f"## Episode {episode.number} ({episode.began}): {ending}"]
    override = next((o for o in state.overrides if o.id == episode.override), None)
    if override:
        lines += _override(override)
    elif episode.ending in ("resolved", "escalated"):
        lines.append(f"- Intent **{episode.intent}**, confidence {_confidence(episode)}")
    for action in episode.actions:
        lines.append(f"- {'Done' if override else 'Claimed'}: {_action(action)}")
    if episode.ending == "resolved" and not episode.actions:
        lines.append("- Claimed: an answer, no change in any system")
    return [*lines, *_verification(episode), *_audit(episode), ""]


def _override(override: Override) -> list[str]:
    lines = [
        f"- **{override.reviewer}** decided: {override.final.kind.replace('_', ' ')}",
        f"- Because: {override.rationale}",
        f"- Deciding: {_deciding(override.deciding)}",
    ]
    if override.original:
        original = override.original
        lines.append(f"- Instead of: {original.decision}, intent {original.intent}, confidence {original.confidence}")
    return lines


def _deciding(deciding: Deciding) -> str:
    if isinstance(deciding, RecordFact):
        told = f"{deciding.system} {deciding.record}, `{deciding.field}`"
        return f"{told}: found `{deciding.found}`, expected `{deciding.expected}`"
    return f"step {deciding.step} of the trace" if isinstance(deciding, TraceStep) else f"clause {deciding.clause}"


def _verification(episode: Episode) -> list[str]:
    result = episode.verification
    if result is None:
        return []
    told = {
        Verification.VERIFIED: f"**verified**: all {result.checked} facts are there",
        Verification.FAILED: f"**failed**: {len(result.differing)} of {result.checked} facts differ",
        Verification.UNVERIFIABLE: f"**unverifiable**: {result.note}",
    }[result.status]
    return [f"- Verification {told}", *(f"  - {_fact(f)}" for f in result.differing[:5])]


def _fact(fact: FactCheck) -> str:
    if fact.held is None:
        return f"{fact.system} {fact.record}, `{fact.field}`: {fact.note}"
    return f"{fact.system} {fact.record}, `{fact.field}`: expected `{fact.expected}`, found `{fact.found}`"


def _audit(episode: Episode) -> list[str]:
    audit = episode.audit
    if audit is None:
        return []
    head = f"- Policy: **{audit.verdict}** ({audit.compliant} kept, {audit.undetermined} cannot be told)"
    broken = [f for f in audit.findings if f.verdict is Verdict.VIOLATION]
    return [head, *(f"  - clause **{f.clause}** ({f.severity}): {f.sentence}" for f in broken[:8])]


def _incoming(state: CaseState) -> list[str]:
    told = [f"- {f.kind}: {'-' if f.value is None else f'{f.value:g}'} {f.unit}".rstrip() for f in state.feedback]
    return told + [f"- second contact, {'same' if r.same_issue else 'another'} issue" for r in state.recontacts]


def _confidence(episode: Episode) -> str:
    return "not reported" if episode.confidence == "not_reported" else f"{episode.confidence:.2f}"


def _action(action: Action) -> str:
    # Ids and reasons tell an operator enough; names and addresses stay in the store.
    shown = {k: v for k, v in action.arguments.items() if k.endswith(("_id", "_ids", "reason"))}
    return f"`{action.name}`({', '.join(f'{k}={v}' for k, v in shown.items())})"
