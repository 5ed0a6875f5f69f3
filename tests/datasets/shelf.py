"""Cases in a store as they settle, claimed by firings, and the activities that make datasets of them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import col, func, select
from temporalio.testing import ActivityEnvironment

from activities.books import Books
from activities.cases import CaseActivities
from activities.datasets import DatasetActivities
from activities.matrices import Matrices
from activities.triggers import TriggerActivities
from aftercare.learning.datasets.material import Material, Unreadable
from aftercare.lifecycle.outcome import settlement_of
from aftercare.lifecycle.state import CaseState
from aftercare.messages.case import Action, Case, Escalation, Resolution, Step, StepKind
from aftercare.messages.erasure import ErasureReceipt, Traces
from aftercare.messages.improvement import Diagnosed, Firing, Frozen, GiveBack, Improve, Work
from aftercare.messages.outcome import Stage
from aftercare.messages.override import Override
from aftercare.messages.policy import BookPin, Finding, VerificationResult
from aftercare.messages.work import SettleCase
from aftercare.redaction import Known, Redactor
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.store.datasets import Datasets, Staging, Whole
from aftercare.store.erasing import Erasing
from aftercare.store.inbox import message_row
from aftercare.store.tables import AgainstRow, DatasetRow, ExampleRow, FiringRow, ReviewRow
from aftercare.store.triggers import Triggers

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
AGENT = "desk"
FIRING = f"{AGENT}/override/1"
CLAUSE = "general.4"
RUN = "00000000-0000-4000-8000-000000000000"
_numbers = itertools.count(1)


class Blacking(Redactor):
    """Takes one name out of everything, and says so."""

    mode = "patterns and names"

    def __init__(self, name: str = "Ann Meyer") -> None:
        self._name = name

    def redacted(self, value: Any, known: Known | None = None) -> Any:
        """The same JSON without the name."""
        return json.loads(json.dumps(value, ensure_ascii=False).replace(self._name, "[name]"))


def trace(heard: str, order: str = "#1") -> tuple[Step, ...]:
    """A short conversation in which an order is cancelled."""
    return (
        Step(number=1, kind=StepKind.RETRIEVE, name="get_order", heard=heard, input={"order_id": order}, output="open"),
        Step(number=2, kind=StepKind.ACT, name="cancel_order", input={"order_id": order}, receipt=f"op-{order[1:]}"),
        Step(number=3, kind=StepKind.REPLY, name="reply", said="It is cancelled.", latency=0.5),
    )


def override(id: str = "o", **other: Any) -> Override:
    """An override that is whole."""
    told = {
        "id": id,
        "reviewer": "rev-1",
        "final": {"kind": "actions", "actions": [{"name": "return_order", "arguments": {"order_id": "#1"}}]},
        "corrected_intent": "return",
        "rationale": "It had been delivered; it can only be returned.",
        "deciding": {"kind": "step", "step": 2},
        "at": NOW,
    }
    return Override.model_validate(told | other)


class Meanwhile(Datasets):
    """Datasets that are read slowly enough for something to happen, once."""

    def __init__(self, database: Database, happens: Callable[[], Awaitable[object]]) -> None:
        super().__init__(database)
        self._happens: Callable[[], Awaitable[object]] | None = happens

    async def materials(self, case_ids: Collection[str]) -> dict[str, Material | Unreadable | None]:
        """As they were before it happened."""
        known = await super().materials(case_ids)
        if happens := self._happens:
            self._happens = None
            await happens()
        return known


class Breaking(Datasets):
    """Datasets that break when all rows are staged."""

    async def freeze(self, staging: Staging, whole: Whole) -> None:
        """Never."""
        raise ZeroDivisionError


class Shelf:
    """A store, and short ways to put cases into it as they come to be there."""

    def __init__(self, cases: Cases, redactor: Redactor | None = None) -> None:
        self.cases, self.datasets = cases, Datasets(cases.database)
        self.books = Books(cases)
        self.activities = DatasetActivities(self.datasets, cases, self.books, redactor or Redactor())

    async def registered(self, id: str, *steps: Step, **other: Any) -> CaseState:
        """A case that has not ended."""
        told = {"id": id, "agent": AGENT, "domain": "retail", "release": "r1", "opened_at": NOW}
        case = Case.model_validate(told | other)
        pin = await self.books.pin("retail", NOW)
        await self.cases.register(case, pin.digest, NOW)
        await self.cases.add_steps(id, steps)
        state = CaseState(case_id=id, case=case, book=BookPin(domain="retail", digest=pin.digest))
        state.steps = state.steps.model_copy(update={"count": len(steps), "last": len(steps)})
        return state

    async def settled(
        self,
        id: str,
        steps: Sequence[Step],
        *overrides: Override,
        escalated: str = "",
        checked: VerificationResult | None = None,
        findings: Sequence[Finding] = (),
        **other: Any,
    ) -> None:
        """A case that was resolved or handed over, corrected or not, and has settled."""
        state = await self.registered(id, *steps, **other)
        state.begin_episode(NOW)
        if escalated:
            state.escalation = Escalation(id="e", reason=escalated, intent="cancel", confidence=0.3)
        else:
            action = Action(name="cancel_order", arguments={"order_id": "#1"}, step=2, receipt="op-1")
            state.resolution = Resolution(id="r", intent="cancel", confidence=0.9, actions=(action,), reply="Done.")
        state.end_episode()
        await self.said(id, "escalation" if escalated else "resolution", state.escalation or state.resolution)
        state.change(verification=checked)
        for one in overrides:
            state.apply(one)
            state.begin_episode(NOW)
        await self.cases.keep_findings(id, 1, findings)
        await self.settle(state)

    async def said(self, id: str, kind: str, message: Any) -> None:
        """A message that the inbox holds."""
        row = message_row(id, message.id, kind, message.model_dump(mode="json"), "digest", NOW)
        await self.cases.inbox.hold(row)

    async def settle(self, state: CaseState) -> None:
        """Write the end of a case down, as its run does."""
        state.stage = Stage.SETTLED
        work = SettleCase(
            settlement=settlement_of(state), run_id=RUN, state=state.to_keep(), at=NOW + timedelta(hours=24)
        )
        await CaseActivities(self.cases, self.books).settle_case(work)

    async def claimed(self, *case_ids: str, firing: str = FIRING, kind: str = "override") -> None:
        """A firing claims one piece of each of these cases."""
        told: dict[str, Any] = {
            "agent": AGENT,
            "trigger": firing.split("/")[1],
            "piece": f"computed/{kind}/1",
            "kind": kind,
        }
        await self.cases.database.write(*(AgainstRow(case_id=id, at=NOW, firing=firing, **told) for id in case_ids))

    async def started(self, firing: str = FIRING) -> None:
        """A firing whose improvement is under way."""
        body = fired(firing).firing
        known: dict[str, Any] = {"trigger": body.trigger, "cycle": 1, "body": body.model_dump(mode="json")}
        await self.cases.database.write(FiringRow(id=firing, agent=AGENT, status="started", fired_at=NOW, **known))

    async def failed(self, firing: str = FIRING) -> None:
        """The improvement of a firing failed: its evidence is given back."""
        await self.started(firing)
        supervising = TriggerActivities(Triggers(self.cases.database), Matrices(self.cases), self.datasets)
        await ActivityEnvironment().run(supervising.give_back, GiveBack(firing=firing))

    async def audited(self, *case_ids: str) -> None:
        """These cases were drawn for the audit."""
        rows = (ReviewRow(id=f"audit/{i}", kind="audit", case_id=i, agent=AGENT, drawn_at=NOW) for i in case_ids)
        await self.cases.database.write(*rows)

    async def freeze(self, firing: str = FIRING) -> Frozen:
        """What the firing claimed, as its improvement freezes it."""
        frozen: Frozen = await ActivityEnvironment().run(self.activities.freeze_dataset, fired(firing))
        return frozen

    async def diagnosed(self, firing: str = FIRING) -> Diagnosed:
        """What that tells."""
        told: Diagnosed = await ActivityEnvironment().run(self.activities.diagnose, fired(firing))
        return told

    async def frozen_row(self, firing: str = FIRING) -> DatasetRow:
        """Its dataset."""
        row = await self.datasets.find(firing)
        assert row
        return row

    async def staged(self) -> int:
        """How many rows of attempts lie about."""
        async with self.cases.database.session() as session:
            return (await session.exec(select(func.count()).where(col(ExampleRow.dataset).contains("#")))).one()

    async def lose_books(self) -> None:
        """No policy book is kept any more."""
        async with self.cases.database.engine.begin() as connection:
            await connection.execute(text("DELETE FROM policy_book"))

    async def mark(self, customer: str) -> None:
        """An erasure begins."""
        await Erasing(self.cases.database).mark(customer, NOW)

    async def erase(self, customer: str, *known: str) -> Traces:
        """The store's part of an erasure."""
        await self.mark(customer)
        id = f"erasure-{next(_numbers)}"
        return await Erasing(self.cases.database).scrub(
            customer, known, lambda traces: ErasureReceipt(id=id, at=NOW, by="admin", traces=traces)
        )

    def meanwhile(self, happens: Callable[[], Awaitable[object]]) -> Shelf:
        """The same store, in which something happens once, just after cases were read to be frozen."""
        return self._with(Meanwhile(self.cases.database, happens))

    def breaking(self) -> Shelf:
        """The same store, to which the connection is lost when everything is staged."""
        return self._with(Breaking(self.cases.database))

    def _with(self, datasets: Datasets) -> Shelf:
        other = Shelf(self.cases)
        other.datasets = datasets
        other.activities = DatasetActivities(datasets, self.cases, self.books, Redactor())
        return other

    async def rows(self, firing: str = FIRING) -> list[Any]:
        """The rows of its dataset."""
        return [row async for row in self.datasets.rows(firing)]


def fired(id: str = FIRING) -> Improve:
    """A firing to improve upon."""
    agent, trigger, cycle = id.split("/")
    work = Work(workflow="retraining", kind="intent_classifier")
    return Improve(
        firing=Firing(id=id, agent=agent, trigger=trigger, cycle=int(cycle), work=work, because="so it was", at=NOW)
    )
