"""Looking at cases: one whole, many in a list, and what came in about cases that nobody registered."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Literal

from cyclopts import App, Parameter, validators
from rich.table import Table
from rich.text import Text
from temporalio.exceptions import TemporalError

from aftercare.commands.answering import Answer, AsJson, NotAsked, answered, safe, to_people
from aftercare.commands.case_agent import HELD, taken
from aftercare.commands.case_listing import Indexed, Wanted, document, found, table
from aftercare.commands.case_story import coloured, local, story
from aftercare.commands.door import opened, patiently, read_settings, store, temporal
from aftercare.commands.reading import given, message
from aftercare.delivery import NoAnswerYet, NotOpen
from aftercare.gateway import Gateway
from aftercare.lifecycle.outcome import snapshot_of
from aftercare.lifecycle.state import CaseState, Refused
from aftercare.messages.case import Case, StepsHeld
from aftercare.messages.outcome import Outcome, Snapshot, Stage
from aftercare.messages.policy import Finding, Verdict
from aftercare.store.cases import Cases
from aftercare.store.looking import findings_of_case
from aftercare.store.tables import EvidenceRow

QUERY_PATIENCE = 5.0
EVERY_STEP = 1_000_000
AtLeastOne = Annotated[int, Parameter(validator=validators.Number(gte=1, lte=1_000))]

look_verbs = App()


@look_verbs.command
async def show(case_id: str, *, json: AsJson = False) -> int:
    """A case's whole story, as it stands; from the store where no worker answers."""

    async def work() -> Answer:
        async with store(read_settings()) as cases:
            return _shown(await seen_of(cases, case_id))

    return await answered(json, work())


@look_verbs.command(name="list")
async def list_cases(
    *,
    outcome: Outcome | None = None,
    stage: Indexed | None = None,
    agent: str | None = None,
    verdict: Verdict | None = None,
    intent: str | None = None,
    limit: AtLeastOne = 20,
    json: AsJson = False,
) -> int:
    """Cases by what is known of them, the newest first.

    Parameters
    ----------
    outcome
        How the case ended, or will end unless somebody objects.
    stage
        resolving (until the watch begins), watching (also when opened again, until it settles anew) or settled.
    verdict
        What the policy audit of the first episode came to.
    limit
        At most so many.
    """

    async def work() -> Answer:
        wanted = message(Wanted, given(outcome=outcome, stage=stage, agent=agent, verdict=verdict, intent=intent))
        lines = await found(await temporal(), wanted, limit)
        more = [Text(f"the newest {limit}; --limit shows more")] if len(lines) == limit else []
        return Answer(
            document(lines), [table(lines, to_people().width), *more] if lines else [Text("no case is like that")]
        )

    return await answered(json, work())


@look_verbs.command
async def orphans(*, json: AsJson = False) -> int:
    """What was sent about cases that nobody registered. `attach` gives it to the case it was meant for."""

    async def work() -> Answer:
        async with store(read_settings()) as cases:
            rows = await cases.inbox.orphans()
        return Answer([_row(r) for r in rows], [_orphans(rows) if rows else Text("there are no orphans")])

    return await answered(json, work())


@look_verbs.command
async def attach(case_id: str, evidence_id: str, *, to: str, json: AsJson = False) -> int:
    """Give an orphan to the case it was meant for.

    Parameters
    ----------
    case_id
        The case it was sent about.
    evidence_id
        Its own id.
    to
        The case it was meant for.
    """

    async def work() -> Answer:
        async with opened() as door:
            attaching = door.gateway.attach(case_id, evidence_id, to)
            return taken(await patiently(attaching, HELD.format(evidence_id)), f"{evidence_id}, now of case {to}")

    return await answered(json, work())


@dataclass(frozen=True)
class Seen:
    """A case as it was found: by its own word, or as the store keeps it settled, or not settled."""

    snapshot: Snapshot
    source: Literal["case", "settled in the store", "open in the store", "erased"]
    findings: dict[int, list[Finding]]
    inbox: Sequence[EvidenceRow]
    why: str = "The case itself does not answer: this is what the store knows."


def _shown(seen: Seen) -> Answer:
    case, own_word = seen.snapshot, seen.source == "case"
    unknown = {"open in the store": "not settled; where it stands only its workflow knows", "erased": "erased"}
    stage = unknown.get(seen.source, case.stage)
    document = {
        "case_id": case.case_id,
        "source": seen.source,
        "stage": case.stage if seen.source not in unknown else None,
        "snapshot": case.model_dump(mode="json"),
        "findings": {str(number): found for number, found in seen.findings.items()},
        "inbox": [_row(r) for r in seen.inbox],
    }
    told = [] if own_word else [Text(f"{seen.why}\n", "yellow")]
    return Answer(document, [*told, *story(case, seen.findings, seen.inbox, stage)])


async def seen_of(cases: Cases, case_id: str) -> Seen:
    """The case by its own word, else by what the store keeps of it. Raises Refused where there is none."""
    inbox = await cases.inbox.of_case(case_id)
    findings = await findings_of_case(cases, case_id)
    with suppress(NotAsked, NotOpen, NoAnswerYet, TimeoutError, TemporalError):
        async with asyncio.timeout(QUERY_PATIENCE):
            return Seen(await Gateway(await temporal(), cases).snapshot(case_id), "case", findings, inbox)
    settled, row = await cases.last_settlement(case_id), await cases.find(case_id)
    if settled:
        return Seen(snapshot_of(CaseState.model_validate(settled.state)), "settled in the store", findings, inbox)
    if row is None and not inbox:
        raise Refused([f"nobody has ever heard of case {case_id!r}"])
    steps = await cases.steps(case_id, EVERY_STEP)
    held = StepsHeld(count=len(steps), last=steps[-1].number if steps else 0)
    about = Case.model_validate(row.body) if row else None
    unsettled = Snapshot(case_id=case_id, stage=Stage.RESOLVING, case=about, steps=held)
    if row and row.erased_at:
        return Seen(unsettled, "erased", findings, inbox, "The case was erased with its customer; the figures stay.")
    return Seen(unsettled, "open in the store", findings, inbox)


def _row(row: EvidenceRow) -> dict[str, object]:
    return row.model_dump(mode="json")


def _orphans(rows: Sequence[EvidenceRow]) -> Table:
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("about case", "id", "what", "came"):
        shown.add_column(name, overflow="fold")
    for row in rows:
        shown.add_row(safe(row.case_id), safe(row.id), coloured(row.kind), local(row.at))
    return shown
