"""The door itself: what is signed and known gets 202, everything else its own refusal, and changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from aftercare.lifecycle.state import Refused
from aftercare.web.webhooks.mapping import Source
from aftercare.web.webhooks.reading import LARGEST
from aftercare.web.webhooks.refusals import WebhookRefused
from aftercare.web.webhooks.routes import webhook_routes
from tests.webhooks.desk import Desk, case
from tests.webhooks.sending import NOW, SOURCES, changed, headers, payload

CASES = (case(), case("case-2", ticket="intercom:1911149811"), case("case-3", ticket="chatwoot:10"))


def served(desk: Desk, sources: Mapping[str, Source] = SOURCES, take: Any = None) -> httpx.AsyncClient:
    """The door, with refusals told as plain JSON."""
    app = FastAPI()
    app.include_router(webhook_routes(sources, desk, take or desk.take, lambda: NOW))

    @app.exception_handler(WebhookRefused)
    async def refused(request: Request, error: WebhookRefused) -> JSONResponse:
        return JSONResponse({"slug": error.slug, "reasons": error.reasons}, error.status)

    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://door")


async def sent(desk: Desk, name: str, body: bytes, given: dict[str, str] | None = None) -> tuple[int, Any]:
    async with served(desk) as door:
        answer = await door.post(
            f"/v1/webhooks/{name}", content=body, headers=headers(name, body) if given is None else given
        )
        return answer.status_code, answer.json()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("zendesk-reopened", "reopen"),
        ("intercom-rated", "feedback"),
        ("chatwoot-rated", "feedback"),
        ("generic-opened", "recontact"),
    ],
)
async def test_what_a_vendor_sends_reaches_its_case(name: str, kind: str) -> None:
    """Once, however often it is sent."""
    desk = Desk(*CASES)
    for _ in range(3):
        assert await sent(desk, name.split("-")[0], payload(name)) == (202, {"events": 1, "matched": 1})
    assert [told[1] for told in desk.told] == [kind]


async def test_what_is_about_no_case_is_welcome_and_kept_nowhere() -> None:
    """The sender did nothing wrong; a ping is told of nothing at all."""
    desk = Desk()
    assert await sent(desk, "zendesk", payload("zendesk-reopened")) == (202, {"events": 1, "matched": 0})
    assert await sent(desk, "intercom", payload("intercom.none.ping")) == (202, {"events": 0, "matched": 0})
    assert desk.taken == {}


BODY = payload("zendesk-reopened")
GOOD = headers("zendesk", BODY)
SIGNATURE, TIME = GOOD
NO_JSON = b"{"
UNMAPPED = changed("zendesk-reopened", event={})
REFUSED: dict[str, tuple[bytes, dict[str, str], int, str]] = {
    "not signed": (BODY, {}, 401, "signature-missing"),
    "signed in another form": (BODY, GOOD | {SIGNATURE: "sha256=ab"}, 401, "signature-malformed"),
    "signed by another": (BODY, headers("zendesk", BODY, key=b"other"), 401, "signature-wrong"),
    "changed on its way": (BODY.replace(b"4711", b"4712"), GOOD, 401, "signature-wrong"),
    "replayed": (BODY, headers("zendesk", BODY, at=NOW - timedelta(minutes=6)), 401, "signature-stale"),
    "no JSON": (NO_JSON, headers("zendesk", NO_JSON), 400, "body-unreadable"),
    "of a shape nobody knows": (UNMAPPED, headers("zendesk", UNMAPPED), 422, "webhook-unmapped"),
    "too large": (b" " * (LARGEST + 1), {}, 413, "body-too-large"),
}


@pytest.mark.parametrize("why", REFUSED)
async def test_whatever_is_refused_changes_nothing(why: str) -> None:
    """Each in its own words."""
    body, given, status, slug = REFUSED[why]
    desk = Desk(*CASES)
    answered, told = await sent(desk, "zendesk", body, given)
    assert (answered, told["slug"]) == (status, slug)
    assert desk.taken == {}


@pytest.mark.parametrize("name", ["freshdesk", "zendesk.yaml", "generic"])
async def test_a_source_that_is_not_set_up_is_not_there(name: str) -> None:
    """Nor is one that has no secret: nothing it sends could be believed."""
    sources = {**SOURCES, "generic": replace(SOURCES["generic"], secrets=())}
    async with served(Desk(*CASES), sources) as door:
        answer = await door.post(f"/v1/webhooks/{name}", content=b"{}", headers=headers("generic", b"{}", key=b""))
        looked = await door.head(f"/v1/webhooks/{name}")
    assert (answer.status_code, answer.json()["slug"], looked.status_code) == (404, "unknown-source", 404)


async def test_a_helpdesk_may_look_whether_the_address_is_there() -> None:
    """Intercom does, before it sends anything."""
    async with served(Desk()) as door:
        assert (await door.head("/v1/webhooks/intercom")).status_code == 200


async def test_what_a_case_cannot_take_in_is_told() -> None:
    """With its reasons."""

    async def take(case_id: str, kind: str, raw: dict[str, Any]) -> None:
        raise Refused(["this has 80 kB; at most 64 kB are taken"])

    async with served(Desk(*CASES), take=take) as door:
        answer = await door.post("/v1/webhooks/zendesk", content=BODY, headers=GOOD)
    assert (answer.status_code, answer.json()["slug"]) == (422, "webhook-refused")


async def test_the_door_is_described() -> None:
    """A JSON object goes in, and every refusal has its status."""
    async with served(Desk()) as door:
        paths = (await door.get("/openapi.json")).json()["paths"]
    post = paths["/v1/webhooks/{source}"]["post"]
    assert set(post["responses"]) == {"202", "400", "401", "404", "413", "422"}
    assert "head" not in paths["/v1/webhooks/{source}"]
    assert post["requestBody"]["content"] == {"application/json": {"schema": {"type": "object"}}}
