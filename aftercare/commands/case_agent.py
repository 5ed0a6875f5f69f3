"""What an agent reports of a case: it takes it up, takes steps, and resolves it or hands it over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter
from rich.text import Text

from aftercare.commands import reading
from aftercare.commands.answering import Answer, AsJson, NotAsked, answered, safe, wrong
from aftercare.commands.door import Door, opened, patiently
from aftercare.delivery import NotOpen
from aftercare.messages.case import Action, Case, Escalation, Receipt, Resolution, Step, StepKind, Steps

EVERY_STEP = 1_000_000
AGAIN = "whether it was taken in is not known; the same command again sends the same message, and counts once"
HELD = "it is held in the inbox as {}, and is delivered once a worker and Temporal answer"
Actions = Annotated[
    tuple[str, ...],
    Parameter(
        name="--action",
        negative=(),
        show_default=False,
        help="name={...arguments as JSON}, or the whole action as a JSON object.",
    ),
]
From = Annotated[
    str | None,
    Parameter(name="--from", allow_leading_hyphen=True, help="Read the rest from this JSON; - for the standard input."),
]
GivenId = Annotated[str | None, Parameter(name="--id", help="The message's id; made of its content where not given.")]

agent_verbs = App()


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class StepOptions:
    """One step, by options."""

    number: Annotated[int | None, Parameter(help="Its number within the case, counted from 1.")] = None
    kind: Annotated[StepKind | None, Parameter(help="What the agent did.")] = None
    name: Annotated[str | None, Parameter(help="The tool, where it used one.")] = None
    input: Annotated[str | None, Parameter(help="The tool's arguments, as JSON.")] = None
    output: Annotated[str | None, Parameter(help="What the tool gave, as JSON.")] = None
    heard: Annotated[str | None, Parameter(help="What the customer said before it.")] = None
    said: Annotated[str | None, Parameter(help="What the agent said with it.")] = None
    error: Annotated[str | None, Parameter(help="The refusal or fault it met.")] = None
    receipt: Annotated[str | None, Parameter(help="The system of record's own name for the operation.")] = None
    confidence: float | None = None
    latency: Annotated[float | None, Parameter(help="In seconds.")] = None
    tokens: int | None = None
    cost: float | None = None
    state: Annotated[str | None, Parameter(help="The agent's own state, as JSON.")] = None
    at: datetime | None = None


@agent_verbs.command(name="open")
async def open_case(
    case_id: str,
    *,
    agent: str,
    domain: str,
    release: str | None = None,
    channel: str | None = None,
    customer: str | None = None,
    intent: str | None = None,
    environment: str | None = None,
    handled_by: Literal["agent", "human"] | None = None,
    ticket: str | None = None,
    contact: str | None = None,
    json: AsJson = False,
) -> int:
    """An agent takes up a case, or a person's case is announced. The same again changes nothing.

    Parameters
    ----------
    domain
        The policy book it falls under.
    release
        The agent's release.
    customer
        The customer, as the systems of record name them.
    environment
        The copy of the systems of record the case acts on; the live ones where not given.
    handled_by
        Whose case it is: an agent's, unless told otherwise, or a person's, in which the agent only proposes.
    ticket
        The helpdesk's name for it, by which its webhooks find it (zendesk:4711).
    contact
        Where the customer is asked how it went (mailto:...).
    """
    told = reading.given(
        id=case_id,
        agent=agent,
        domain=domain,
        release=release,
        channel=channel,
        customer=customer,
        intent=intent,
        environment=environment,
        handled_by=handled_by,
        ticket=ticket,
        contact=contact,
    )

    async def work() -> Answer:
        case = reading.message(Case, told)
        async with opened() as door:
            return taken(await patiently(door.gateway.register(case), AGAIN), f"case {case.id} is open")

    return await answered(json, work())


@agent_verbs.command
async def step(
    case_id: str,
    source: Annotated[
        str | None, Parameter(allow_leading_hyphen=True, help="A file of steps as JSON; - for the standard input.")
    ] = None,
    *,
    options: StepOptions | None = None,
    id: GivenId = None,
    json: AsJson = False,
) -> int:
    """Record steps of the agent's trace: from JSON, or one step by options; both together where there is one.

    The JSON is a step, a list of steps, a step a line, or a whole batch ({"id": ..., "steps": [...]}).
    """

    async def work() -> Answer:
        batch = _batch(source, options, id)
        async with opened() as door:
            sending = door.gateway.record_steps(case_id, batch)
            receipt = await patiently(sending, HELD.format(batch.id), id=batch.id, case_id=case_id, held=True)
        return taken(receipt, "1 step" if len(batch.steps) == 1 else f"{len(batch.steps)} steps")

    return await answered(json, work())


@agent_verbs.command
async def resolve(
    case_id: str,
    *,
    intent: str | None = None,
    confidence: float | None = None,
    action: Actions = (),
    from_: From = None,
    reply: str | None = None,
    at: datetime | None = None,
    id: GivenId = None,
    json: AsJson = False,
) -> int:
    """The agent claims that the case is resolved, and what it did.

    An action that is a step of the trace word for word is given that step's number and receipt. The id is made of
    the content and the episode: the same again counts once, and once more after a reopening.
    """
    told = reading.given(intent=intent, confidence=confidence, reply=reply, at=reading.moment(at))

    async def work() -> Answer:
        raw = _ending(told, action, from_)
        reading.message(Resolution, {"id": "not-yet", **raw})
        async with opened() as door:
            whole = await _whole(door, case_id, "resolution", raw, id)
            resolution = reading.message(Resolution, whole)
            receipt = await patiently(door.gateway.resolve(case_id, resolution), AGAIN, id=resolution.id)
        return taken(receipt, "the agent's resolution", resolution.actions)

    return await answered(json, work())


@agent_verbs.command
async def escalate(
    case_id: str,
    *,
    reason: str | None = None,
    intent: str | None = None,
    confidence: float | None = None,
    action: Actions = (),
    from_: From = None,
    at: datetime | None = None,
    id: GivenId = None,
    json: AsJson = False,
) -> int:
    """The agent hands over to a person. What it had done already is verified and audited all the same.

    Parameters
    ----------
    reason
        Why, in its own words.
    """
    told = reading.given(reason=reason, intent=intent, confidence=confidence, at=reading.moment(at))

    async def work() -> Answer:
        raw = _ending(told, action, from_)
        reading.message(Escalation, {"id": "not-yet", **raw})
        async with opened() as door:
            whole = await _whole(door, case_id, "escalation", raw, id)
            escalation = reading.message(Escalation, whole)
            receipt = await patiently(door.gateway.escalate(case_id, escalation), AGAIN, id=escalation.id)
        return taken(receipt, "the agent's handing over", escalation.actions)

    return await answered(json, work())


def taken(receipt: Receipt, what: str, actions: tuple[Action, ...] = ()) -> Answer:
    """A receipt, for both kinds of readers."""
    lines = [Text.assemble(("taken in", "green"), f": {safe(what)}"), Text(f"  receipt {receipt.id}")]
    lines += [Text(f"  release {safe(receipt.release)}")] if receipt.release else []
    lines += [Text(f"  {safe(receipt.note)}")] if receipt.note else []
    lines += [Text(f"  {safe(a.name)}: step {a.step}, receipt {a.receipt or 'none'}") for a in actions if a.step]
    return Answer(receipt, lines)


def _batch(source: str | None, options: StepOptions | None, id: str | None) -> Steps:
    typed = _typed(options)
    if source is None and not typed:
        raise wrong("give a file of steps, - for the standard input, or a step by options (--number, --kind, ...)")
    raw = reading.json_from(source) if source else {}
    named = raw.get("id") if isinstance(raw, dict) and "steps" in raw else None
    steps = raw["steps"] if isinstance(raw, dict) and "steps" in raw else raw if isinstance(raw, list) else [raw]
    if typed:
        if len(steps) != 1 or not isinstance(steps[0], dict):
            raise wrong(f"options describe one step, and {source} holds {len(steps)}")
        steps = [steps[0] | typed]
    if not steps:
        raise wrong(f"{source} holds no step")
    whole = reading.message(Steps, {"id": "not-yet", "steps": steps})
    content = [s.model_dump(mode="json") for s in whole.steps]
    return reading.message(Steps, {"id": id or named or reading.id_by_content("steps", content), "steps": steps})


def _typed(options: StepOptions | None) -> dict[str, Any]:
    if options is None:
        return {}
    parsed = {name: reading.json_value(f"--{name}", getattr(options, name)) for name in ("input", "output", "state")}
    rest = reading.given_of(replace(options, input=None, output=None, state=None))
    return rest | reading.given(**parsed) | reading.given(at=reading.moment(options.at))


def _ending(told: dict[str, Any], action: tuple[str, ...], source: str | None) -> dict[str, Any]:
    """What is in the file, with what was typed over it."""
    raw = reading.json_from(source) if source else {}
    raw = {"actions": raw} if isinstance(raw, list) else raw
    if not isinstance(raw, dict):
        raise wrong(f"{source}: a JSON object, or a list of actions, is expected")
    typed = reading.actions("--action", action)
    if typed and raw.get("actions"):
        raise wrong("give the actions by --action or in the file, not both")
    return raw | told | ({"actions": typed} if typed else {})


async def _whole(door: Door, case_id: str, kind: str, raw: dict[str, Any], id: str | None) -> dict[str, Any]:
    """The message with its id, and its actions as the trace knows them."""
    steps = await door.cases.steps(case_id, EVERY_STEP)
    actions = [_known(a, steps) for a in raw.get("actions", ())]
    whole = raw | ({"actions": actions} if actions else {})
    named = id or raw.get("id")
    return whole | {"id": named or reading.id_by_content(kind, await _episode(door, case_id), whole)}


def _known(action: dict[str, Any], steps: list[Step]) -> dict[str, Any]:
    acts = [s for s in steps if s.kind is StepKind.ACT and s.error is None and s.name == action.get("name")]
    same = [s for s in acts if s.input == action.get("arguments", {})]
    if len(same) != 1 or "step" in action or "receipt" in action:
        return action
    return action | reading.given(step=same[0].number, receipt=same[0].receipt)


async def _episode(door: Door, case_id: str) -> int:
    """Which episode is under way, so that the same words after a reopening are another message."""
    try:
        return len((await patiently(door.gateway.snapshot(case_id), AGAIN)).episodes)
    except NotOpen:
        return 0  # the case itself will say that it is not open
    except NotAsked as error:
        raise NotAsked(error.error, [error.reasons[0], "nothing was sent", *error.reasons[2:]]) from None
