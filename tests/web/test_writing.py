"""What is written through the API is held first, counts once, and is answered with what became of it."""

from __future__ import annotations

from typing import Any

import pytest

from aftercare.keys import Role
from aftercare.messages.case import Step, StepKind, Steps
from tests.web.conftest import Site

RESOLUTION = {"id": "resolution", "intent": "question"}
OVERRIDE = {
    "id": "override-1",
    "reviewer": "r.meyer",
    "final": {"kind": "nothing_to_do"},
    "corrected_intent": "unchanged",
    "rationale": "Nothing had to be done.",
    "deciding": {"kind": "clause", "clause": "general.1"},
}


async def test_a_case_is_told_through_the_api_from_first_contact_to_the_watch(site: Site) -> None:
    """Each write is acknowledged once held; nothing overtakes what came before it."""
    id = site.desk.case("by-api").id
    at, as_agent = f"/v1/cases/{id}", Role.AGENT
    told = [
        await site.ask("PUT", at, {"agent": "retail", "domain": "retail"}, as_agent),
        await site.ask("POST", f"{at}/steps", {"id": "s", "steps": [{"number": 1, "kind": "reason"}]}, as_agent),
        await site.ask("POST", f"{at}/resolution", RESOLUTION, as_agent, Prefer="wait=20"),
    ]
    assert [answer.status_code for answer in told] == [202, 202, 200], [a.text for a in told]
    seen = (await site.ask("GET", at, role=Role.REVIEWER)).json()
    assert seen["steps"]["count"] == 1
    assert (await site.ask("GET", f"{at}/messages/s", role=as_agent)).json()["standing"] == "delivered"


async def test_a_whole_case_in_one_call(site: Site) -> None:
    """An agent that has finished needs no more than that."""
    case = site.desk.case("whole")
    about = {"id": case.id, "agent": "retail", "domain": "retail"}
    report = {"id": "report", "case": about, "steps": [], "resolution": RESOLUTION}
    answer = await site.ask("PUT", f"/v1/cases/{case.id}/report", report, Role.AGENT, Prefer="wait=20")
    assert answer.status_code == 200, answer.text
    wrong = await site.ask("PUT", "/v1/cases/another/report", report, Role.AGENT)
    assert wrong.status_code == 422


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("feedback", {"id": "csat", "kind": "csat", "value": 4}),
        ("recontacts", {"id": "mail"}),
        ("reopenings", {"id": "back", "reason": "again"}),
    ],
)
async def test_evidence_counts_once(site: Site, path: str, body: dict[str, Any]) -> None:
    """The same again is welcome; something else under its id is a conflict and changes nothing."""
    at = await site.open("once")
    first, again = [await site.ask("POST", f"{at}/{path}", body, Role.CUSTOMER_CHANNEL) for _ in range(2)]
    assert first.status_code == 202
    assert again.status_code in (200, 202)
    other = body | {"reason": "x", "comment": "x"}
    conflict = await site.ask("POST", f"{at}/{path}", other, Role.CUSTOMER_CHANNEL)
    assert (conflict.status_code, conflict.json()["type"]) == (409, "urn:aftercare:problem:conflict")


async def test_an_override_is_refused_with_what_is_missing(site: Site) -> None:
    """By the message itself, or by the case, which knows the clauses."""
    at = await site.open("refused")
    await site.ask("POST", f"{at}/resolution", RESOLUTION, Role.AGENT, Prefer="wait=20")
    half = await site.ask("POST", f"{at}/override", {"id": "half", "reviewer": "m"}, Role.REVIEWER)
    assert half.status_code == 422
    assert any(reason.startswith("missing: rationale") for reason in half.json()["reasons"])
    unknown = OVERRIDE | {"deciding": {"kind": "clause", "clause": "no.such"}}
    refused = await site.ask("POST", f"{at}/override", unknown, Role.REVIEWER)
    assert refused.status_code == 422
    assert "no.such" in refused.json()["detail"]
    assert (await site.ask("GET", f"{at}/messages/override-1")).json()["standing"] == "refused"


async def test_an_override_waits_for_its_answer(site: Site) -> None:
    """And says that it was taken in; the snapshot shows it."""
    at = await site.open("corrected")
    await site.ask("POST", f"{at}/resolution", RESOLUTION, Role.AGENT, Prefer="wait=20")
    taken = await site.ask("POST", f"{at}/override", OVERRIDE, Role.REVIEWER)
    assert (taken.status_code, taken.json()["standing"]) == (200, "delivered"), taken.text
    assert len((await site.ask("GET", at)).json()["overrides"]) == 1
    row = await site.desk.cases.inbox.find(at.rsplit("/")[-1], "override-1")
    assert row is not None
    assert row.by is not None


async def test_a_batch_is_held_whole_or_not_at_all(site: Site) -> None:
    """One piece that conflicts keeps the others out."""
    at = await site.open("batch")
    id = at.rsplit("/")[-1]
    pieces = [{"id": f"p{n}", "kind": "csat", "value": n} for n in (1, 2, 3)]
    held = await site.ask("POST", f"{at}/feedback", {"feedback": pieces}, Role.CUSTOMER_CHANNEL)
    assert len(held.json()["taken"]) == 3
    mixed = [{"case_id": id, "id": "p9", "kind": "csat", "value": 1}, {"case_id": id, **pieces[0], "value": 5}]
    refused = await site.ask("POST", "/v1/feedback", {"feedback": mixed}, Role.CUSTOMER_CHANNEL)
    assert refused.status_code == 409
    assert await site.desk.cases.inbox.find(id, "p9") is None


async def test_a_value_its_kind_does_not_take_is_refused(site: Site) -> None:
    """A CSAT of 9 is a mistake of the sender's, and must not move a mean."""
    at = await site.open("csat-9")
    answer = await site.ask("POST", f"{at}/feedback", {"id": "x", "kind": "csat", "value": 9}, Role.CUSTOMER_CHANNEL)
    assert answer.status_code == 422
    assert "from 1 to 5" in answer.json()["detail"]


async def test_steps_before_their_case_wait_for_it(site: Site) -> None:
    """What was acknowledged is not dropped because its registration came by another way, later."""
    id = site.desk.case("steps-first").id
    at = f"/v1/cases/{id}"
    early = await site.ask("POST", f"{at}/steps", {"id": "s", "steps": [{"number": 1, "kind": "reason"}]}, Role.AGENT)
    assert early.status_code == 202
    row = await site.desk.cases.inbox.find(id, "s")
    assert row
    await site.desk.gateway.redeliver(row)
    assert (await site.ask("GET", f"{at}/messages/s")).json()["standing"] == "orphan"
    await site.ask("PUT", at, {"agent": "retail", "domain": "retail"}, Role.AGENT, Prefer="wait=20")
    for waiting in await site.desk.cases.inbox.of_case(id):
        await site.desk.gateway.redeliver(waiting)
    assert (await site.ask("GET", f"{at}/messages/s")).json()["standing"] == "delivered"


async def test_a_refused_registration_is_found_where_its_answer_pointed(site: Site) -> None:
    """A domain without a policy book: held first, then refused by the case, with what there is."""
    path = f"/v1/cases/{site.desk.case('registered-wrongly').id}"
    told = {"agent": "retail", "domain": "nowhere"}
    sent = await site.ask("PUT", path, told, Role.AGENT, Prefer="wait=10")
    assert (sent.status_code, "domain 'nowhere'" in sent.text) == (422, True)
    stands = (await site.ask("GET", f"{path}/messages/registration")).json()
    assert (stands["standing"], "there are: airline, retail" in stands["reasons"][0]) == ("refused", True)


async def test_a_body_that_is_not_called_json_is_told_how(site: Site) -> None:
    """As curl sends it, where nobody names a content type."""
    path = f"/v1/cases/{site.desk.case('no-content-type').id}"
    sent = await site.http.put(path, content=b'{"agent": "a"}', headers=site.as_(Role.AGENT))
    assert (sent.status_code, "Content-Type: application/json" in sent.text) == (415, True)


async def test_a_case_handled_by_a_person_takes_proposals(site: Site) -> None:
    """Shadow mode: the agent's proposal beside what the person did; an agent's own case takes none."""
    at = await site.open("shadow", handled_by="human")
    proposal = {"id": "p", "intent": "refund", "actions": [{"name": "refund", "arguments": {"order": "1"}}]}
    taken = await site.ask("POST", f"{at}/proposals", proposal, Role.AGENT, Prefer="wait=20")
    assert taken.status_code == 200, taken.text
    done = await site.ask("POST", f"{at}/resolution", RESOLUTION, Role.AGENT, Prefer="wait=20")
    assert done.status_code == 200
    seen = (await site.ask("GET", at)).json()
    assert [p["id"] for p in seen["proposals"]] == ["p"]
    assert seen["episodes"][0]["handled_by"] == "human"
    own = await site.open("own")
    refused = await site.ask("POST", f"{own}/proposals", proposal, Role.AGENT, Prefer="wait=20")
    assert refused.status_code == 422


async def test_the_same_words_of_another_kind_are_another_message(site: Site) -> None:
    """A reopening under the id of a second contact is a conflict, and not acknowledged as if it counted."""
    at = await site.open("kinds")
    assert (await site.ask("POST", f"{at}/recontacts", {"id": "mail"})).status_code == 202
    assert (await site.ask("POST", f"{at}/reopenings", {"id": "mail"})).status_code == 409
    piece = {"id": "mail", "kind": "csat", "value": 4}
    assert (await site.ask("POST", f"{at}/feedback", {"feedback": [piece]})).status_code == 409


async def test_nothing_overtakes_what_another_process_left_behind(site: Site) -> None:
    """One died with the steps it had acknowledged; the ending by another one comes after them."""
    at = await site.open("two-processes")
    id = at.rsplit("/")[-1]
    await site.desk.gateway.hold(id, "steps", Steps(id="s", steps=(Step(number=1, kind=StepKind.REASON),)))
    ended = await site.ask("POST", f"{at}/resolution", RESOLUTION, Role.AGENT, Prefer="wait=20")
    assert ended.status_code == 200, ended.text
    assert (await site.ask("GET", f"{at}/messages/s")).json()["standing"] == "delivered"
    assert (await site.ask("GET", at)).json()["steps"]["count"] == 1
