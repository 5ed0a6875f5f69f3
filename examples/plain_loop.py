"""A plain tool loop, instrumented: a tiny agent without any model cancels an order.

    aftercare dev                    # first, in another terminal
    python examples/plain_loop.py

AFTERCARE_URL and AFTERCARE_KEY say where Aftercare is and with which key; without them it is that of `aftercare dev`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from aftercare.client import Aftercare, tool

URL = os.environ.get("AFTERCARE_URL", "http://127.0.0.1:8080")
ORDERS: dict[str, dict[str, Any]] = {"#A101": {"status": "pending", "items": ["kettle"], "total": 39.90}}


@tool("retrieve")
def get_order_details(order_id: str) -> dict[str, Any]:
    """What the shop knows of an order."""
    return ORDERS[order_id]


@tool("act", receipt=lambda result: result["operation"])
def cancel_pending_order(order_id: str, reason: str) -> dict[str, Any]:
    """Cancel an order. Raises ValueError where it is too late."""
    if ORDERS[order_id]["status"] != "pending":
        raise ValueError(f"{order_id} cannot be cancelled any more")
    ORDERS[order_id]["status"] = "cancelled"
    return {"operation": f"cancel-{order_id.lstrip('#')}", "status": "cancelled"}


TOOLS: dict[str, Callable[..., dict[str, Any]]] = {
    "get_order_details": get_order_details,
    "cancel_pending_order": cancel_pending_order,
}


def think(turn: int) -> tuple[str, dict[str, str]]:
    """What to do next: a tool and its arguments, or to reply. A real agent asks its model here."""
    moves = [
        ("get_order_details", {"order_id": "#A101"}),
        ("reply", {"said": "39.90 go back to your card. Shall I go ahead?"}),
        ("cancel_pending_order", {"order_id": "#A101", "reason": "no longer needed"}),
        ("reply", {"said": "Order #A101 is cancelled."}),
    ]
    return moves[turn]


def serve(care: Aftercare, case_id: str) -> int:
    """One customer, from the first words to the last; gives the step of the last reply."""
    answers = iter(["Yes, please."])
    with care.case(case_id, customer="c01", channel="chat") as case:
        case.step("classify", heard="Please cancel #A101.", output="cancel_pending_order", confidence=0.96)
        for turn in range(4):
            name, arguments = think(turn)
            if name in TOOLS:
                TOOLS[name](**arguments)
                continue
            reply = case.step("reply", said=arguments["said"])
            if answer := next(answers, ""):
                case.step("reason", "confirmed", heard=answer)
        case.resolve(intent="cancel_pending_order", reply=arguments["said"], confidence=0.96)
    return reply


def main() -> int:
    """Serve a customer, who then rates the case; say what Aftercare makes of it."""
    case_id = f"plain-loop-{uuid4().hex[:8]}"
    with Aftercare(URL, agent="example-loop", domain="retail") as care:
        last_reply = serve(care, case_id)
        care.thumbs(case_id, last_reply, up=True)
        care.feedback(case_id, "csat", 5)
        if not care.flush(timeout=5.0):
            print("\n".join(reason for problem in care.problems() for reason in problem.reasons), file=sys.stderr)
            print(f"Nothing took the case in at {URL}: start `aftercare dev`, or set AFTERCARE_URL and AFTERCARE_KEY.")
            print("What was recorded waits on disk, and is sent when this is run again.")
            return 1
        for refused in care.refused():
            print(f"refused: {refused.kind} of {refused.case_id}: {'; '.join(refused.reasons)}", file=sys.stderr)
        print(f"case {case_id} is {care.snapshot(case_id).stage}; `aftercare case show {case_id}` tells its story")
    return 0


if __name__ == "__main__":
    sys.exit(main())
