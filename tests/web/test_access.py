"""Who may do what: keys, roles, an agent's own cases, and how much is taken of one sender."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from aftercare.keys import Keys, Role
from aftercare.settings import Settings
from aftercare.store.keys import KeyStore
from aftercare.web.app import Api, create_app
from tests.web.conftest import Site

CSAT = {"id": "csat", "kind": "csat", "value": 4}
WRITES = [
    ("PUT", "/v1/cases/x", {Role.AGENT}),
    ("POST", "/v1/cases/x/steps", {Role.AGENT}),
    ("POST", "/v1/cases/x/resolution", {Role.AGENT}),
    ("POST", "/v1/cases/x/escalation", {Role.AGENT}),
    ("PUT", "/v1/cases/x/report", {Role.AGENT}),
    ("POST", "/v1/cases/x/proposals", {Role.AGENT}),
    ("POST", "/v1/cases/x/override", {Role.REVIEWER}),
    ("POST", "/v1/cases/x/feedback", {Role.AGENT, Role.CUSTOMER_CHANNEL, Role.REVIEWER}),
    ("POST", "/v1/cases/x/recontacts", {Role.AGENT, Role.CUSTOMER_CHANNEL, Role.REVIEWER}),
    ("POST", "/v1/cases/x/reopenings", {Role.AGENT, Role.CUSTOMER_CHANNEL, Role.REVIEWER}),
    ("GET", "/v1/cases", {Role.REVIEWER, Role.OPERATOR}),
    ("GET", "/v1/cases/x", {Role.AGENT, Role.REVIEWER, Role.OPERATOR}),
    ("GET", "/v1/keys", set()),
    ("POST", "/v1/keys", set()),
]


@pytest.mark.parametrize(("method", "path", "let_in"), WRITES, ids=[f"{m} {p}" for m, p, _ in WRITES])
async def test_every_route_lets_its_roles_in_and_no_other(
    site: Site, method: str, path: str, let_in: set[Role]
) -> None:
    """Without a key 401, with a wrong role 403; an admin may do everything."""
    nothing: dict[str, str] | None = None if method == "GET" else {}
    assert (await site.ask(method, path, nothing, role=None)).status_code == 401
    for role in Role:
        status = (await site.ask(method, path, nothing, role)).status_code
        assert (status != 403) == (role in let_in or role is Role.ADMIN), (role, status)


async def test_a_wrong_or_revoked_key_is_refused(site: Site) -> None:
    """And nothing says whether its id is known."""
    keys = Keys(KeyStore(site.desk.cases.database))
    row, token = await keys.make("to be revoked", Role.OPERATOR)
    for wrong in (token[:-1] + ("A" if token[-1] != "A" else "B"), "ak_00000000_" + "x" * 43, "nonsense", ""):
        answer = await site.http.get("/v1/cases", headers={"Authorization": f"Bearer {wrong}"})
        assert answer.status_code == 401
    assert (await site.http.get("/v1/cases", headers={"Authorization": f"Bearer {token}"})).status_code == 200
    await site.ask("DELETE", f"/v1/keys/{row.id}")
    assert (await site.http.get("/v1/cases", headers={"Authorization": f"Bearer {token}"})).status_code == 401


async def test_a_key_is_shown_once_and_its_secret_kept_nowhere(site: Site) -> None:
    """The store holds a digest; the list holds not even that."""
    made = (await site.ask("POST", "/v1/keys", {"name": "bot", "role": "agent", "agent": "retail"})).json()
    secret = made["key"].split("_", 2)[2]
    listed = await site.ask("GET", "/v1/keys")
    assert made["id"] in listed.text
    assert secret not in listed.text
    row = await KeyStore(site.desk.cases.database).find(made["id"])
    assert row is not None
    assert secret not in row.model_dump_json()


async def test_an_agents_key_reaches_its_own_cases_alone(site: Site) -> None:
    """Neither to read nor to write another's; nor to register a case in another's name."""
    at = await site.open("not-yours")
    for method, path, body in (
        ("GET", at, None),
        ("POST", f"{at}/feedback", CSAT),
        ("POST", f"{at}/resolution", {"id": "r"}),
        ("POST", "/v1/feedback", {"feedback": [CSAT | {"case_id": at.rsplit("/")[-1]}]}),
        ("PUT", "/v1/cases/new-one", {"agent": "retail", "domain": "retail"}),
    ):
        answer = await site.ask(method, path, body, "other agent")
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:aftercare:problem:not-yours"), path


async def test_too_much_of_one_sender_is_told_to_wait(site: Site) -> None:
    """Others are served meanwhile."""
    app = create_app(Api(site.desk.env.client, site.desk.cases, Settings(rate="3/minute")))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        answers = [await http.get("/v1/cases", headers=site.as_(Role.OPERATOR)) for _ in range(4)]
        assert [a.status_code for a in answers] == [200, 200, 200, 429]
        assert answers[-1].headers["retry-after"] == "60"
        assert (await http.get("/v1/cases", headers=site.as_(Role.REVIEWER))).status_code == 200


@pytest.mark.parametrize(
    ("client", "host", "origin", "status"),
    [
        ("127.0.0.1", "127.0.0.1:8080", None, 200),
        ("127.0.0.1", "evil.example", None, 401),
        ("127.0.0.1", "127.0.0.1:8080", "http://evil.example", 401),
        ("10.0.0.9", "127.0.0.1:8080", None, 401),
    ],
)
async def test_without_keys_only_this_machine_is_let_in(
    site: Site, client: str, host: str, origin: str | None, status: int
) -> None:
    """And no page of another site that sends a browser here."""
    app = create_app(Api(site.desk.env.client, site.desk.cases, Settings(), without_keys=True))
    transport = httpx.ASGITransport(app, client=(client, 1))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as http:
        headers = {"Origin": origin} if origin else {}
        assert (await http.get("/v1/cases", headers=headers)).status_code == status


async def test_a_registration_that_is_refused_gives_no_agent_the_case(site: Site) -> None:
    """Whoever was first with a bad one neither reads nor writes what another agent registers then."""
    id = site.desk.case("claimed").id
    at = f"/v1/cases/{id}"
    bad = {"agent": "somebody-else", "domain": "no-such-domain"}
    assert (await site.ask("PUT", at, bad, "other agent")).status_code == 202
    assert (await site.ask("GET", f"{at}/messages/registration", role="other agent")).status_code == 200
    row = await site.desk.cases.inbox.find(id, "registration")
    if row:
        await site.desk.gateway.redeliver(row)
    good = await site.ask("PUT", at, {"agent": "retail", "domain": "retail"}, Role.AGENT, Prefer="wait=20")
    assert good.status_code == 200, good.text
    assert (await site.ask("GET", at, role="other agent")).status_code == 403


async def test_an_agents_key_brings_no_steps_into_anothers_case(site: Site) -> None:
    """A report or a registration that names its own agent, and the other's case."""
    at = await site.open("theirs")
    id = at.rsplit("/")[-1]
    case = {"id": id, "agent": "somebody-else", "domain": "retail"}
    steps = [{"number": 1, "kind": "reason"}]
    report = {"id": "r", "case": case, "steps": steps, "resolution": {"id": "e", "intent": "question"}}
    for path, body in ((f"{at}/report", report), (at, case)):
        assert (await site.ask("PUT", path, body, "other agent")).status_code == 403
    assert await site.desk.cases.steps(id, 10) == []


async def test_what_an_agent_sent_ahead_never_reaches_anothers_case(site: Site) -> None:
    """A registration that is refused gives no right to the case; what came with it is refused once it is another's."""
    id = site.desk.case("sent-ahead").id
    at = f"/v1/cases/{id}"
    for method, path, body in (
        ("PUT", at, {"agent": "somebody-else", "domain": "no-such-domain"}),
        ("POST", f"{at}/steps", {"id": "theirs", "steps": [{"number": 1, "kind": "reason", "said": "not mine"}]}),
        ("POST", f"{at}/feedback", CSAT),
    ):
        assert (await site.ask(method, path, body, "other agent")).status_code == 202
    inbox = site.desk.cases.inbox
    for _ in range(200):
        if (await inbox.last_refusal(id, "registration")) is not None:
            break
        await asyncio.sleep(0.05)
    mine = await site.ask("PUT", at, {"agent": "retail", "domain": "retail"}, Role.AGENT, Prefer="wait=20")
    assert mine.status_code == 200, mine.text
    for row in await inbox.of_case(id):
        await site.desk.gateway.redeliver(row)
    standings = {row.id.split("~")[0]: row.standing for row in await inbox.of_case(id) if row.kind != "registration"}
    assert standings == {"theirs": "refused", "csat": "refused"}
    assert await site.desk.cases.steps(id, 99) == []
