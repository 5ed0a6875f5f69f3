"""What people and customers send about a case: a correction, feedback, a second contact, a reopening."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.text import Text

from aftercare.commands import reading
from aftercare.commands.answering import Answer, AsJson, answered, safe, wrong
from aftercare.commands.case_agent import HELD, Actions, From, GivenId, taken
from aftercare.commands.door import Door, opened, patiently
from aftercare.lifecycle.digest import digest_of
from aftercare.lifecycle.intake import EVIDENCE
from aftercare.lifecycle.state import Refused
from aftercare.messages.case import Receipt
from aftercare.messages.evidence import Family
from aftercare.messages.override import Override
from aftercare.messages.work import Standing
from aftercare.store.tables import EvidenceRow

LOOKS, PAUSE = 15, 0.2

people_verbs = App()
Flag = Annotated[bool, Parameter(negative=(), show_default=False)]


@people_verbs.command
async def override(
    case_id: str,
    *,
    reviewer: str | None = None,
    rationale: str | None = None,
    corrected_intent: str | None = None,
    clause: str | None = None,
    step: int | None = None,
    fact: str | None = None,
    undo: Flag = False,
    nothing_to_do: Flag = False,
    action: Actions = (),
    from_: From = None,
    at: datetime | None = None,
    id: GivenId = None,
    json: AsJson = False,
) -> int:
    """A person corrects the agent, while the case runs or after it has settled. Taken whole or not at all.

    What the person did: --undo, --nothing-to-do, or --action (one or more). What decided it: --clause, --step or
    --fact. The id is made of the content: the same again counts once.

    Parameters
    ----------
    reviewer
        Who corrects it.
    rationale
        Why, in a sentence.
    corrected_intent
        The right intent, or "unchanged".
    clause
        The clause of the case's policy book that decided it.
    step
        The step of the trace that decided it.
    fact
        The fact that decided it: system,record,field,expected,found.
    undo
        What the agent did was taken back.
    nothing_to_do
        Nothing had to be done.
    """
    told = reading.given(
        reviewer=reviewer, rationale=rationale, corrected_intent=corrected_intent, at=reading.moment(at)
    )

    async def work() -> Answer:
        raw = _from_file(from_) | told | _final(undo, nothing_to_do, action) | _deciding(clause, step, fact)
        raw["id"] = id or raw.get("id") or reading.id_by_content("override", case_id, raw)
        reading.evidence(Override, raw)
        async with opened() as door:
            held = HELD.format(raw["id"])
            receipt = await patiently(door.gateway.override(case_id, raw), held, id=raw["id"], held=True)
        return taken(receipt, "the correction")

    return await answered(json, work())


@people_verbs.command
async def feedback(
    case_id: str,
    *,
    kind: str,
    value: float | None = None,
    unit: str | None = None,
    comment: str | None = None,
    family: Family | None = None,
    source: str | None = None,
    payload: Annotated[str | None, Parameter(help="Anything else, as a JSON object.")] = None,
    at: datetime | None = None,
    id: GivenId = None,
    json: AsJson = False,
) -> int:
    """A piece of feedback about a case.

    The id is made of the content and today's date (UTC): the same again counts once a day.

    Parameters
    ----------
    kind
        What it is: csat, ces, thumbs, resolved, ...
    value
        Its value; an unknown one is left out, never zero.
    family
        Which of the six families; explicit where not given.
    source
        Where it comes from.
    """
    told = reading.given(
        kind=kind, value=value, unit=unit, comment=comment, family=family, source=source, at=reading.moment(at)
    )

    async def work() -> Answer:
        return await _signal(case_id, "feedback", told | reading.given(payload=_object(payload)), id)

    return await answered(json, work())


@people_verbs.command
async def recontact(
    case_id: str,
    *,
    other_issue: Flag = False,
    channel: str | None = None,
    reason: str | None = None,
    at: datetime | None = None,
    id: GivenId = None,
    json: AsJson = False,
) -> int:
    """The customer wrote again. About the same issue it counts against the resolution.

    The id is made of the content and today's date (UTC): the same again counts once a day.

    Parameters
    ----------
    other_issue
        It was about something else.
    """
    told = reading.given(channel=channel, reason=reason, at=reading.moment(at)) | {"same_issue": not other_issue}
    return await answered(json, _signal(case_id, "recontact", told, id))


@people_verbs.command
async def reopen(
    case_id: str,
    *,
    reason: str,
    source: str | None = None,
    at: datetime | None = None,
    id: GivenId = None,
    json: AsJson = False,
) -> int:
    """The case is opened again: the watch ends early, and a new episode begins.

    The id is made of the content and today's date (UTC): the same again counts once a day.

    Parameters
    ----------
    reason
        Why, in a sentence.
    source
        Who or what opened it.
    """
    told = reading.given(reason=reason, source=source, at=reading.moment(at))
    return await answered(json, _signal(case_id, "reopen", told, id))


async def _signal(case_id: str, kind: str, told: dict[str, Any], id: str | None) -> Answer:
    """Sent, held, and watched for a moment for what the case makes of it."""
    raw = told | {"id": id or reading.id_of_today(kind, case_id, told)}
    reading.evidence(EVIDENCE[kind], raw)
    async with opened() as door:
        sending = door.gateway.signal(case_id, kind, raw)
        receipt = await patiently(sending, HELD.format(raw["id"]), id=raw["id"], held=True)
        return await _became(door, receipt, kind, raw)


async def _became(door: Door, receipt: Receipt, kind: str, raw: dict[str, Any]) -> Answer:
    row = await door.cases.inbox.find(receipt.case_id, receipt.id)
    for _ in range(LOOKS):
        if row is None or row.standing != Standing.WAITING:
            break
        await asyncio.sleep(PAUSE)
        row = await door.cases.inbox.find(receipt.case_id, receipt.id)
    if row is None:
        raise Refused(await _reasons(door, receipt, raw))
    known = await door.cases.find(receipt.case_id) is not None
    answer = taken(receipt, kind) if row.accepted else _held(receipt, kind, row, known)
    document = receipt.model_dump(mode="json") | {"standing": row.standing, "registered": known}
    return Answer(document, answer.lines)


def _held(receipt: Receipt, kind: str, row: EvidenceRow, known: bool) -> Answer:
    why = "the case takes it in as soon as a worker answers"
    if not known:
        why = f"nobody has registered case {receipt.case_id}; it waits for that, and `aftercare case orphans` lists it"
    told = Text.assemble(("held", "yellow"), f": {kind} lies in the inbox ({row.standing})")
    return Answer(receipt, [told, Text(f"  receipt {receipt.id}"), Text(f"  {safe(why)}")])


async def _reasons(door: Door, receipt: Receipt, raw: dict[str, Any]) -> list[str]:
    """Why the case would not have it: what was refused is kept under an id of its own."""
    refused = [r for r in await door.cases.inbox.of_case(receipt.case_id) if r.standing == Standing.REFUSED]
    mine = [r for r in refused if r.id.startswith(f"{receipt.id}~") and digest_of(r.body) == digest_of(raw)]
    return list(mine[-1].reasons) if mine else ["the case refused it; `aftercare case show` tells why"]


def _from_file(source: str | None) -> dict[str, Any]:
    raw = reading.json_from(source) if source else {}
    if isinstance(raw, list):
        return {"final": {"kind": "actions", "actions": raw}}
    if not isinstance(raw, dict):
        raise wrong(f"{source}: a JSON object, or a list of actions, is expected")
    return raw


def _final(undo: bool, nothing: bool, action: tuple[str, ...]) -> dict[str, Any]:
    if undo + nothing + bool(action) > 1:
        raise wrong("what the person did is one of --undo, --nothing-to-do and --action")
    if action:
        return {"final": {"kind": "actions", "actions": reading.actions("--action", action)}}
    return {"final": {"kind": "undo" if undo else "nothing_to_do"}} if undo or nothing else {}


def _deciding(clause: str | None, step: int | None, fact: str | None) -> dict[str, Any]:
    forms: list[dict[str, Any]] = []
    forms += [{"kind": "clause", "clause": clause}] if clause is not None else []
    forms += [{"kind": "step", "step": step}] if step is not None else []
    forms += [reading.fact(fact)] if fact is not None else []
    if len(forms) > 1:
        raise wrong("what decided it is one of --clause, --step and --fact")
    return {"deciding": forms[0]} if forms else {}


def _object(payload: str | None) -> dict[str, Any] | None:
    value = reading.json_value("--payload", payload)
    if value is not None and not isinstance(value, dict):
        raise wrong("--payload: a JSON object is expected")
    return value
