"""Invitations by webhook, signed as Standard Webhooks has it (https://www.standardwebhooks.com)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx

from aftercare.asking.invitation import Invitation
from aftercare.asking.links import LOOPBACK
from aftercare.systems.asking import NotAskable
from aftercare.systems.records import SystemUnavailable

PATIENCE = 10.0  # seconds
MAY_PASS = (408, 425, 429)
SHORTEST_KEY = 24  # bytes


class WebhookPort:
    """Posts an invitation as JSON to an address of one of the hosts that the deployment names.

    The address comes with a case, from an agent: without the list it could point at anything this machine can reach.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        secret: str,
        hosts: Collection[str],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`hosts` are names, with a port where it is not the usual one. Raises ValueError for a secret that is none."""
        self._client, self._key, self._hosts, self._now = client, key_in(secret), {host.lower() for host in hosts}, now

    async def ask(self, to: str, invitation: Invitation) -> None:
        """Post it. Raises NotAskable or SystemUnavailable; whoever receives it answers 2xx."""
        address = self._checked(to)
        body = json.dumps(invitation.as_json(), ensure_ascii=False).encode()
        headers = signed(self._key, invitation.id, self._now(), body) | {"content-type": "application/json"}
        posting = self._client.stream(
            "POST", address, content=body, headers=headers, timeout=PATIENCE, follow_redirects=False
        )
        try:
            async with posting as answer:  # what it says beside its status is not read
                status = answer.status_code
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise SystemUnavailable(f"the webhook does not answer ({type(error).__name__})") from None
        if status in MAY_PASS or status >= 500:
            raise SystemUnavailable(f"the webhook answers {status}")
        if not 200 <= status < 300:
            raise NotAskable(f"the webhook refuses: {status}{', and is not followed' if status // 100 == 3 else ''}")

    def _checked(self, to: str) -> str:
        """The address, where the deployment allows its host, over https or to this machine."""
        try:
            parts = urlsplit(to)
            host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
        except ValueError:
            raise NotAskable("the webhook's address cannot be read") from None
        if host not in self._hosts or parts.username or parts.password:
            raise NotAskable("the webhook's host is not among AFTERCARE_SURVEY_WEBHOOK_HOSTS")
        if parts.scheme != "https" and parts.hostname not in LOOPBACK:
            raise NotAskable("a webhook goes over https://, or to this machine")
        return to


def signed(key: bytes, id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers by which a receiver knows that it was us, and when."""
    when = str(int(at.timestamp()))
    signature = hmac.digest(key, f"{id}.{when}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": id,
        "webhook-timestamp": when,
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }


def key_in(secret: str) -> bytes:
    """The key in a secret written as `whsec_` and base64. Raises ValueError, which does not show it."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) < SHORTEST_KEY:
        raise ValueError(
            "AFTERCARE_SURVEY_WEBHOOK_SECRET is whsec_ and at least 24 bytes in base64: "
            'echo "whsec_$(openssl rand -base64 32)"'
        )
    return key
