"""An agent of the OpenAI Agents SDK, instrumented: tools by a decorator, the model's turns by the SDK's own hooks.

    aftercare dev                    # first, in another terminal
    python examples/openai_agents.py

It needs `openai-agents`, and no key of OpenAI's: a scripted model plays the part of one. For a real one, leave out
`model=` below and set OPENAI_API_KEY. AFTERCARE_URL and AFTERCARE_KEY say where Aftercare is and with which key.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from typing import Any
from uuid import uuid4

from agents import Agent, ItemHelpers, ModelResponse, RunConfig, RunContextWrapper, RunHooks, Runner, function_tool
from agents.testing import ModelStep, ScriptedModel, assistant_message, function_call
from agents.usage import Usage

from aftercare.client import AsyncAftercare, current_case, tool

URL = os.environ.get("AFTERCARE_URL", "http://127.0.0.1:8080")
ORDERS: dict[str, dict[str, Any]] = {"#A101": {"status": "pending", "items": ["kettle"], "total": 39.90}}


@function_tool
@tool("retrieve")
def get_order_details(order_id: str) -> dict[str, Any]:
    """What the shop knows of an order."""
    return ORDERS[order_id]


@function_tool
@tool("act", receipt=lambda result: result["operation"])
async def cancel_pending_order(order_id: str, reason: str) -> dict[str, Any]:
    """Cancel an order that is still pending."""
    if ORDERS[order_id]["status"] != "pending":
        raise ValueError(f"{order_id} cannot be cancelled any more")
    ORDERS[order_id]["status"] = "cancelled"
    return {"operation": f"cancel-{order_id.lstrip('#')}", "status": "cancelled"}


class Turns(RunHooks[Any]):
    """Records each turn of the model as a step of the case at hand: what it heard and said, its tokens, its seconds.

    Make one for each run.
    """

    def __init__(self, heard: str) -> None:
        self._heard, self._began = heard, 0.0

    async def on_llm_start(self, *_: Any) -> None:
        self._began = time.perf_counter()

    async def on_llm_end(self, context: RunContextWrapper[Any], agent: Agent[Any], response: ModelResponse) -> None:
        case = current_case()
        if case is None:
            return
        said = "".join(ItemHelpers.extract_text(item) or "" for item in response.output if item.type == "message")
        heard, self._heard = self._heard, ""
        case.step(
            "reply" if said else "reason",
            agent.name,
            heard=heard,
            said=said,
            latency=time.perf_counter() - self._began,
            input_tokens=response.usage.input_tokens,
            output_tokens=response.usage.output_tokens,
            model=agent.model if isinstance(agent.model, str) else type(agent.model).__name__,
        )


def scripted() -> ScriptedModel:
    """A model that says what one might say; two turns of conversation."""
    order, usage = {"order_id": "#A101"}, Usage(requests=1, input_tokens=120, output_tokens=30, total_tokens=150)
    cancelling = {**order, "reason": "no longer needed"}
    outputs = [
        function_call("get_order_details", order, call_id="call-1"),
        assistant_message("39.90 go back to your card. Shall I go ahead?"),
        function_call("cancel_pending_order", cancelling, call_id="call-2"),
        assistant_message("Order #A101 is cancelled."),
    ]
    return ScriptedModel([ModelStep(output=[output], usage=usage) for output in outputs])


async def serve(care: AsyncAftercare, case_id: str) -> None:
    """One customer, from the first words to the last."""
    agent = Agent(
        name="shop-assistant",
        instructions="Help the customer. Ask before you cancel anything.",
        tools=[get_order_details, cancel_pending_order],
        model=scripted(),
    )
    so_far: list[Any] = []
    async with care.case(case_id, customer="c01", channel="chat") as case:
        for words in ("Please cancel #A101.", "Yes, please."):
            said = [*so_far, {"role": "user", "content": words}]
            result = await Runner.run(agent, said, hooks=Turns(words), run_config=RunConfig(tracing_disabled=True))
            so_far = result.to_input_list()
        await case.resolve(intent="cancel_pending_order", reply=str(result.final_output))


async def main() -> int:
    """Serve a customer, who then rates the case; say what Aftercare makes of it."""
    case_id = f"openai-agents-{uuid4().hex[:8]}"
    async with AsyncAftercare(URL, agent="example-openai-agents", domain="retail") as care:
        await serve(care, case_id)
        await care.feedback(case_id, "csat", 5)
        if not await care.flush(timeout=5.0):
            print("\n".join(reason for problem in care.problems() for reason in problem.reasons), file=sys.stderr)
            print(f"Nothing took the case in at {URL}: start `aftercare dev`, or set AFTERCARE_URL and AFTERCARE_KEY.")
            print("What was recorded waits on disk, and is sent when this is run again.")
            return 1
        for refused in care.refused():
            print(f"refused: {refused.kind} of {refused.case_id}: {'; '.join(refused.reasons)}", file=sys.stderr)
        snapshot = await care.snapshot(case_id)
        print(f"case {case_id} is {snapshot.stage}; `aftercare case show {case_id}` tells its story")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
