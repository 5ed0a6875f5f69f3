"""`aftercare trigger`: which evidence starts which improvement, how near it is, and what has fired."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter, validators
from rich.console import RenderableType
from rich.text import Text

from aftercare.commands import trigger_dry_told, trigger_told
from aftercare.commands.answering import CODES, Answer, AsJson, Hanging, answered, safe, wrong
from aftercare.commands.door import read_settings, store
from aftercare.commands.known import known_agent
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
            "problems": list(book.problems),
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
            checked = await last_checks(cases.database)
            told = await _standings(cases, book, agent, trigger, checked)
        more = {"book_problems": list(book.problems)}
        at = [{"checked_at": checked.get((one.agent, one.trigger))} for one in told]
        document = [one.model_dump(mode="json") | of | more for one, of in zip(told, at, strict=True)]
        lines: list[RenderableType] = [*trigger_told.problems_of(book), *trigger_told.standings(told, book, checked)]
        if not told:
            lines.append(Text("No agent has cases yet."))
        return Answer(document, lines)

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
            if not imported:  # there it picks a person, of whom no case need be registered
                await known_agent(cases, agent)
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
        settings = read_settings()
        async with store(settings) as cases:
            await known_agent(cases, agent)
            told = await Triggers(cases.database).firings(agent, trigger, limit)
            if trigger and not told:
                (await in_force(cases, settings)).row(trigger)
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
        lines: list[RenderableType] = [
            Text.assemble(("fired", "green"), safe(f": {told.id}, {told.cases:,} cases, {told.pieces:,} pieces")),
            Hanging("  starts ", f"{in_full(told.work)}; `aftercare trigger show {told.id}` follows it"),
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


async def _standings(
    cases: Cases, book: Book, agent: str | None, trigger: str | None, checked: trigger_told.Checked
) -> list[TriggerStanding]:
    triggers, rows = Triggers(cases.database), book.loaded.matrix.triggers
    await known_agent(cases, agent)
    agents, now = [agent] if agent else await triggers.agents(), datetime.now(UTC)
    lost = [key for key in sorted(checked) if key[0] in agents and key[1] not in rows and trigger in (None, key[1])]
    chosen = [] if trigger and lost else book.chosen(trigger)
    wanted = sorted([*((one, name) for one in agents for name in chosen), *lost], key=lambda key: agents.index(key[0]))
    return [await triggers.standing(one, name, rows.get(name), now) for one, name in wanted]


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
