"""Everything a client can say arrives as the API takes it, from threads and from tasks alike."""

from __future__ import annotations

from typing import Any

import pytest

from aftercare.client import AftercareError
from aftercare.messages.case import Action, Case, CaseReport, Resolution
from aftercare.messages.outcome import Stage
from aftercare.messages.override import Clause, Undo
from aftercare.messages.work import Standing
from tests.client.conftest import done, entered
from tests.client.twin import Twin, problem

CORRECTION = {
    "reviewer": "r.meyer",
    "final": Undo(),
    "corrected_intent": "unchanged",
    "rationale": "She wanted to keep it.",
    "deciding": Clause(clause="cancel.1"),
}


async def test_a_case_is_registered_told_and_resolved_in_three_requests(any_care: Any, twin: Twin) -> None:
    """However many steps it had; each message has an id made of the case's."""
    async with entered(any_care.case("case-1", customer="c-17")) as case:
        for _ in range(20):
            case.step("reason", "thinking")
        await done(case.resolve(intent="cancel", reply="It is cancelled."))
    assert await done(any_care.flush())
    assert twin.ids() == ["case-1", "case-1.steps.1", "case-1.resolution.1"]
    assert [s.number for s in twin.steps("case-1")] == list(range(1, 21))
    assert twin.taken[0].body["customer"] == "c-17"
    assert twin.taken[2].body["reply"] == "It is cancelled."


async def test_a_case_is_handed_over(any_care: Any, twin: Twin) -> None:
    """With the agent's own reason."""
    async with entered(any_care.case("case-1")) as case:
        await done(case.escalate(reason="She asks for a manager.", confidence=0.4))
    assert await done(any_care.flush())
    [escalation] = twin.of("escalation")
    assert (escalation.body["reason"], escalation.body["confidence"]) == ("She asks for a manager.", 0.4)


async def test_a_case_left_without_an_ending_is_left_to_silence(any_care: Any, twin: Twin) -> None:
    """Its steps are sent, and nothing is claimed."""
    async with entered(any_care.case("case-1")) as case:
        case.step("reply", said="Which order is it?")
    assert await done(any_care.flush())
    assert [r.kind for r in twin.taken] == ["registration", "steps"]


async def test_what_customers_and_people_say(any_care: Any, twin: Twin) -> None:
    """Feedback, thumbs on a reply, a second contact, a reopening, a proposal: each is a message of its own."""
    await done(any_care.feedback("case-1", "csat", 5, comment="Quick."))
    await done(any_care.thumbs("case-1", 3, up=False))
    await done(any_care.recontact("case-1", reason="Where is my money?"))
    await done(any_care.reopen("case-1", source="zendesk"))
    await done(any_care.propose("case-1", intent="cancel", actions=(Action(name="cancel"),)))
    assert await done(any_care.flush())
    csat, thumb, recontact, reopen, proposal = twin.taken
    assert (csat.body["kind"], csat.body["value"], csat.body["unit"]) == ("csat", 5, "1-5")
    assert (thumb.body["kind"], thumb.body["value"], thumb.body["step"]) == ("thumbs", -1, 3)
    assert (recontact.kind, recontact.body["same_issue"]) == ("recontact", True)
    assert (reopen.kind, reopen.body["source"]) == ("reopen", "zendesk")
    assert proposal.body["actions"] == [{"name": "cancel"}]


async def test_the_same_is_said_of_the_case_at_hand(any_care: Any, twin: Twin) -> None:
    """A case knows its own id."""
    async with entered(any_care.case("case-1", handled_by="human")) as case:
        reply = case.step("reply", said="Done.")
        await done(case.thumbs(reply, up=True))
        await done(case.feedback("csat", 4))
        await done(case.propose(intent="cancel"))
    assert await done(any_care.flush())
    assert [r.kind for r in twin.taken] == ["registration", "steps", "feedback", "feedback", "proposal"]
    assert {r.case_id for r in twin.taken} == {"case-1"}


async def test_a_whole_report_is_one_message(any_care: Any, twin: Twin) -> None:
    """From an agent that has already finished."""
    case = Case(id="case-1", agent="shop-assistant", domain="retail")
    await done(any_care.report(CaseReport(id="report-1", case=case, resolution=Resolution(id="resolution-1"))))
    assert await done(any_care.flush())
    assert [(r.kind, r.id) for r in twin.taken] == [("report", "report-1")]


async def test_a_given_id_counts_once(any_care: Any, twin: Twin) -> None:
    """And without one, each call is another piece."""
    for _ in range(2):
        await done(any_care.feedback("case-1", "csat", 5, id="survey-7"))
        await done(any_care.feedback("case-1", "csat", 5))
    await done(any_care.flush())
    assert len(twin.ids()) == 3
    assert any_care.refused() == ()


async def test_an_override_waits_for_the_cases_answer(any_care: Any, twin: Twin) -> None:
    """And says that it was taken in; its form is told apart by its kind."""
    assert await done(any_care.override("case-1", **CORRECTION)) == Standing.DELIVERED
    [override] = twin.of("override")
    assert override.body["final"] == {"kind": "undo"}
    assert override.headers["prefer"] == "wait=10"


async def test_an_override_that_is_refused_raises_with_every_reason(any_care: Any, twin: Twin) -> None:
    """So that the person can put it right."""
    twin.replies.append(problem(422, "there is no clause 'cancel.1'", "there is no step 9"))
    with pytest.raises(AftercareError) as refused:
        await done(any_care.override("case-1", **CORRECTION))
    assert refused.value.reasons == ("there is no clause 'cancel.1'", "there is no step 9")


async def test_an_override_without_an_answer_is_kept(any_care: Any, twin: Twin) -> None:
    """Where nobody answers in time it waits, and is sent later."""
    twin.down = True
    assert await done(any_care.override("case-1", **CORRECTION, answer=0.05)) == Standing.WAITING
    twin.down = False
    assert await done(any_care.flush())
    assert len(twin.of("override")) == 1


async def test_half_an_override_is_not_sent(any_care: Any, twin: Twin) -> None:
    """What is missing is said at once."""
    with pytest.raises(AftercareError, match="rationale"):
        await done(any_care.override("case-1", **CORRECTION | {"rationale": " "}))
    assert twin.attempts == 0


async def test_a_case_can_be_looked_at(any_care: Any) -> None:
    """As Aftercare sees it."""
    async with entered(any_care.case("case-1")) as case:
        await done(case.resolve())
    await done(any_care.flush())
    assert (await done(any_care.snapshot("case-1"))).stage == Stage.WATCHING


async def test_looking_where_nothing_is_raises(any_care: Any, twin: Twin) -> None:
    """An unknown case, and an Aftercare that is down: looking is the one thing that cannot be done later."""
    with pytest.raises(AftercareError, match="nobody has heard"):
        await done(any_care.snapshot("case-9"))
    twin.down = True
    with pytest.raises(AftercareError, match="does not answer"):
        await done(any_care.snapshot("case-9"))


@pytest.mark.parametrize("id", ["", "with space", "a/b", "x" * 121])
async def test_an_id_that_cannot_be_is_the_authors_mistake(any_care: Any, id: str) -> None:
    """It raises at once, wherever it is given, and nothing is sent."""
    with pytest.raises(AftercareError, match="id"):
        any_care.case(id)
    with pytest.raises(AftercareError, match="id"):
        any_care.feedback(id, "csat", 5)
    with pytest.raises(AftercareError, match="id"):
        await done(any_care.override(id, **CORRECTION))


async def test_a_name_there_is_not_is_the_authors_mistake(any_care: Any) -> None:
    """Of a kind of step, or of a field."""
    async with entered(any_care.case("case-1")) as case:
        with pytest.raises(ValueError, match="thinking"):
            case.step("thinking")
        with pytest.raises(TypeError, match="confidense"):
            case.step("reason", confidense=1.0)
    with pytest.raises(TypeError, match="costumer"):
        any_care.case("case-1", costumer="c-17")
