"""The count at the end of `aftercare bench chaos`: what the store and the cases hold, against what was sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlmodel import col, select

from aftercare.demo.embedded import Place
from aftercare.lifecycle.intake import EVIDENCE
from aftercare.messages.work import Standing
from aftercare.store.tables import EvidenceRow, SettlementRow, StepRow

Named = tuple[str, str]


@dataclass
class Counted:
    """What is wrong, by case and id; empty lists are what is promised."""

    cases: int = 0
    standings: dict[str, int] = field(default_factory=dict)
    lost: list[Named] = field(default_factory=list)
    twice: list[Named] = field(default_factory=list)
    never_sent: list[Named] = field(default_factory=list)
    steps_wrong: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)

    @property
    def nothing_wrong(self) -> bool:
        return not (self.lost or self.twice or self.never_sent or self.steps_wrong or self.waiting)


async def counted(
    place: Place, sent: Mapping[Named, str], acknowledged: set[Named], steps: Mapping[str, int]
) -> Counted:
    """Compare what lies in the store with what was sent and acknowledged.

    An acknowledged message must lie there as delivered, once, and be among what the latest settlement of its case took
    in; evidence must stand in the case's own lists once.
    """
    still_open = await _open(place)  # asked first: what closes afterwards is in the store by then
    async with place.cases.database.session() as session:
        rows = list(await session.exec(select(EvidenceRow)))
        stored_steps = Counter(await session.exec(select(StepRow.case_id)))
        in_order = select(SettlementRow).order_by(col(SettlementRow.revision))
        settlements = {s.case_id: s for s in await session.exec(in_order)}
    # A row that was added with the settlement alone has no body: what evidence said would be gone.
    whole = [r for r in rows if r.kind not in EVIDENCE or "id" in r.body]
    delivered = {(r.case_id, r.id) for r in whole if r.standing == Standing.DELIVERED}
    taken = {(case_id, id) for case_id, s in settlements.items() for id in s.state["taken"]}
    given = {(r.case_id, r.id.split("~refused~")[0]) for r in rows}
    cases = {case_id for case_id, _ in sent}
    unanswered = {r.case_id for r in rows if r.standing == Standing.WAITING}
    return Counted(
        cases=len(cases),
        standings=dict(Counter(str(r.standing) for r in rows)),
        lost=sorted(acknowledged - (delivered & taken)),
        twice=sorted(_twice(settlements)),
        never_sent=sorted(given - set(sent)),
        steps_wrong=sorted(id for id in cases if stored_steps[id] != steps[id]),
        waiting=sorted(unanswered | (cases - set(settlements)) | still_open),
    )


async def _open(place: Place) -> set[str]:
    found = place.client.list_workflows('ExecutionStatus = "Running"')
    return {run.id.removeprefix("case/") async for run in found}


def _twice(settlements: Mapping[str, SettlementRow]) -> list[Named]:
    """Evidence that a case holds more than once."""
    named = [
        (case_id, one["id"])
        for case_id, settled in settlements.items()
        for kind in ("feedback", "recontacts", "reopens", "overrides")
        for one in settled.state[kind]
    ]
    return [name for name, number in Counter(named).items() if number > 1]
