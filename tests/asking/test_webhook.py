"""Invitations by webhook are signed so that any receiver can tell, and go nowhere but where the deployment allows."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI, Request, Response

from aftercare.asking.invitation import Invitation
from aftercare.demo.shop.serving import running
from aftercare.systems.asking import NotAskable
from aftercare.systems.records import SystemUnavailable
from aftercare.systems.webhook import WebhookPort, key_in, signed
from tests.asking.conftest import NOW

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - published with the standard


class Receiver:
    """An app that takes webhooks, checks their signatures, and answers as a test says."""

    def __init__(self) -> None:
        self.status, self.got = 204, list[dict[str, Any]]()
        self.app = FastAPI()
        self.app.add_api_route("/hook", self.take, methods=["POST"])
        self.app.add_api_route("/elsewhere", self.take, methods=["POST", "GET"])

    async def take(self, request: Request) -> Response:
        body, told = await request.body(), request.headers
        content = f"{told['webhook-id']}.{told['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        right = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
        assert hmac.compare_digest(told["webhook-signature"], f"v1,{right}")
        self.got.append({**await request.json(), "header": told["webhook-id"], "at": told["webhook-timestamp"]})
        return Response(status_code=self.status, headers={"location": "/elsewhere"})


@pytest_asyncio.fixture(loop_scope="session")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(follow_redirects=True) as client:
        yield client


def port_to(client: httpx.AsyncClient, *hosts: str) -> WebhookPort:
    return WebhookPort(client, SECRET, hosts, lambda: NOW)


def test_the_signature_is_that_of_the_standard() -> None:
    """The example that Standard Webhooks publishes with its libraries."""
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = signed(key_in(SECRET), "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_a_receiver_can_tell_that_it_was_us(client: httpx.AsyncClient, invitation: Invitation) -> None:
    """By the signature over id, time and body; and that it got the same twice, by the id."""
    receiver = Receiver()
    with running(receiver.app) as address:
        for _ in range(2):
            await port_to(client, address.removeprefix("http://")).ask(f"{address}/hook", invitation)
    first, second = receiver.got
    assert first == second
    assert (first["link"], first["case_id"], first["survey"]) == (invitation.link, "case-1", "survey-1")
    assert (first["header"], first["at"]) == (invitation.id, str(int(NOW.timestamp())))
    assert "contact" not in first


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (408, SystemUnavailable),
        (429, SystemUnavailable),
        (500, SystemUnavailable),
        (503, SystemUnavailable),
        (400, NotAskable),
        (401, NotAskable),
        (410, NotAskable),
    ],
)
async def test_an_answer_is_final_or_not(
    client: httpx.AsyncClient, invitation: Invitation, status: int, error: type[Exception]
) -> None:
    """As everywhere in HTTP."""
    receiver = Receiver()
    receiver.status = status
    with running(receiver.app) as address, pytest.raises(error, match=str(status)):
        await port_to(client, address.removeprefix("http://")).ask(f"{address}/hook", invitation)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(client: httpx.AsyncClient, invitation: Invitation, status: int) -> None:
    """It would lead past the list of hosts, even with a client that follows."""
    receiver = Receiver()
    receiver.status = status
    with running(receiver.app) as address, pytest.raises(NotAskable, match="not followed"):
        await port_to(client, address.removeprefix("http://")).ask(f"{address}/hook", invitation)
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    ("to", "match"),
    [
        ("https://elsewhere.example.com/hook", "AFTERCARE_SURVEY_WEBHOOK_HOSTS"),
        ("https://hooks.example.com:8443/hook", "AFTERCARE_SURVEY_WEBHOOK_HOSTS"),
        ("https://hooks.example.com@169.254.169.254/", "AFTERCARE_SURVEY_WEBHOOK_HOSTS"),
        ("https://u:p@hooks.example.com/hook", "AFTERCARE_SURVEY_WEBHOOK_HOSTS"),
        ("http://127.0.0.1:9000/hook", "AFTERCARE_SURVEY_WEBHOOK_HOSTS"),
        ("http://hooks.example.com/hook", "over https"),
        ("https://[broken/hook", "cannot be read"),
    ],
)
async def test_it_goes_nowhere_else(invitation: Invitation, to: str, match: str) -> None:
    """The address comes with the case: an agent must not point us at what this machine alone can reach."""

    def reached(request: httpx.Request) -> httpx.Response:
        raise AssertionError("this must not be asked")

    client = httpx.AsyncClient(transport=httpx.MockTransport(reached))
    with pytest.raises(NotAskable, match=match) as refused:
        await port_to(client, "hooks.example.com").ask(to, invitation)
    assert to not in str(refused.value)


async def test_a_receiver_that_is_down_may_come_back(client: httpx.AsyncClient, invitation: Invitation) -> None:
    """No answer is no no."""
    with running(Receiver().app) as address:
        pass
    with pytest.raises(SystemUnavailable, match="does not answer"):
        await port_to(client, address.removeprefix("http://")).ask(f"{address}/hook", invitation)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_not/base64!"])
def test_a_secret_that_is_none_is_refused_and_not_shown(secret: str) -> None:
    """With how to make one."""
    with pytest.raises(ValueError, match=r"AFTERCARE_SURVEY_WEBHOOK_SECRET.*openssl") as refused:
        key_in(secret)
    assert len(secret) < 10 or secret not in str(refused.value)
