"""What the tests of a case have in common: an order to cancel, an agent that cancels it, people who object."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle
from temporalio.converter import DataConverter
from temporalio.testing import TimeSkippingConfig, WorkflowEnvironment

from aftercare.demo.cost import Cost, cost_of
from aftercare.demo.processes import TEMPORAL
from aftercare.gateway import Gateway
from aftercare.messages.case import Action, Case, CaseReport, Escalation, Resolution, Step, StepKind, Steps
from aftercare.messages.outcome import Settlement, Snapshot, Stage
from aftercare.store.cases import Cases
from aftercare.systems.records import RecordsInMemory
from workflows.conventions import SEARCH_ATTRIBUTES

PAID = {"transaction_type": "payment", "amount": 30.0, "payment_method_id": "credit_card_1"}
BACK = PAID | {"transaction_type": "refund"}
SKIPPING = (
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED,
)
_numbers = itertools.count(1)


async def stopped_clock(converter: DataConverter) -> WorkflowEnvironment:
    """A Temporal of our own, whose clocks stand still until a test moves them."""
    return await WorkflowEnvironment.start_time_skipping_v2(
        ts_config=TimeSkippingConfig(enabled=False),
        dev_server_existing_path=TEMPORAL,
        dev_server_extra_args=["--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true"],
        dev_server_log_level="never",
        search_attributes=list(SEARCH_ATTRIBUTES),
        data_converter=converter,
        identity="tests",
    )


@dataclass
class Desk:
    """A running Aftercare, and short ways to do to it what agents and people do."""

    env: WorkflowEnvironment
    gateway: Gateway
    cases: Cases
    shop: RecordsInMemory

    def case(self, name: str) -> Told:
        """A new case about an order of its own."""
        return Told(self, f"{name}-{next(_numbers)}")


class Told:
    """One case under test, with its order in the shop."""

    def __init__(self, desk: Desk, id: str) -> None:
        self.desk, self.id, self.order = desk, id, f"#{id}"
        pending = {"status": "pending", "user_id": "ann", "items": [], "payment_history": [PAID]}
        desk.shop.records[f"orders/{self.order}"] = dict(pending)
        desk.shop.before[self.receipt, f"orders/{self.order}"] = dict(pending)

    @property
    def receipt(self) -> str:
        return f"op-{self.id}"

    @property
    def about(self) -> Case:
        return Case(id=self.id, agent="retail", domain="retail", customer="ann")

    @property
    def action(self) -> Action:
        arguments = {"order_id": self.order, "reason": "no longer needed"}
        return Action(name="cancel_pending_order", arguments=arguments, step=4, receipt=self.receipt)

    @property
    def steps(self) -> tuple[Step, ...]:
        """A conversation that keeps every clause."""
        ask = {"order_id": self.order}
        return (
            Step(number=1, kind=StepKind.RETRIEVE, name="find_user_id_by_email", input={"email": "a@x"}, output="ann"),
            Step(number=2, kind=StepKind.RETRIEVE, name="get_order_details", input=ask, output={"status": "pending"}),
            Step(
                number=3,
                kind=StepKind.REPLY,
                name="reply",
                heard="Cancel my order, I no longer need it.",
                said="Shall I proceed?",
            ),
            Step(
                number=4,
                kind=StepKind.ACT,
                name="cancel_pending_order",
                input=self.action.arguments,
                heard="Yes.",
                receipt=self.receipt,
            ),
        )

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        return self.desk.gateway.handle(self.id)

    def cancelled(self) -> None:
        """The order really is cancelled in the shop."""
        order = self.desk.shop.records[f"orders/{self.order}"]
        order |= {"status": "cancelled", "cancel_reason": "no longer needed", "payment_history": [PAID, BACK]}

    def put_back(self) -> None:
        """The order stands as it stood before."""
        before = self.desk.shop.before[self.receipt, f"orders/{self.order}"]
        self.desk.shop.records[f"orders/{self.order}"] = dict(before)

    def resolution(self, id: str = "resolution", **other: Any) -> Resolution:
        given = {"intent": "cancel_pending_order", "actions": (self.action,), **other}
        return Resolution(id=id, **given)

    async def reported(self, **other: Any) -> Told:
        """The whole case in one call: the agent cancelled the order."""
        await self.desk.gateway.report(
            CaseReport(id="report", case=self.about, steps=self.steps, resolution=self.resolution(**other))
        )
        return self

    async def registered(self) -> Told:
        await self.desk.gateway.register(self.about)
        return self

    async def worked_on(self) -> Told:
        """The steps, in one batch."""
        await self.desk.gateway.record_steps(self.id, Steps(id="steps-1", steps=self.steps))
        return self

    async def resolved(self, **other: Any) -> Told:
        await self.desk.gateway.resolve(self.id, self.resolution(**other))
        return self

    async def escalated(self, *actions: Action) -> Told:
        await self.desk.gateway.escalate(self.id, Escalation(id="escalation", reason="too hard", actions=actions))
        return self

    def override(self, **other: Any) -> dict[str, Any]:
        """An override that is whole."""
        return {
            "id": "override-1",
            "reviewer": "r.meyer",
            "final": {"kind": "undo"},
            "corrected_intent": "unchanged",
            "rationale": "The customer wanted to keep it.",
            "deciding": {"kind": "clause", "clause": "general.4"},
        } | other

    async def overridden(self, **other: Any) -> Told:
        await self.desk.gateway.override(self.id, self.override(**other))
        return self

    async def signalled(self, kind: str, /, **body: Any) -> Told:
        await self.desk.gateway.signal(self.id, kind, body)
        return self

    async def snapshot(self) -> Snapshot:
        return await self.desk.gateway.snapshot(self.id)

    async def until(self, stage: Stage, episode: int = 1) -> Snapshot:
        """The case once it has come to a stage."""
        async with asyncio.timeout(30):
            while True:
                seen = await self.snapshot()
                if seen.stage is stage and len(seen.episodes) >= episode:
                    return seen
                await asyncio.sleep(0.02)

    async def later(self, **time: float) -> None:
        """Let the case's own clock go on."""
        await self.desk.env.fast_forward(self.handle, timedelta(**time))

    async def settled(self) -> Settlement:
        """Let time pass until the case has settled."""
        await self.desk.env.fast_forward(self.handle)
        settlement: Settlement = await self.handle.result()
        return settlement

    async def cost(self) -> Cost:
        """What the latest run cost, without the events that skipping time leaves behind."""
        history = await self.handle.fetch_history()
        return cost_of([e for e in history.events if e.event_type not in SKIPPING])
