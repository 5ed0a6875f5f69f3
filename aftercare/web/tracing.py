"""What traces need of the rest: messages are held like any other's, cases are looked up in the store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from aftercare.courier import Courier
from aftercare.gateway import Gateway
from aftercare.keys import Caller
from aftercare.lifecycle.state import Refused
from aftercare.messages.case import Case
from aftercare.messages.work import Standing
from aftercare.store.cases import Cases
from aftercare.store.tables import EvidenceRow
from aftercare.web.access import Access
from aftercare.web.otlp.taking import Known, KnownCase, Take, Told
from policies.book import BookInvalid, domains, load

EVERY_STEP = 1_000_000
ENDS, BRINGS_STEPS = ("resolution", "escalation", "report"), ("steps", "report")


def held_by(gateway: Gateway, courier: Courier, access: Access) -> Take:
    """Holds what spans tell in the inbox; a key of one agent tells of that agent's cases alone."""

    async def take(case_id: str, kind: str, message: Told, by: Caller) -> None:
        agent = await access.agent_of(case_id)
        claimed = message.agent if isinstance(message, Case) else agent
        if by.agent and (claimed != by.agent or agent not in (None, by.agent)):
            raise Refused([f"this key is agent {by.agent!r}'s, and case {case_id!r} is not"])
        courier.soon(await gateway.hold(case_id, kind, message, by.by))

    return take


def known_in(cases: Cases) -> Known:
    """Looks a case up: whether it is registered or about to be, its steps, and whether its ending was reported."""

    async def known(case_id: str) -> KnownCase:
        messages = [row for row in await cases.inbox.of_case(case_id) if row.standing != Standing.REFUSED]
        began, ended = _episode(messages)
        return KnownCase(
            registered=await cases.agent_of(case_id) is not None,
            steps=tuple(await cases.steps(case_id, EVERY_STEP)),
            episode_from=began,
            ended=ended,
        )

    return known


def _episode(messages: Sequence[EvidenceRow]) -> tuple[int, bool]:
    """The first step of the episode under way, and whether its ending was reported, by the messages in their order."""
    began, last, ended = 1, 0, False
    for row in messages:
        last = max(last, ((row.body.get("held") or {}).get("last", 0)) if row.kind in BRINGS_STEPS else 0)
        if row.kind in ENDS:
            ended = True
        elif row.kind == "reopen" and ended:
            began, ended = last + 1, False
    return began, ended


def written_by(folder: Path | None) -> Callable[[str], bool]:
    """Whether a tool changes a system of record: any book that expects effects of it says so."""
    known: set[str] = set()
    for domain in domains(folder):
        try:
            known |= set(load(domain, folder).outcomes.actions)
        except BookInvalid:  # `aftercare policy check` says what is wrong with it
            continue
    return known.__contains__
