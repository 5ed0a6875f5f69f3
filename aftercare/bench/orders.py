"""The shop of `aftercare bench cases`: in memory, where every order has just been cancelled as the agent says."""

from __future__ import annotations

from typing import Any

from aftercare.messages.case import Action, Case, CaseReport, Resolution, Step, StepKind
from aftercare.systems.records import Ref

PAID = {"transaction_type": "payment", "amount": 30.0, "payment_method_id": "credit_card_1"}
PENDING: dict[str, Any] = {"status": "pending", "user_id": "ann", "items": [], "payment_history": [PAID]}
CANCELLED: dict[str, Any] = {
    **PENDING,
    "status": "cancelled",
    "cancel_reason": "no longer needed",
    "payment_history": [PAID, {**PAID, "transaction_type": "refund"}],
}


class Orders:
    """A system of record with one order for every case, before and after."""

    async def read(self, ref: Ref, environment: str) -> dict[str, Any] | None:
        """The order, pending before the operation and cancelled since."""
        if ref.kind != "orders":
            return None
        return dict(PENDING if ref.before else CANCELLED)


def reported(case_id: str) -> CaseReport:
    """A whole, quiet case: the customer is found, asked, and the order cancelled."""
    order = {"order_id": f"#{case_id}"}
    cancelling = {**order, "reason": "no longer needed"}
    find, look = "find_user_id_by_email", "get_order_details"
    asked = {"heard": "Cancel my order, I no longer need it.", "said": "Shall I proceed?"}
    act = Step(number=4, kind=StepKind.ACT, name="cancel_pending_order", input=cancelling, heard="Yes.", receipt="op-1")
    return CaseReport(
        id="report",
        case=Case(id=case_id, agent="bench", domain="retail", customer="ann"),
        steps=(
            Step(number=1, kind=StepKind.RETRIEVE, name=find, input={"email": "a@x"}, output="ann"),
            Step(number=2, kind=StepKind.RETRIEVE, name=look, input=order, output={"status": "pending"}),
            Step(number=3, kind=StepKind.REPLY, name="reply", **asked),
            act,
        ),
        resolution=Resolution(
            id="resolution",
            intent="cancel_pending_order",
            actions=(Action(name=act.name, arguments=cancelling, step=4, receipt="op-1"),),
        ),
    )
