"""What may be taken in: raw JSON becomes a message, or a list of everything that is wrong with it."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any, TypeVar, cast

from pydantic import ValidationError

from aftercare.lifecycle.digest import digest_of, held_of
from aftercare.lifecycle.state import CaseState, Conflict, Refused
from aftercare.messages.base import Message
from aftercare.messages.case import Case, CaseReport, Escalation, Proposal, Resolution, Steps
from aftercare.messages.evidence import Feedback, Recontact, Refusal, Reopen
from aftercare.messages.override import Clause, Override, TraceStep

SHOWN = 2_000

M = TypeVar("M", bound=Message)
S = TypeVar("S", bound=Steps | CaseReport)

LARGEST_EVIDENCE = 64 * 1024
LARGEST_REPORT = 512 * 1024

EVIDENCE: dict[str, type[Message]] = {
    "override": Override,
    "feedback": Feedback,
    "recontact": Recontact,
    "reopen": Reopen,
}

# What an agent, or a person whose case it is, reports.
REPORTS: dict[str, type[Message]] = {
    "registration": Case,
    "steps": Steps,
    "resolution": Resolution,
    "escalation": Escalation,
    "report": CaseReport,
    "proposal": Proposal,
}
MESSAGES = REPORTS | EVIDENCE
AGENT_WORDS = ("steps", "resolution", "escalation", "proposal")  # only an open case hears them

_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")  # in JSON, and not as text about it

# What a person is told when a part of the override is not there.
_PARTS = {
    "id": "id: an id of the sender's own, so that the same message is never counted twice",
    "reviewer": "reviewer: who is correcting the agent",
    "final": "final: what the person did instead; its kind is actions, undo or nothing_to_do",
    "corrected_intent": "corrected_intent: the right intent, or 'unchanged'",
    "rationale": "rationale: why, in a sentence",
    "deciding": "deciding: what decided it; its kind is clause, step or fact",
}


def parse(model: type[M], raw: Any) -> M:
    """The message in raw JSON. Raises Refused with every problem, in plain words."""
    if not isinstance(raw, dict):
        raise Refused([f"a JSON object is expected, and this is {type(raw).__name__}"])
    check_size(raw, LARGEST_EVIDENCE)
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise Refused([in_words(problem) for problem in error.errors()]) from None


def check_registration(state: CaseState, case: Case) -> None:
    """A case is registered once; the same again is welcome, anything else is refused."""
    if case.id != state.case_id:
        raise Refused([f"this is the workflow of case {state.case_id!r}, and the message is about {case.id!r}"])
    check_size(case.model_dump(mode="json"), LARGEST_REPORT)
    if state.case is None:
        return
    same = case if case.opened_at else case.model_copy(update={"opened_at": state.case.opened_at})
    if state.case != same:
        raise Conflict([f"case {case.id!r} is registered already, with other particulars"])


def check_size(body: Any, largest: int) -> None:
    """A message must be JSON, and not larger than what a case can carry with it. `largest` in bytes."""
    try:
        text = json.dumps(body, allow_nan=False, ensure_ascii=False, default=str)
        size = len(text.encode())
    except UnicodeEncodeError:
        raise Refused(["half a character (a lone surrogate) is no text"]) from None
    except ValueError:
        raise Refused(["NaN and Infinity are no JSON; leave an unknown value out"]) from None
    if _NUL.search(text):
        raise Refused(["a NUL character is no text: not every database keeps it"])
    if size > largest:
        raise Refused([f"this has {size / 1024:,.0f} kB; at most {largest / 1024:,.0f} kB are taken"])


class Unregistered(Refused):
    """Nobody registered the case: what was sent about it is kept, and may find its case later."""


def check_registered(state: CaseState) -> None:
    """Evidence is about a case that somebody registered."""
    if not state.registered:
        raise Unregistered([f"case {state.case_id!r} is not registered: there is nothing this could be about"])


def check_open(state: CaseState, message: Steps | Resolution | Any) -> None:
    """Only an agent whose turn it is may report steps or an ending."""
    check_registered(state)
    if not state.awaiting_agent:
        ending = state.episode.ending if state.episode else None
        said = f"it ended as {ending!r}" if ending else "its ending has been reported"
        raise Refused([f"it is not the agent's turn in case {state.case_id!r}: {said}, and nobody reopened it"])


def check_proposal(state: CaseState, proposal: Proposal) -> None:
    """An agent proposes where a person handles the case, before it sees what the person did."""
    check_registered(state)
    if state.case and state.case.handled_by != "human":
        raise Refused([f"case {state.case_id!r} is the agent's own: it resolves or escalates it, and proposes nothing"])
    if not state.awaiting_agent:
        raise Refused([f"case {state.case_id!r} has ended: what is proposed afterwards is no proposal"])


def as_held(batch: S) -> S:
    """The message with what is held of its steps in place of the steps. Raises Refused if it carries both."""
    if batch.held and batch.steps:
        raise Refused(["send the steps themselves or what is held of them in the store, not both"])
    told = {"steps": (), "held": held_of(batch.steps)} if batch.steps else {}
    return cast(S, batch.model_copy(update=told))


def digest_in_inbox(kind: str, raw: Any) -> str:
    """By what the same message is known again: the digest the case itself takes of it, where it can be read at all."""
    model = EVIDENCE.get(kind)
    try:
        return digest_of(parse(model, raw) if model else raw)
    except Refused:
        return digest_of(raw)


def refusal_of(kind: str, raw: Any, refused: Refused, at: datetime) -> Refusal:
    """What is kept of a message that was refused, beside what was taken in under the same id and never over it."""
    given = raw.get("id") if isinstance(raw, dict) else None
    named = isinstance(given, str) and re.fullmatch(r"[\w.:\-]{1,120}", given, re.ASCII)
    return Refusal(
        id=f"{given if named else 'unnamed'}~refused~{digest_of([kind, raw])[:12]}",
        kind=kind[:60],
        reasons=tuple(refused.reasons),
        body=raw if len(str(raw)) <= SHOWN else f"{str(raw)[:SHOWN]} ...",  # the store keeps it whole
        at=at,
    )


def check_override(state: CaseState, override: Override) -> None:
    """Everything the workflow can tell is wrong with an override, from the book's digest and the trace's length."""
    check_registered(state)
    problems = []
    if state.original_decision() is None and not (state.resolution or state.escalation):
        problems.append("the agent has not decided anything yet; wait for its resolution")
    deciding = override.deciding
    if isinstance(deciding, Clause) and state.book and deciding.clause not in state.book.clauses:
        known = ", ".join(state.book.clauses)
        problems.append(
            f"deciding: there is no clause {deciding.clause!r} in the {state.book.domain} policy book "
            f"{state.book.digest[:12]}; its clauses are {known}"
        )
    if isinstance(deciding, TraceStep) and deciding.step > state.steps.last:
        problems.append(f"deciding: there is no step {deciding.step}; the trace ends with step {state.steps.last}")
    if problems:
        raise Refused(problems)


def in_words(problem: Any) -> str:
    """One of pydantic's problems in plain words: where, what, and what was given where that is short."""
    path = [str(p) for p in problem["loc"] if p not in ("actions", "undo", "nothing_to_do", "clause", "step", "fact")]
    where = ".".join(path) or str(problem["loc"][-1] if problem["loc"] else "message")
    where = where.encode("utf-8", "backslashreplace").decode()  # a key of somebody's may be no text
    if problem["type"] in ("missing", "union_tag_not_found", "string_too_short"):
        return f"missing: {_PARTS.get(where, where)}"
    given = f" (given: {str(problem['input'])[:80]!r})" if not isinstance(problem["input"], dict | list) else ""
    return f"{where}: {problem['msg']}{given}"
