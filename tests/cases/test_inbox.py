"""What was acknowledged is stored once and reaches its case, whatever crashes between the two."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError

from aftercare.lifecycle.digest import digest_of, held_of
from aftercare.lifecycle.intake import digest_in_inbox
from aftercare.lifecycle.state import Refused
from aftercare.messages.case import CaseReport, Step, Steps
from aftercare.messages.outcome import Outcome, Stage
from aftercare.messages.work import RecordEvidence, Standing
from aftercare.store.inbox import message_row
from aftercare.sweeper import Sweeper
from tests.cases.desk import Desk, Told
from tests.cases.test_coming_back import watched

CSAT = {"id": "csat-1", "kind": "csat", "value": 4}


async def hold(case: Told, id: str, kind: str, body: Any, digest: str, steps: tuple[Step, ...] = ()) -> None:
    await case.desk.cases.inbox.hold(message_row(case.id, id, kind, body, digest, datetime.now(UTC)), steps)


async def crashed_with(case: Told, kind: str, body: dict[str, Any]) -> None:
    """A door commits a piece of evidence and dies before it delivers."""
    await case.desk.cases.inbox.hold(
        message_row(case.id, body["id"], kind, body, digest_in_inbox(kind, body), datetime.now(UTC))
    )


async def swept(desk: Desk) -> None:
    await Sweeper(desk.gateway, desk.cases.inbox, held_for=timedelta(0)).sweep()


async def standings(case: Told) -> dict[str, str]:
    """Where every message of the case stands, by its id."""
    return {row.id: row.standing for row in await case.desk.cases.inbox.of_case(case.id)}


async def unregistered(desk: Desk, name: str) -> Told:
    """A case of which nobody ever told but by a survey answer, when nobody waits for its registration any more."""
    case = desk.case(name)
    await case.signalled("feedback", **CSAT)
    assert (await case.settled()).outcome is None
    return case


@pytest.mark.parametrize("kind", ["feedback", "recontact", "reopen"])
async def test_what_a_crash_left_in_the_inbox_is_delivered_by_the_sweeper(desk: Desk, kind: str) -> None:
    """The door died between its commit and its signal; the case hears of it all the same, once."""
    case = await watched(desk, "left-behind")
    body: dict[str, Any] = CSAT if kind == "feedback" else {"id": "mail-1"}
    await crashed_with(case, kind, body)
    for _ in range(3):
        await swept(desk)
    await case.settled()
    assert (await standings(case))[body["id"]] == Standing.DELIVERED
    seen = await case.snapshot()
    assert len([*seen.feedback, *seen.recontacts, *seen.reopens]) == 1


async def test_an_override_left_behind_is_delivered(desk: Desk) -> None:
    """The person's door died while it asked; the override counts."""
    case = await watched(desk, "override-left")
    case.put_back()
    await crashed_with(case, "override", case.override())
    await swept(desk)
    assert (await case.settled()).outcome is Outcome.OVERRIDDEN
    assert (await standings(case))["override-1"] == Standing.DELIVERED


async def test_an_override_left_behind_that_is_refused_says_so(desk: Desk) -> None:
    """Nobody waits for the answer any more; it stands in the store, and the id is free again."""
    case = await watched(desk, "override-refused")
    await crashed_with(case, "override", case.override(deciding={"kind": "step", "step": 99}))
    await swept(desk)
    await case.settled()
    (refused,) = [row for row in await desk.cases.inbox.of_case(case.id) if row.standing == Standing.REFUSED]
    assert "there is no step 99" in refused.reasons[0]
    assert "override-1" not in await standings(case)


async def test_an_override_is_delivered_only_once_temporal_has_the_answer(desk: Desk) -> None:
    """A worker wrote it down and was killed before Temporal heard of it: it waits, and the case is asked again."""
    case = await watched(desk, "written-down")
    case.put_back()
    await crashed_with(case, "override", case.override())
    written = RecordEvidence(
        case_id=case.id, id="override-1", kind="override", body=case.override(), held=True, at=datetime.now(UTC)
    )
    await desk.cases.inbox.record(written)
    assert (await standings(case))["override-1"] == Standing.WAITING
    await case.overridden()
    assert (await standings(case))["override-1"] == Standing.DELIVERED
    assert (await case.settled()).outcome is Outcome.OVERRIDDEN


async def test_an_override_past_the_gateway_is_written_down_and_confirmed(desk: Desk) -> None:
    """Any SDK may send it; the sweeper asks the case once more, and notes its answer."""
    case = await watched(desk, "by-sdk")
    case.put_back()
    await case.handle.execute_update("submit_override", case.override())
    await swept(desk)
    assert (await standings(case))["override-1"] == Standing.DELIVERED
    assert (await case.settled()).overrides == 1


async def test_steps_and_a_report_left_behind_are_delivered(desk: Desk) -> None:
    """Steps lie in the store with the message that brought them; the case hears of both, whoever died."""
    case = desk.case("report-left")
    case.cancelled()
    brief = CaseReport(id="report", case=case.about, held=held_of(case.steps), resolution=case.resolution())
    await desk.cases.inbox.hold(
        message_row(case.id, "report", "report", brief.model_dump(mode="json"), digest_of(brief), datetime.now(UTC)),
        case.steps,
    )
    await swept(desk)
    assert (await case.settled()).outcome is Outcome.CONFIRMED
    assert (await standings(case)) == {"report": Standing.DELIVERED}


async def test_steps_left_behind_that_the_case_refuses_are_let_go(desk: Desk) -> None:
    """An agent that died and comes back with another trace is not blocked by what it never reported."""
    case = await desk.case("steps-left").registered()
    await case.escalated()
    await case.until(Stage.WATCHING)
    brief = Steps(id="late", held=held_of(case.steps))
    await desk.cases.inbox.hold(
        message_row(case.id, "late", "steps", brief.model_dump(mode="json"), digest_of(brief), datetime.now(UTC)),
        case.steps,
    )
    await swept(desk)
    assert await desk.cases.steps(case.id, 99) == []
    assert Standing.REFUSED in (await standings(case)).values()


async def test_evidence_for_a_case_nobody_registers_becomes_an_orphan(desk: Desk) -> None:
    """It waits in the started run, and is then kept and listed; nothing is dropped."""
    case = await unregistered(desk, "orphaned")
    assert await standings(case) == {"csat-1": Standing.ORPHAN}
    assert (case.id, "csat-1") in {(o.case_id, o.id) for o in await desk.cases.inbox.orphans()}


async def test_an_orphan_finds_its_case_once_that_is_registered(desk: Desk) -> None:
    """However late the registration comes."""
    case = await unregistered(desk, "found-home")
    await case.registered()
    await swept(desk)
    await case.worked_on()
    case.cancelled()
    await case.resolved()
    await case.settled()
    assert (await standings(case))["csat-1"] == Standing.DELIVERED
    assert [f.value for f in (await case.snapshot()).feedback] == [4]


async def test_an_orphan_can_be_attached_to_the_case_it_was_meant_for(desk: Desk) -> None:
    """A mistyped case id is put right by a person; the evidence keeps its own id."""
    mistyped, meant = await unregistered(desk, "mistyped"), await watched(desk, "meant")
    await desk.gateway.attach(mistyped.id, "csat-1", meant.id)
    await meant.settled()
    assert (await standings(meant))["csat-1"] == Standing.DELIVERED
    assert await standings(mistyped) == {}


async def test_what_cannot_be_attached_is_refused_and_stays(desk: Desk) -> None:
    """To a case nobody knows, to one with a message of that id, or what is no orphan."""
    orphan, other = await unregistered(desk, "stays"), await watched(desk, "has-one")
    await other.signalled("feedback", id="csat-1", kind="csat", value=1)
    for id, to, why in (
        ("csat-1", "nobody", "no case 'nobody' is registered"),
        ("csat-1", other.id, "a message 'csat-1' of its own"),
        ("csat-2", other.id, "no orphan 'csat-2'"),
    ):
        with pytest.raises(Refused, match=why):
            await desk.gateway.attach(orphan.id, id, to)
    assert await standings(orphan) == {"csat-1": Standing.ORPHAN}


async def test_an_override_of_a_case_nobody_registered_is_refused_in_the_end(desk: Desk) -> None:
    """Whoever waits for the answer hears it."""
    case = desk.case("nothing-to-override")
    await case.signalled("feedback", **CSAT)
    asking = asyncio.create_task(case.overridden())
    await asyncio.sleep(0.2)
    await case.settled()
    with pytest.raises(Refused, match="not registered"):
        await asking
    assert sorted((await standings(case)).values()) == [Standing.ORPHAN, Standing.REFUSED]


async def test_the_same_id_with_another_body_is_refused_at_the_door(desk: Desk) -> None:
    """Before anything is committed: whoever sends it hears why."""
    case = await watched(desk, "reused")
    await case.signalled("feedback", **CSAT)
    with pytest.raises(Refused, match="'csat-1' was used before for another feedback"):
        await case.signalled("feedback", **CSAT | {"value": 1})
    with pytest.raises(Refused, match="'csat-1' was used before for another feedback"):
        await case.signalled("reopen", id="csat-1")
    assert (await case.settled()).outcome is Outcome.CONFIRMED
    assert await standings(case) == {"csat-1": Standing.DELIVERED, "report": Standing.DELIVERED}


async def test_what_cannot_be_read_is_refused_at_the_door(desk: Desk) -> None:
    """With every reason, and nothing committed."""
    case = await watched(desk, "unreadable")
    with pytest.raises(Refused, match="missing: kind"):
        await case.signalled("feedback", id="f")
    with pytest.raises(Refused, match="there is no message 're-open'"):
        await case.signalled("re-open", id="f")
    assert "f" not in await standings(case)


async def test_a_corrected_override_may_keep_its_id(desk: Desk) -> None:
    """The first try was refused and is kept as such; the second counts."""
    case = await watched(desk, "corrected")
    case.put_back()
    with pytest.raises(Refused):
        await case.overridden(deciding={"kind": "step", "step": 99})
    await case.overridden()
    await case.settled()
    stands = await standings(case)
    assert stands.pop("override-1") == Standing.DELIVERED
    assert sorted(stands.values()) == [Standing.DELIVERED, Standing.REFUSED]


async def test_every_message_of_a_settled_case_stands_as_delivered(desk: Desk) -> None:
    """Those that need no inbox are written down with the settlement."""
    case = await desk.case("all").registered()
    await case.worked_on()
    case.cancelled()
    await case.resolved()
    await case.until(Stage.WATCHING)
    await case.signalled("feedback", **CSAT)
    await case.settled()
    expected = ("registration", "steps-1", "resolution", "csat-1")
    assert await standings(case) == dict.fromkeys(expected, Standing.DELIVERED)


async def test_a_case_registered_while_its_run_gives_up_is_opened_after_all(desk: Desk) -> None:
    """An update that meets a run at the end of its wait is taken in, or taken in by the next run; it is never lost."""
    case = await unregistered(desk, "just-too-late")
    await case.signalled("recontact", id="mail-1")
    await case.later(minutes=9, seconds=59)
    await case.registered()
    await case.settled()
    assert (await standings(case))["mail-1"] == Standing.DELIVERED


async def test_an_override_past_the_gateway_is_checked_by_the_case_itself(desk: Desk) -> None:
    """Any SDK may send it; what is missing is refused before the history."""
    case = await watched(desk, "past-the-gateway")
    whole = case.override()
    del whole["rationale"]
    before = len((await case.handle.fetch_history()).events)
    with pytest.raises(WorkflowUpdateFailedError) as error:
        await case.handle.execute_update("submit_override", whole)
    assert "missing: rationale" in str(error.value.__cause__)
    assert len((await case.handle.fetch_history()).events) == before


async def test_an_answer_counts_though_another_attempt_at_the_message_was_refused(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other attempt let go of the row and the steps; whoever has the receipt keeps them."""
    case = await desk.case("two-attempts").registered()
    asked = desk.gateway._to.update

    async def refused_meanwhile(*words: Any) -> Any:
        (row,) = [r for r in await desk.cases.inbox.of_case(case.id) if r.id == "steps-1"]
        await desk.cases.inbox.refused(row, "steps-1~refused~x", ["not the agent's turn"])
        return await asked(*words)

    monkeypatch.setattr(desk.gateway._to, "update", refused_meanwhile)
    await case.worked_on()
    assert len(await desk.cases.steps(case.id, 99)) == 4
    assert (await standings(case))["steps-1"] == Standing.DELIVERED


async def test_the_same_steps_in_another_batch_are_refused(desk: Desk) -> None:
    """They would count twice, and go with whichever batch is refused."""
    case = await desk.case("batched-again").registered()
    await case.worked_on()
    with pytest.raises(Refused, match=r"by the message \['steps-1'\]"):
        await desk.gateway.record_steps(case.id, Steps(id="steps-2", steps=case.steps))
    assert "steps-2" not in await standings(case)


async def test_a_message_that_found_another_way_is_not_delivered_again(desk: Desk) -> None:
    """The sweeper saw it waiting, a person moved it before the sweeper came to it: it counts in one case only."""
    orphan, meant = await unregistered(desk, "moved"), await watched(desk, "moved-to")
    (seen,) = await desk.cases.inbox.of_case(orphan.id)
    await desk.gateway.attach(orphan.id, "csat-1", meant.id)
    await desk.gateway.redeliver(seen)
    await meant.settled()
    assert await standings(orphan) == {}


async def test_an_override_that_came_before_its_case_waits_until_there_is_something_to_correct(desk: Desk) -> None:
    """Registered is not enough: it would be refused for being early."""
    case = desk.case("early-override")
    case.cancelled()
    await case.signalled("override", **case.override())
    await case.settled()
    await case.reported()
    await swept(desk)
    assert (await standings(case))["override-1"] == Standing.ORPHAN
    await case.settled()
    case.put_back()
    await swept(desk)
    assert (await case.settled()).outcome is Outcome.OVERRIDDEN


@pytest.mark.parametrize("text", ["\x00", "a\x00b"])
async def test_text_that_not_every_database_keeps_is_refused(desk: Desk, text: str) -> None:
    """NUL: before anything is committed, and by the case itself where it comes past the gateway."""
    case = desk.case("nul")
    with pytest.raises(Refused, match="NUL"):
        await desk.gateway.register(case.about.model_copy(update={"intent": text}))
    await case.registered()
    with pytest.raises(Refused, match="NUL"):
        await case.resolved(intent=text)
    with pytest.raises(WorkflowUpdateFailedError) as error:
        await case.handle.execute_update("resolve", case.resolution(intent=text))
    assert "NUL" in str(error.value.__cause__)
    await case.resolved(intent=r"a \u0000 that is only written about")


async def test_an_override_refused_for_being_early_may_come_again_as_it_is(desk: Desk) -> None:
    """The person waits for the resolution and sends the very same: Temporal's memory is not in the way."""
    case = desk.case("too-soon")
    await case.signalled("feedback", **CSAT)
    asking = asyncio.create_task(case.overridden())
    await asyncio.sleep(0.3)
    await case.registered()
    with pytest.raises(Refused, match="has not decided anything yet"):
        await asking
    await case.worked_on()
    case.cancelled()
    await case.resolved()
    await case.until(Stage.WATCHING)
    case.put_back()
    await case.overridden()
    assert (await case.settled()).outcome is Outcome.OVERRIDDEN
