"""Every door of the app leads to a case: webhooks, traces, surveys, reports, erasure, the codec's endpoint."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time

import httpx
from pydantic import SecretStr

from aftercare.codec import codec_of, new_key
from aftercare.keys import Role
from aftercare.settings import Settings
from aftercare.web.app import Api, create_app
from tests.web.conftest import GENERIC, Site

RESOLUTION = {"id": "resolution", "intent": "question"}


def signed(body: bytes, at: int | None = None) -> dict[str, str]:
    """As docs/webhooks.md says a generic source signs."""
    stamp = str(at or int(time.time()))
    told = hmac.new(GENERIC.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Aftercare-Timestamp": stamp, "X-Aftercare-Signature": f"sha256={told}"}


async def test_a_reopened_ticket_is_evidence_on_its_case(site: Site) -> None:
    """Once, however often it is told; nothing where the signature is wrong or stale."""
    at = await site.open("ticket", ticket="helpdesk:7")
    await site.ask("POST", f"{at}/resolution", RESOLUTION, Role.AGENT, Prefer="wait=20")
    body = json.dumps({"id": "e1", "event": "ticket_reopened", "ticket": "helpdesk:7", "reason": "again"}).encode()
    for wrong in ({}, signed(b"another body"), signed(body, at=int(time.time()) - 3600)):
        refused = await site.http.post("/v1/webhooks/generic", content=body, headers=wrong)
        assert refused.status_code == 401
        assert refused.headers["content-type"] == "application/problem+json"
    for _ in range(2):
        told = await site.http.post("/v1/webhooks/generic", content=body, headers=signed(body))
        assert told.status_code == 202, told.text
        assert told.json()["matched"] == 1
    rows = await site.desk.cases.inbox.of_case(at.rsplit("/")[-1])
    assert [row.kind for row in rows].count("reopen") == 1


async def test_spans_become_a_case(site: Site) -> None:
    """Registered, worked on and resolved, by traces alone."""
    id = site.desk.case("traced").id
    spans = [
        _span("a" * 16, {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_order_details"}, id),
        _span("b" * 16, {"gen_ai.operation.name": "invoke_agent", "aftercare.ending": "resolved"}, id),
    ]
    told = {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}
    for _ in range(2):
        answer = await site.ask("POST", "/v1/traces", told, Role.AGENT)
        assert (answer.status_code, answer.json()) == (200, {}), answer.text
    kinds = sorted(row.kind for row in await site.desk.cases.inbox.of_case(id))
    assert kinds == ["registration", "resolution", "steps"]
    assert (await site.ask("POST", "/v1/traces", told, Role.REVIEWER)).status_code == 403


def _span(id: str, attributes: dict[str, str], case: str) -> dict[str, object]:
    named = {**attributes, "aftercare.case.id": case, "aftercare.agent": "retail", "aftercare.domain": "retail"}
    told = [{"key": key, "value": {"stringValue": value}} for key, value in named.items()]
    times = {"startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000001000000000"}
    return {"traceId": "c" * 32, "spanId": id, "name": "x", "attributes": told, **times}


async def test_a_customer_answers_once(site: Site) -> None:
    """The link that the agent is given leads to the page; its answer is evidence."""
    at = await site.open("asked")
    await site.ask("POST", f"{at}/resolution", RESOLUTION, Role.AGENT, Prefer="wait=20")
    shown = None
    for _ in range(100):
        shown = await site.ask("GET", f"{at}/survey", role=Role.AGENT)
        if shown.status_code == 200:
            break
    assert shown is not None
    link = re.sub("^https?://[^/]+", "", shown.json()["link"])
    page = await site.http.get(link)
    assert page.status_code == 200
    answer = await site.http.post(link, data={"csat": "4", "resolved": "1"})
    assert answer.status_code == 200, answer.text
    rows = {row.id: row.body for row in await site.desk.cases.inbox.of_case(at.rsplit("/")[-1])}
    assert rows["survey-1-csat"]["value"] == 4


async def test_reports_are_for_those_who_may_read_them(site: Site) -> None:
    """Figures with their intervals, as JSON."""
    assert (await site.ask("GET", "/v1/reports", role=Role.AGENT)).status_code == 403
    report = await site.ask("GET", "/v1/reports?by=agent", role=Role.OPERATOR)
    assert report.status_code == 200, report.text


async def test_an_erased_case_is_gone(site: Site) -> None:
    """To read and to write; and the receipt is there to look up."""
    at = await site.open("erased", customer="customer-to-erase")
    receipt = await site.ask("POST", "/v1/erasures", {"customer": "customer-to-erase"})
    assert receipt.status_code in (200, 202), receipt.text
    assert (await site.ask("GET", f"/v1/erasures/{receipt.json()['id']}")).status_code == 200
    assert (await site.ask("GET", at)).status_code == 410
    late = await site.ask("POST", f"{at}/feedback", {"id": "late", "kind": "csat", "value": 1}, Role.CUSTOMER_CHANNEL)
    assert (late.status_code, late.json()["type"]) == (410, "urn:aftercare:problem:erased")
    assert (await site.ask("POST", "/v1/erasures", {"customer": "x"}, Role.OPERATOR)).status_code == 403


async def test_the_codec_opens_payloads_for_those_who_may_see(site: Site) -> None:
    """And for nobody else."""
    keys = new_key()
    codec = codec_of(keys)
    assert codec is not None
    app = create_app(Api(site.desk.env.client, site.desk.cases, Settings(codec_keys=SecretStr(keys))))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        clear = {"payloads": [{"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "eyJhIjoxfQ=="}]}
        sealed = await http.post("/v1/codec/encode", json=clear, headers=site.as_(Role.REVIEWER))
        assert "eyJhIjoxfQ==" not in sealed.text
        opened = await http.post("/v1/codec/decode", json=sealed.json(), headers=site.as_(Role.REVIEWER))
        assert opened.json() == clear
        for role in (Role.AGENT, Role.CUSTOMER_CHANNEL, Role.OPERATOR):
            refused = await http.post("/v1/codec/decode", json=sealed.json(), headers=site.as_(role))
            assert refused.status_code == 403
