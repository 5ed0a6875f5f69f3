"""A helpdesk's side: a payload as its vendor documents it, signed by its scheme and the letter of RFC 2104."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aftercare.web.webhooks.mapping import Source, load_sources

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SENT = NOW - timedelta(seconds=20)
KEY = b"a-secret-of-these-tests"
PAYLOADS = Path(__file__).parent / "payloads"
VENDORS = ("zendesk", "intercom", "chatwoot", "generic")
ENVIRON = {f"AFTERCARE_WEBHOOK_{name.upper()}_SECRET": KEY.decode() for name in VENDORS}
SOURCES = load_sources(None, ENVIRON)


def source(name: str) -> Source:
    """A shipped source that knows the test's secret."""
    return SOURCES[name]


def payload(name: str) -> bytes:
    """The bytes of a payload, as a vendor would send them."""
    return json.dumps(json.loads((PAYLOADS / f"{name}.json").read_text("utf-8"))).encode()


def changed(name: str, **fields: Any) -> bytes:
    """A payload with other top-level fields."""
    return json.dumps(json.loads(payload(name)) | fields).encode()


def hmac_of(algorithm: str, key: bytes, text: bytes) -> bytes:
    """The keyed hash as RFC 2104 has it, without the module that the code under test uses."""
    key = hashlib.new(algorithm, key).digest() if len(key) > 64 else key
    key = key.ljust(64, b"\0")
    inner = hashlib.new(algorithm, bytes(k ^ 0x36 for k in key) + text).digest()
    return hashlib.new(algorithm, bytes(k ^ 0x5C for k in key) + inner).digest()


def headers(name: str, body: bytes, at: datetime = SENT, key: bytes = KEY) -> dict[str, str]:
    """The headers by which each vendor signs."""
    unix, iso = str(int(at.timestamp())), at.strftime("%Y-%m-%dT%H:%M:%SZ")
    match name:
        case "zendesk":
            signature = base64.b64encode(hmac_of("sha256", key, iso.encode() + body)).decode()
            return {"X-Zendesk-Webhook-Signature": signature, "X-Zendesk-Webhook-Signature-Timestamp": iso}
        case "intercom":
            return {"X-Hub-Signature": f"sha1={hmac_of('sha1', key, body).hex()}"}
        case _:
            signature = f"sha256={hmac_of('sha256', key, f'{unix}.'.encode() + body).hex()}"
            vendor = {"chatwoot": "Chatwoot", "generic": "Aftercare"}[name]
            return {f"X-{vendor}-Signature": signature, f"X-{vendor}-Timestamp": unix}
