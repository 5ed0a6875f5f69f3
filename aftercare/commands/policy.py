"""`aftercare policy`: check the books, explain what they say, replay stored cases under them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import httpx
from cyclopts import App, Parameter

from aftercare.commands.answering import Answer, AsJson, answered, wrong
from aftercare.commands.door import read_settings, store
from aftercare.commands.policy_check import check as check_books
from aftercare.commands.policy_explain import explain as explain_name
from aftercare.commands.policy_replay import Which
from aftercare.commands.policy_replay import replay as replay_cases
from aftercare.commands.policy_told import told
from aftercare.store.looking import registered
from aftercare.systems.records import Systems

ANSWERS_WITHIN = 10

policy = App(
    name="policy",
    help="Look at the policy books.\n\nExit code 0: done; 1: a book does not hold; 2: wrong input, or no store.",
)
Folder = Annotated[
    Path | None, Parameter(help="The folder of the books; else AFTERCARE_POLICIES, else those that are shipped.")
]


@policy.command
async def check(folder: Folder = None, *, json: AsJson = False) -> int:
    """Check every policy book: its files, its rules, and its worked examples."""

    async def work() -> Answer:
        return check_books(folder or read_settings().policies)

    return await answered(json, work())


@policy.command
async def explain(
    name: str | None = None, *, domain: str | None = None, folder: Folder = None, json: AsJson = False
) -> int:
    """What a book says of a clause, a rule or an action; without a name, all clauses with their rules.

    Parameters
    ----------
    name
        The id of a clause or a rule, or the name of an action.
    domain
        In this book only.
    """

    async def work() -> Answer:
        return explain_name(name, domain, folder or read_settings().policies)

    return await answered(json, work())


@policy.command
async def replay(
    *,
    domain: str | None = None,
    case: Annotated[tuple[str, ...], Parameter(negative=(), help="This case only; may be given again.")] = (),
    since: datetime | None = None,
    every_rule: Annotated[bool, Parameter(negative=())] = False,
    folder: Folder = None,
    json: AsJson = False,
) -> int:
    """Audit settled cases again under today's book, and show which verdicts change. Nothing is written anywhere.

    Their steps come from the store, the records as they stood before each receipt from the systems of record. Where
    these cannot be read any more, a case is not judged again, and is said not to be.

    Parameters
    ----------
    domain
        Cases of this domain only.
    since
        Cases opened since then; a time without a zone is the reader's own.
    every_rule
        Ask also the rules that came into force after a case was opened.
    """

    async def work() -> Answer:
        settings = read_settings()
        which = Which(domain, case, since.astimezone() if since else None, every_rule)
        async with store(settings) as cases, httpx.AsyncClient(timeout=ANSWERS_WITHIN) as http:
            unknown = set(case) - {row.case_id for row in await registered(cases, ids=case)}
            if unknown:
                raise wrong(*(f"no case {id!r} is registered" for id in sorted(unknown)))
            systems = Systems.over_http(settings.systems, http)
            return told(await replay_cases(cases, systems, which, folder or settings.policies))

    return await answered(json, work())
