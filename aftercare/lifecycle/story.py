"""How a case reads: the Markdown an operator sees beside its history, written anew at each stage.

One bullet a line: the Temporal UI runs nested lists together. Names and addresses of customers stay in the store.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from aftercare.lifecycle.outcome import outcome_of
from aftercare.lifecycle.state import CaseState
from aftercare.messages.base import NOT_REPORTED, Confidence
from aftercare.messages.case import Action
from aftercare.messages.outcome import Episode, Stage
from aftercare.messages.override import Clause, Deciding, Override, RecordFact
from aftercare.messages.policy import FactCheck, Timing, Verdict, Verification

SHOWN = 6
PRIVATE = frozenset({"address", "address1", "address2", "city", "state", "zip", "country", "email", "name", "phone"})

_NEXT = {
    Stage.RESOLVING: "the agent's resolution",
    Stage.VERIFYING: "the systems of record to show what was promised",
    Stage.AUDITING: "the policy audit",
    Stage.WATCHING: "the customer: a word, a second contact, a reopening, or a person's correction",
}
_ENDING = {
    "resolved": "the agent says it is resolved",
    "escalated": "the agent handed over to a person",
    "actions": "a person put it right",
    "undo": "a person took back what the agent did",
    "nothing_to_do": "a person found that nothing had to be done",
}


def tell(state: CaseState) -> str:
    """The case so far, in Markdown: who, what was claimed, what was found, what is awaited and until when."""
    lines = [f"# {_heading(state)}", "", _who(state), ""]
    for episode in state.episodes:
        lines += [*_episode(state, episode), ""]
    if state.feedback or state.recontacts:
        lines += ["## What came in", *_incoming(state), ""]
    if state.refused:
        refused = (f"- {r.kind} `{r.id}`: {'; '.join(r.reasons)}" for r in state.refused[-SHOWN:])
        lines += [f"## Refused ({len(state.refused)})", *refused, ""]
    if state.stage in _NEXT:
        until = state.episode.watch_until if state.episode and state.stage is Stage.WATCHING else None
        lines.append(f"**Waiting for** {_NEXT[state.stage]}{f', until {until:%Y-%m-%d %H:%M} UTC' if until else ''}.")
    return "\n".join(lines)


def in_words(time: timedelta) -> str:
    """A length of time as people say it: 24 h, 30 min, 8 s."""
    seconds = int(time.total_seconds())
    if not seconds:
        return f"{time.total_seconds():g} s"
    parts = ((seconds // 3600, "h"), (seconds % 3600 // 60, "min"), (seconds % 60, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def handler(state: CaseState) -> str:
    """Whose case it is: the agent's, or a person's."""
    return "person who handles it" if state.case and state.case.handled_by == "human" else "agent"


def waiting(state: CaseState, within: timedelta) -> str:
    """What a case in nobody's hands but its handler's waits for."""
    return f"wait for the {handler(state)}, silent for {in_words(within)} at most"


def claims(episode: Episode) -> str:
    """What an episode claims to have done, in a few words."""
    names = [a.name.replace("_", " ") for a in episode.actions]
    if not names:
        return "what the agent did, taken back" if episode.ending == "undo" else "no change was claimed"
    told = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    # Temporal takes 400 bytes for a summary.
    return told.encode()[:200].decode("utf-8", "ignore")


def audited(episode: Episode) -> str:
    """What of an episode is audited, in a few words."""
    if episode.override or (episode.handled_by == "human" and episode.steps_to < episode.steps_from):
        return "what the person did"
    return f"{max(episode.steps_to - episode.steps_from + 1, 0)} steps"


def _heading(state: CaseState) -> str:
    outcome = outcome_of(state)
    if state.stage is Stage.SETTLED and outcome:
        return f"Settled: {outcome}"
    return {
        Stage.RESOLVING: f"The {handler(state)} is at work",
        Stage.VERIFYING: "Verifying what was claimed",
        Stage.AUDITING: "Auditing against the policy",
        Stage.WATCHING: f"Watching; {outcome} unless somebody objects",
    }.get(state.stage, str(state.stage))


def _who(state: CaseState) -> str:
    case, book = state.case, state.book
    if case is None:
        return "Nobody has registered this case yet."
    release = f", release {case.release}" if case.release else ""
    if case.handled_by == "human":
        release += f", which only proposes ({len(state.proposals)} so far): a person handles it"
    pinned = f" Policy book `{book.domain}` `{book.digest[:12]}`." if book else ""
    return f"Agent **{case.agent}**{release}, by {case.channel}; {state.steps.count} steps on record.{pinned}"


def _episode(state: CaseState, episode: Episode) -> Iterator[str]:
    yield f"## Episode {episode.number} ({episode.began}): {_ending(state, episode)}"
    if episode.because:
        yield f"- The customer came back: {quoted(episode.because)}"
    override = next((o for o in state.overrides if o.id == episode.override), None)
    if override:
        yield from _override(override)
    elif episode.ending in ("resolved", "escalated"):
        yield f"- Intent **{episode.intent}**, confidence {_confidence(episode.confidence)}"
    if episode.handed_over_because:
        yield f"- It said: {quoted(episode.handed_over_because)}"
    for action in episode.actions:
        yield f"- {'Done' if override else 'Claimed'}: {_action(action)}"
    if episode.ending == "resolved" and not episode.actions:
        yield "- Claimed: an answer, no change in any system"
    yield from _verification(episode)
    yield from _audit(episode)


def _ending(state: CaseState, episode: Episode) -> str:
    if episode.ending == "fell_silent":
        timing = state.book.timing if state.book else Timing()
        within = timing.silence(by_person=episode.handled_by == "human")
        return f"the {handler(state)} fell silent for {in_words(within)}"
    if episode.handled_by == "human" and not episode.override and episode.ending:
        return f"the person says it is {episode.ending}"
    return _ENDING.get(episode.ending or "", "not ended yet")


def _override(override: Override) -> Iterator[str]:
    yield f"- **{override.reviewer}**: {quoted(override.rationale)}"
    yield f"- What decided it: {_deciding(override.deciding)}"
    if override.original:
        original = override.original
        told = f"intent {original.intent}, confidence {_confidence(original.confidence)}"
        yield f"- The agent had {original.decision.replace('_', ' ')}: {told}"


def _deciding(deciding: Deciding) -> str:
    if isinstance(deciding, RecordFact):
        place = f"{deciding.system} {deciding.record}, {deciding.field}"
        return f"{place}{_beside(deciding.field, deciding.expected, deciding.found)}"
    return f"clause **{deciding.clause}**" if isinstance(deciding, Clause) else f"step {deciding.step} of the trace"


def _verification(episode: Episode) -> Iterator[str]:
    result = episode.verification
    if result is None:
        return
    differing = sum(f.held is False for f in result.differing)
    unknown = sum(f.held is None for f in result.differing)
    yield {
        Verification.VERIFIED: f"- Verification **verified**: all {result.checked} facts are there",
        Verification.FAILED: f"- Verification **failed**: {differing} of {result.checked} facts differ"
        + (f", {unknown} cannot be told" if unknown else ""),
        Verification.UNVERIFIABLE: f"- Verification **unverifiable**: {result.note}",
    }[result.status]
    yield from (_fact(f) for f in result.differing[:SHOWN] if f.held is False)


def _fact(fact: FactCheck) -> str:
    return f"- Not so: {fact.system} {fact.record}, {fact.field}{_beside(fact.field, fact.expected, fact.found)}"


def _beside(field: str, expected: Any, found: Any) -> str:
    if PRIVATE & set(field.split(".")):
        return " differs"
    return f": expected {_value(expected)}, found {_value(found)}"


def _audit(episode: Episode) -> Iterator[str]:
    audit = episode.audit
    if audit is None:
        return
    if not (audit.compliant or audit.undetermined or audit.findings):
        yield f"- Policy: {audit.note or 'nothing to audit'}"
        return
    yield f"- Policy **{audit.verdict}**: {audit.compliant} kept, {audit.undetermined} cannot be told"
    broken = [f for f in audit.findings if f.verdict is Verdict.VIOLATION]
    yield from (f"- Broken: clause **{f.clause}** ({f.severity}). {f.sentence}" for f in broken[:SHOWN])


def _incoming(state: CaseState) -> Iterator[str]:
    for feedback in state.feedback:
        value = "no value" if feedback.value is None else f"{feedback.value:g} {feedback.unit}".rstrip()
        yield f"- {feedback.kind}: {value}{f', {quoted(feedback.comment)}' if feedback.comment else ''}"
    for contact in state.recontacts:
        issue = "same" if contact.same_issue else "another"
        yield f"- second contact, {issue} issue{f': {quoted(contact.reason)}' if contact.reason else ''}"


def _confidence(confidence: Confidence) -> str:
    return "not reported" if confidence == NOT_REPORTED else f"{float(confidence):.2f}"


def _action(action: Action) -> str:
    shown = {k: v for k, v in action.arguments.items() if k.endswith(("_id", "_ids", "reason"))}
    told = (f"{k} {', '.join(map(str, v)) if isinstance(v, list | tuple) else v}" for k, v in shown.items())
    return f"{action.name.replace('_', ' ')} ({'; '.join(told)})"


def _value(value: Any) -> str:
    return "*nothing*" if value is None else f"`{value}`" if str(value) else "*(empty)*"


def quoted(words: str) -> str:
    """A person's words, in one line."""
    return f"“{' '.join(words.split())[:300]}”"
