"""`aftercare review`: what people are asked to look at, and what they decide."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from cyclopts import App, Parameter, validators
from rich.text import Text

from aftercare.commands import review_told
from aftercare.commands.answering import CODES, Answer, AsJson, answered, hung, safe, wrong
from aftercare.commands.case_look import EVERY_STEP, seen_of
from aftercare.commands.door import read_settings, store
from aftercare.commands.known import known_agent, known_intent
from aftercare.commands.reading import message
from aftercare.messages.base import Message
from aftercare.messages.improvement import By
from aftercare.messages.reviews import UNCHANGED, Decision, ReviewStanding
from aftercare.store.reviews import Item, Reviews, in_words

review = App(name="review", help=f"Cases to be judged by a person: list, show, decide.\n\n{CODES}")
Flag = Annotated[bool, Parameter(negative=(), show_default=False)]
Open = Annotated[bool, Parameter(name="--open", negative=(), show_default=False)]
All = Annotated[bool, Parameter(name="--all", negative=(), show_default=False)]
AtLeastOne = Annotated[int, Parameter(validator=validators.Number(gte=1, lte=1_000))]


class _Somebody(Message):
    by: By


@review.command(name="list")
async def list_items(
    *,
    kind: str | None = None,
    agent: str | None = None,
    open_: Open = False,
    decided: Flag = False,
    all_: All = False,
    limit: AtLeastOne = 50,
    json: AsJson = False,
) -> int:
    """The review items: first those that can be judged, the oldest before the others.

    Parameters
    ----------
    kind
        Only items of this kind: audit, a case drawn at random.
    agent
        Only cases of this agent.
    open_
        What waits for somebody; that is what is listed unless told otherwise.
    decided
        What was decided.
    all_
        Those too whose customer was erased.
    limit
        At most so many.
    """

    async def work() -> Answer:
        if open_ + decided + all_ > 1:
            raise wrong("one of --open, --decided and --all")
        standing = None if all_ else ReviewStanding.DECIDED if decided else ReviewStanding.OPEN
        async with store(read_settings()) as cases:
            await known_agent(cases, agent)
            items = await Reviews(cases.database).items(kind, agent, standing, limit)
        more = [Text(f"the first {limit}; --limit shows more")] if len(items) == limit else []
        told = review_told.table(items) if items else Text("there is nothing to review")
        return Answer([review_told.document(item) for item in items], [told, *more])

    return await answered(json, work())


@review.command
async def show(id: str, *, json: AsJson = False) -> int:
    """The case of an item, as somebody who judges it is to see it: without what others made of it.

    Parameters
    ----------
    id
        The item's id: audit/ and the id of the case.
    """

    async def work() -> Answer:
        async with store(read_settings()) as cases:
            item = await Reviews(cases.database).find(id)
            seen = await seen_of(cases, item.row.case_id)
            trace = await cases.steps(item.row.case_id, EVERY_STEP)
        judged = review_told.Judged(item, seen, trace)
        return Answer(judged.document(), [hung(line) for line in judged.lines()])

    return await answered(json, work())


@review.command
async def decide(
    id: str,
    *,
    by: str,
    right: Flag = False,
    wrong_: Annotated[bool, Parameter(name="--wrong", negative=(), show_default=False)] = False,
    unknown: Flag = False,
    intent: str | None = None,
    new_intent: Flag = False,
    note: str = "",
    json: AsJson = False,
) -> int:
    """Say whether the agent was right: one of --right, --wrong and --unknown. It counts once.

    The label is evidence of its own, and nothing is ever trained on it.

    Parameters
    ----------
    id
        The item's id: audit/ and the id of the case.
    by
        Who decides.
    right
        What the agent took the case for was right, and so was what it did and said.
    wrong_
        One of them was not.
    unknown
        Nobody can tell.
    intent
        The right intent, or "unchanged" where the agent's is right though what it did is not.
    new_intent
        Take an intent that no case of the agent has yet.
    note
        Why, in a sentence.
    """

    async def work() -> Answer:
        if right + wrong_ + unknown != 1:
            raise wrong("one of --right, --wrong and --unknown")
        verdict = None if unknown else right
        decision = message(Decision, {"by": by, "right": verdict, "intent": intent, "note": note})
        async with store(read_settings()) as cases:
            if decision.intent not in (None, UNCHANGED) and not new_intent:
                await known_intent(cases, (await Reviews(cases.database).find(id)).row.agent, decision.intent)
            row = await Reviews(cases.database).decide(id, decision, datetime.now(UTC))
        told = Text.assemble(("decided", "green"), safe(f": {row.id} is {in_words(row.decision)}"))
        return Answer(review_told.document(Item(row, ready=True)), [told])

    return await answered(json, work())


@review.command
async def reopen(id: str, *, by: str, json: AsJson = False) -> int:
    """Open a decided item again: its label is taken back, and what was decided is kept with the item.

    Parameters
    ----------
    id
        The item's id.
    by
        Who opens it again.
    """

    async def work() -> Answer:
        somebody = message(_Somebody, {"by": by})
        async with store(read_settings()) as cases:
            row = await Reviews(cases.database).reopen(id, somebody.by, datetime.now(UTC))
        told = Text.assemble(("open again", "yellow"), safe(f": {row.id}"))
        return Answer(review_told.document(Item(row, ready=True)), [told])

    return await answered(json, work())


@review.command
async def agreement(*, agent: str | None = None, json: AsJson = False) -> int:
    """In which share of the audited cases the agent was right, by agent and intent, with a 95% interval (Wilson).

    Parameters
    ----------
    agent
        Only cases of this agent.
    """

    async def work() -> Answer:
        async with store(read_settings()) as cases:
            await known_agent(cases, agent)
            figures = review_told.agreement(await Reviews(cases.database).audited(agent))
        none = Text("no case was drawn yet")
        return Answer(figures, [review_told.agreement_table(figures) if figures else none])

    return await answered(json, work())
