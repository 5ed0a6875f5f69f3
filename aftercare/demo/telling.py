"""How a settled case is told in the demo: what was claimed, what was found, how it ended. Plain words, no I/O."""

from __future__ import annotations

import re

from aftercare.lifecycle.state import CaseState
from aftercare.messages.case import Action
from aftercare.messages.outcome import Episode, Outcome
from aftercare.messages.override import FinalAction
from aftercare.messages.policy import FactCheck, Verdict, Verification
from policies.book import PolicyBook

COLOURS = {
    Outcome.OVERRIDDEN: "magenta",
    Outcome.REOPENED: "yellow",
    Outcome.FAILED: "red",
    Outcome.ESCALATED: "cyan",
    Outcome.ABANDONED: "bright_black",
    Outcome.UNCONFIRMED: "blue",
    Outcome.CONFIRMED: "green",
}
_QUIET = {
    Outcome.FAILED: "nobody complained, and it was found all the same",
    Outcome.ESCALATED: "left to a person",
    Outcome.ABANDONED: "nobody knows what was promised",
    Outcome.UNCONFIRMED: "nothing speaks against it, and nothing shows it",
    Outcome.CONFIRMED: "nobody objected",
}


def what_happened(state: CaseState, outcome: Outcome, book: PolicyBook) -> str:
    """One case in a sentence: claimed -> found -> ended."""
    first = state.episodes[0]
    told = [_claimed(first, book), _found(first), _ended(state, outcome, book)]
    return " → ".join(part for part in told if part)


def _claimed(episode: Episode, book: PolicyBook) -> str:
    done = "; ".join(_did(action, book) for action in episode.actions)
    match episode.ending:
        case "resolved":
            return f"Claimed: {done or 'an answer, and no change'}"
        case "escalated":
            return f"Handed over{f', after: {done}' if done else ''}"
    return "Fell silent"


def _did(action: Action, book: PolicyBook) -> str:
    """What the policy book calls this action, with the arguments filled in."""
    described = book.outcomes.actions.get(action.name)
    does = described.does if described else action.name.replace("_", " ")
    return re.sub(r"\{args\.(\w+)\}", lambda m: str(action.arguments.get(m[1], m[0])), does)


def _found(episode: Episode) -> str:
    policy = ""
    if audit := episode.audit:
        broken = sorted({f.clause for f in audit.findings if f.verdict is Verdict.VIOLATION})
        policy = {
            Verdict.COMPLIANT: "no clause broken",
            Verdict.UNDETERMINED: "whether a clause is broken cannot be told",
            Verdict.VIOLATION: f"clause {', '.join(broken)} broken",
        }[audit.verdict]
    return ", ".join(part for part in (_seen(episode), policy) if part)


def _seen(episode: Episode) -> str:
    result = episode.verification
    if result is None or not (episode.actions or episode.ending == "resolved"):
        return ""
    differing = next((f for f in result.differing if f.held is False), None)
    if result.status is Verification.FAILED and differing:
        return f"not so: {_differs(differing)}"
    return "it is in the shop" if result.status is Verification.VERIFIED else f"cannot be verified: {result.note}"


def _differs(fact: FactCheck) -> str:
    return f"{fact.record} has {fact.field} {fact.found!r}, not {fact.expected!r}"


def _ended(state: CaseState, outcome: Outcome, book: PolicyBook) -> str:
    ends = [f"{f.kind} {f.value:g} {f.unit}" for f in state.feedback if f.value is not None]
    ends += [f"the customer comes back: “{r.reason}”" for r in state.reopens]
    ends += [f"the customer asks {_about(r.same_issue)}: “{r.reason}”" for r in state.recontacts]
    ends += [f"{o.reviewer} {_put_right(o.final, book)}: “{o.rationale}”" for o in state.overrides]
    return "; ".join(ends) or _QUIET.get(outcome, "")


def _put_right(final: FinalAction, book: PolicyBook) -> str:
    if final.kind == "actions":
        return f"puts it right ({'; '.join(_did(action, book) for action in final.actions)})"
    return "takes it back" if final.kind == "undo" else "finds nothing to do"


def _about(same_issue: bool) -> str:
    return "again" if same_issue else "about something else"
