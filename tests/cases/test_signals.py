"""Raw Signals: whatever comes in, nothing is lost, and what was refused is shown and kept."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest
from temporalio.service import RPCError

from aftercare.lifecycle.state import Refused
from aftercare.messages.outcome import Outcome, Snapshot
from tests.cases.desk import Desk, Told
from tests.cases.test_coming_back import watched

JSON = {"encoding": b"json/plain"}


async def sent(case: Told, name: str, *payloads: Payload) -> None:
    """A Signal as any client in any language may send it."""
    client = case.desk.env.client
    await client.workflow_service.signal_workflow_execution(
        SignalWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=f"case/{case.id}"),
            signal_name=name,
            input=Payloads(payloads=payloads),
        )
    )


async def refusals(case: Told, number: int) -> Snapshot:
    """The case once so many messages were refused."""
    for _ in range(500):
        if len((seen := await case.snapshot()).refused) >= number:
            return seen
    raise AssertionError("nothing was refused")


async def test_an_override_by_signal_does_what_the_update_does(desk: Desk) -> None:
    """The same checks, the same effect."""
    case = await watched(desk, "by-signal")
    case.put_back()
    await case.signalled("override", **case.override())
    assert (await case.settled()).outcome is Outcome.OVERRIDDEN


@pytest.mark.parametrize(
    ("payloads", "why"),
    [
        ([Payload(metadata=JSON, data=b"{not json")], "cannot be read as JSON"),
        ([Payload(metadata=JSON, data=b'"a word"')], "a JSON object is expected"),
        ([Payload(metadata={"encoding": b"binary/null"})], "a JSON object is expected"),
        ([Payload(metadata={"encoding": b"made/up"}, data=b"?")], "cannot be read as JSON"),
        ([], "0 payloads came"),
        ([Payload(metadata=JSON, data=b"{}")] * 2, "2 payloads came"),
        ([Payload(metadata=JSON, data=b"{}")], "missing: id"),
        ([Payload(metadata=JSON, data=b'{"id": "\\ud800"}')], "cannot be read as JSON"),
        ([Payload(metadata=JSON, data=b'{"id": "f", "kind": "csat", "value": NaN}')], "NaN and Infinity are no JSON"),
        ([Payload(metadata=JSON, data=b'{"id": "f", "kind": "csat", "value": "many"}')], "value: Input should be"),
        ([Payload(metadata=JSON, data=b'{"id": "../f", "kind": "csat"}')], "id: String should match"),
        ([Payload(metadata=JSON, data=b"[" * 5_000 + b"]" * 5_000)], "cannot be read as JSON"),
    ],
)
async def test_a_malformed_signal_is_kept_and_shown(desk: Desk, payloads: list[Payload], why: str) -> None:
    """The case goes on, says what it refused and why, and the store keeps it."""
    case = await watched(desk, "malformed")
    await sent(case, "feedback", *payloads)
    (refusal,) = (await refusals(case, 1)).refused
    assert why in "; ".join(refusal.reasons)
    assert (await case.settled()).outcome is Outcome.CONFIRMED
    (kept,) = [e for e in await desk.cases.inbox.of_case(case.id) if not e.accepted]
    assert kept.id == refusal.id


async def test_a_signal_nobody_knows_is_kept_and_shown(desk: Desk) -> None:
    """A misspelt name is no reason to lose what was meant."""
    case = await watched(desk, "misspelt")
    await sent(case, "re-open", Payload(metadata=JSON, data=b'{"id": "back-1"}'))
    (refusal,) = (await refusals(case, 1)).refused
    assert refusal.kind == "re-open"
    assert "there are override, feedback, recontact, reopen" in refusal.reasons[0]


async def test_a_refusal_never_covers_what_was_taken_under_the_same_id(desk: Desk) -> None:
    """The first score stands; the second one under its id, sent past the inbox, is refused beside it."""
    case = await watched(desk, "covered")
    await case.signalled("feedback", id="csat-1", kind="csat", value=5)
    await sent(case, "feedback", Payload(metadata=JSON, data=b'{"id": "csat-1", "kind": "csat", "value": 1}'))
    await refusals(case, 1)
    await case.settled()
    by_taken = {e.accepted: e for e in await desk.cases.inbox.of_case(case.id) if e.id.startswith("csat-1")}
    assert by_taken[True].body["value"] == 5
    assert by_taken[False].body["value"] == 1


async def test_the_same_signal_twice_is_one(desk: Desk) -> None:
    """A helpdesk that sends again changes nothing."""
    case = await watched(desk, "again")
    for _ in range(3):
        await case.signalled("feedback", id="csat-1", kind="csat", value=5)
    await case.settled()
    seen = await case.snapshot()
    assert (len(seen.feedback), len(seen.refused)) == (1, 0)


async def test_a_message_of_three_megabytes_is_refused_with_its_size(desk: Desk) -> None:
    """The gateway says how much it takes, and the case does not hear of it."""
    case = await watched(desk, "huge")
    huge: dict[str, Any] = case.override(rationale="x" * 3_000_000)
    with pytest.raises(Refused, match=r"has 2,930 kB; at most 64 kB"):
        await desk.gateway.override(case.id, huge)
    with pytest.raises(Refused, match="at most 64 kB"):
        await case.signalled("feedback", id="f", kind="csat", comment="x" * 3_000_000)
    assert (await case.settled()).outcome is Outcome.CONFIRMED


async def test_a_signal_of_three_megabytes_past_the_gateway_is_refused_by_the_server(desk: Desk) -> None:
    """Temporal itself answers, and the case goes on."""
    case = await watched(desk, "huge-raw")
    with pytest.raises(RPCError, match=r"size exceeds limit"):
        await sent(case, "feedback", Payload(metadata=JSON, data=b'{"a":"' + b"x" * 3_000_000 + b'"}'))
    assert (await case.settled()).outcome is Outcome.CONFIRMED
