"""With the codec on, Temporal holds no clear word of a case, and everything a case can do still works."""

from __future__ import annotations

import json

import pytest
from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest
from temporalio.client import Client

from aftercare.codec import EncryptionCodec, Keys, Unreadable, new_key
from aftercare.gateway import Gateway
from aftercare.lifecycle.state import Refused
from aftercare.messages.case import Steps
from aftercare.messages.outcome import Outcome, Snapshot, Stage
from aftercare.temporal import DATA_CONVERTER, data_converter
from tests.cases.desk import Desk, Told
from tests.cases.test_coming_back import watched
from tests.codec import raw
from tests.codec.conftest import CODEC

SAID = {
    "customer": "Wilhelmina Quackenbush",
    "heard": "Cancel my order, I no longer need it.",
    "said": "Shall I proceed?",
    "looked up": "quackenbush@example.org",
    "tool": "cancel_pending_order",
    "argument": "no longer needed",
    "reply": "Your marmalade stays with us.",
    "comment": "Too slow for marmalade.",
    "rationale": "She wanted to keep the marmalade after all.",
    "summary of an activity": "look in the systems of record",
    "summary of a timer": "for the customer to come back",
    "summary of the workflow": "Agent retail, by chat",
}
# The intent is a search attribute, by which cases are found: it stands in clear, and here it is the tool's name.
SEALED = {name: word for name, word in SAID.items() if name != "tool"}


async def told(desk: Desk) -> Told:
    """A case with all of this in it: registered, with its steps inline, resolved, scored, overridden, settled."""
    case = desk.case("sealed")
    case.cancelled()
    first, *others = case.steps
    steps = (first.model_copy(update={"input": {"email": SAID["looked up"]}}), *others)
    await desk.gateway.register(case.about.model_copy(update={"customer": SAID["customer"]}))
    await case.handle.execute_update("record_steps", Steps(id="steps-1", steps=steps))
    await case.resolved(reply=SAID["reply"])
    await case.until(Stage.WATCHING)
    await case.signalled("feedback", id="csat-1", kind="csat", value=2, comment=SAID["comment"])
    case.put_back()
    await case.overridden(rationale=SAID["rationale"])
    assert (await case.settled()).outcome is Outcome.OVERRIDDEN
    return case


async def test_no_clear_word_of_a_case_is_in_its_history(desk: Desk) -> None:
    """As the service holds it there is ciphertext alone; through the endpoint every word is there."""
    case = await told(desk)
    history, description = await raw.history(case), await raw.description(case)
    assert not history.next_page_token
    held = history.SerializeToString() + description.SerializeToString()
    assert [name for name, word in SEALED.items() if word.encode() in held] == []
    read = await raw.words(history, description)
    assert [name for name, word in SAID.items() if word not in read] == []


async def test_a_failure_holds_no_clear_word(desk: Desk) -> None:
    """What an activity raised is sealed with its trace; who registered the case hears it all the same."""
    case = desk.case("failing")
    with pytest.raises(Refused, match="marsupials"):
        await desk.gateway.register(case.about.model_copy(update={"domain": "marsupials"}))
    history = await raw.history(case)
    assert any(e.HasField("activity_task_failed_event_attributes") for e in history.history.events)
    held = history.SerializeToString()
    for word in (b"marsupials", b"policy book", b"books.py", b"Traceback"):
        assert word not in held
    assert "marsupials" in await raw.words(history)


async def test_an_override_that_is_refused_says_why(desk: Desk) -> None:
    """An Update's refusal comes through with its reasons, and leaves nothing in the history."""
    case = await watched(desk, "refusing")
    before = len((await raw.history(case)).history.events)
    with pytest.raises(Refused, match=r"general\.99"):
        await case.overridden(deciding={"kind": "clause", "clause": "general.99"})
    assert len((await raw.history(case)).history.events) == before


async def test_a_query_is_answered_in_ciphertext(desk: Desk) -> None:
    """The whole case and its current details, for a client with the codec; not a word for one without."""
    case = await watched(desk, "asked")
    assert (await case.snapshot()).stage is Stage.WATCHING
    assert "Waiting for" in (await case.handle.query("__temporal_workflow_metadata")).current_details
    for query in ("snapshot", "__temporal_workflow_metadata"):
        with pytest.raises(Exception, match="binary/encrypted"):
            await without_codec(desk).get_workflow_handle(f"case/{case.id}").query(query)


async def test_a_client_with_another_key_hears_which_one_it_lacks(desk: Desk) -> None:
    """And gets nothing else."""
    case = await watched(desk, "other-key")
    other = EncryptionCodec(Keys.from_text(new_key("k2")))
    client = Client(desk.env.client.service_client, data_converter=data_converter(other))
    with pytest.raises(Unreadable, match="'k1', which is not in AFTERCARE_CODEC_KEYS"):
        await Gateway(client, desk.cases).snapshot(case.id)


async def test_a_raw_signal_is_taken_in_encrypted(desk: Desk) -> None:
    """As any SDK sends it that seals it as we do."""
    case = await watched(desk, "raw")
    await sent(case, "feedback", *await CODEC.encode([as_json({"id": "csat-1", "kind": "csat", "value": 5})]))
    (score,) = (await scored(case)).feedback
    assert score.value == 5
    assert (await case.settled()).outcome is Outcome.CONFIRMED


async def test_a_raw_signal_that_is_malformed_inside_is_kept_and_shown(desk: Desk) -> None:
    """It is refused for what it says, not for how it came."""
    case = await watched(desk, "malformed")
    broken = Payload(metadata={"encoding": b"json/plain"}, data=b"{not json")
    await sent(case, "feedback", *await CODEC.encode([broken]))
    (refusal,) = (await scored(case)).refused
    assert "cannot be read as JSON" in refusal.reasons[0]


async def test_a_case_from_before_encryption_goes_on(desk: Desk) -> None:
    """What a client sends in clear is taken in, and what is written from now on is sealed."""
    case = await watched(desk, "before")
    await sent(case, "feedback", as_json({"id": "csat-1", "kind": "csat", "value": 4, "comment": SAID["comment"]}))
    assert (await scored(case)).feedback[0].comment == SAID["comment"]
    assert (await case.settled()).outcome is Outcome.CONFIRMED
    assert (await raw.history(case)).SerializeToString().count(SAID["comment"].encode()) == 1


def without_codec(desk: Desk) -> Client:
    return Client(desk.env.client.service_client, data_converter=DATA_CONVERTER)


def as_json(body: dict[str, object]) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(body).encode())


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


async def scored(case: Told) -> Snapshot:
    """The case once something came in."""
    for _ in range(500):
        if (seen := await case.snapshot()).feedback or seen.refused:
            return seen
    raise AssertionError("nothing came in")
