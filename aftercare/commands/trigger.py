"""`aftercare trigger`: which evidence starts which improvement, how near it is, and what has fired."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter, validators
from rich.text import Text

from aftercare.commands import trigger_dry_told, trigger_told
from aftercare.commands.answering import CODES, Answer, AsJson, answered, safe, wrong
from aftercare.commands.door import read_settings, store
from aftercare.commands.reading import message
from aftercare.commands.trigger_book import Book, edited, in_force, in_force_or_next
from aftercare.commands.trigger_dry_run import dry_run
from aftercare.commands.trigger_show import shown
from aftercare.commands.trigger_supervisor import ask
from aftercare.lifecycle.improvement_story import in_full
from aftercare.lifecycle.state import Refused
from aftercare.messages.base import Message
from aftercare.messages.improvement import CheckNow, Fired, FireNow, Pause, Resume, TriggerStanding
from aftercare.store.cases import Cases
from aftercare.store.history import sources
from aftercare.store.rehearsing import Past
from aftercare.store.supervised import last_checks
from aftercare.store.triggers import Triggers

trigger = App(name="trigger", help=f"Which evidence starts which improvement: look, try out, fire, pause.\n\n{CODES}")
AtLeastOne = Annotated[int, Parameter(validator=validators.Number(gte=1, lte=1_000))]
NOBODY = "cli"


@trigger.command(name="list")
async def list_rows(*, json: AsJson = False) -> int:
    """The rows of the book in force: what each counts, what it notices, what it starts."""

    async def work() -> Answer:
        book = await in_force_or_next(read_settings())
        document = {
            "digest": book.loaded.digest,
            "from": book.origin,
            **book.loaded.matrix.model_dump(mode="json"),
        }
        return Answer(document, list(trigger_told.rows_of(book)))

    return await answered(json, work())


@trigger.command
async def standing(*, agent: str | None = None, trigger: str | None = None, json: AsJson = False) -> int:
    """How near each row is to firing, as its last check left it: the statistic against its threshold, what waits.

    Parameters
    ----------
    agent
        Only this agent.
    trigger
        Only this row of the book; with an agent it is shown in full, group by group.
    """

    async def work() -> Answer:
        settings = read_settings()
        async with store(settings) as cases:
            book = await in_force(cases, settings)
            told = await _standings(cases, book, agent, trigger)
            checked = await last_checks(cases.database)
        document = [one.model_dump(mode="json") | {"checked_at": checked.get((one.agent, one.trigger))} for one in told]
        lines = list(trigger_told.standings(told, book.loaded.matrix.triggers, checked))
        return Answer(document, lines if told else [Text("No agent has cases yet.")])

    return await answered(json, work())


@trigger.command(name="dry-run")
async def rehearse(
    *,
    book: Path | None = None,
    agent: str | None = None,
    trigger: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    imported: str | None = None,
    json: AsJson = False,
) -> int:
    """Replay what happened against an edited book: what would have fired, when, and how else than by the one in force.

    Evidence is replayed in the order in which it came, whether it was counted or not; nothing is written, and nothing
    starts. What a baseline is learned from begins anew with the first piece that is replayed.

    Parameters
    ----------
    book
        The edited book; else the one in the folder of policies.
    agent
        Only this agent.
    trigger
        Only this row of the book.
    since
        Only evidence that came at this time or later; without a zone it is your own.
    until
        Only evidence that came before this time.
    imported
        Replay the history that was imported as this, instead of what happened here.
    """

    async def work() -> Answer:
        settings = read_settings()
        async with store(settings) as cases:
            tried, now = edited(book, settings), await in_force(cases, settings, agent)
            past = Past((), agent, _aware(since), _aware(until), await _source(cases, imported))
            done = await dry_run(cases, tried, now, past, trigger)
        return Answer(done.document(), list(trigger_dry_told.lines_of(done)))

    return await answered(json, work())


@trigger.command
async def firings(
    *, agent: str | None = None, trigger: str | None = None, limit: AtLeastOne = 20, json: AsJson = False
) -> int:
    """What has fired, the newest first.

    Parameters
    ----------
    agent
        Only this agent.
    trigger
        Only this row of the book.
    limit
        At most so many.
    """

    async def work() -> Answer:
        async with store(read_settings()) as cases:
            told = await Triggers(cases.database).firings(agent, trigger, limit)
        more = [Text(f"the newest {limit}; --limit shows more")] if len(told) == limit else []
        return Answer(told, [*trigger_told.firings(told), *more] if told else [Text("Nothing has fired.")])

    return await answered(json, work())


@trigger.command
async def show(firing: str, *, json: AsJson = False) -> int:
    """A firing in full: why, what became of its evidence, what that says, and where its improvement is to be seen.

    Parameters
    ----------
    firing
        Its id: AGENT/ROW/CYCLE.
    """

    async def work() -> Answer:
        async with store(read_settings()) as cases:
            return await shown(cases, firing)

    return await answered(json, work())


@trigger.command
async def fire(agent: str, trigger: str, *, by: str, reason: str, json: AsJson = False) -> int:
    """Fire a row that is not due, with what evidence there is, whatever cooldown and budget say.

    Refused while an improvement of the row is under way, and where no evidence waits.

    Parameters
    ----------
    agent
        Whose row.
    trigger
        Which row of the book.
    by
        Who fires it; the firing names you.
    reason
        Why, in a sentence.
    """

    async def work() -> Answer:
        asked = message(FireNow, {"by": by, "reason": reason})
        fired = await ask(read_settings(), agent, trigger, "fire", asked, Fired)
        if fired.firing is None:
            raise Refused([fired.note])
        told = fired.firing
        lines = [
            Text.assemble(("fired", "green"), safe(f": {told.id}, {told.cases:,} cases, {told.pieces:,} pieces")),
            Text(safe(f"  starts {in_full(told.work)}; `aftercare trigger show {told.id}` follows it")),
        ]
        return Answer(fired, lines)

    return await answered(json, work())


@trigger.command
async def check(agent: str, trigger: str, *, by: str = NOBODY, json: AsJson = False) -> int:
    """Have a supervisor look now, and fire where that is due.

    Parameters
    ----------
    agent
        Whose row.
    trigger
        Which row of the book.
    by
        Who asks.
    """
    return await _ask(json, agent, trigger, "check_now", CheckNow, {"by": by}, "checked")


@trigger.command
async def pause(agent: str, trigger: str, *, by: str, reason: str = "", json: AsJson = False) -> int:
    """Let a row start nothing until somebody says so. Its evidence is counted on, and what runs goes on.

    Parameters
    ----------
    agent
        Whose row.
    trigger
        Which row of the book.
    by
        Who pauses it.
    reason
        Why, in a sentence.
    """
    told = {"by": by, "reason": reason}
    return await _ask(json, agent, trigger, "pause", Pause, told, "paused")


@trigger.command
async def resume(agent: str, trigger: str, *, by: str, json: AsJson = False) -> int:
    """Let a paused row go on. What became due meanwhile fires at once.

    Parameters
    ----------
    agent
        Whose row.
    trigger
        Which row of the book.
    by
        Who lets it go on.
    """
    return await _ask(json, agent, trigger, "resume", Resume, {"by": by}, "goes on")


async def _ask(
    json: bool, agent: str, trigger: str, update: str, form: type[Message], given: dict[str, str], done: str
) -> int:
    async def work() -> Answer:
        asked = message(form, given)
        told = await ask(read_settings(), agent, trigger, update, asked, TriggerStanding)
        counted = f", {told.counted:,} new pieces counted" if done == "checked" else ""
        return Answer(told, list(trigger_told.standing_now(told, f"{done}: {trigger}, agent {agent}{counted}")))

    return await answered(json, work())


async def _standings(cases: Cases, book: Book, agent: str | None, trigger: str | None) -> list[TriggerStanding]:
    triggers, rows = Triggers(cases.database), book.loaded.matrix.triggers
    agents = await triggers.agents()
    if agent and agent not in agents:
        raise Refused([f"no case of agent {agent} is registered; there are cases of {', '.join(agents) or 'no agent'}"])
    chosen, now = list(book.chosen(trigger)), datetime.now(UTC)
    return [
        await triggers.standing(one, name, rows[name], now) for one in ([agent] if agent else agents) for name in chosen
    ]


async def _source(cases: Cases, imported: str | None) -> str | None:
    if imported is None:
        return None
    there = await sources(cases)
    if imported not in there:
        raise wrong(f"nothing was imported as {imported}; there are {', '.join(there) or 'no imports'}")
    return imported


def _aware(at: datetime | None) -> datetime | None:
    try:
        return at.astimezone() if at else None
    except (OverflowError, ValueError, OSError):
        raise wrong("since and until must be times that a clock can show") from None
