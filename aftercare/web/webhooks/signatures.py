"""Signatures: was this body sent by somebody who has the secret, and just now? Pure."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from aftercare.web.webhooks.refusals import SignatureMalformed, SignatureMissing, SignatureWrong, Stale
from aftercare.web.webhooks.schema import Encoding, Signature, Timestamp


def verify(
    signature: Signature, secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: datetime
) -> datetime | None:
    """When a body was signed, where its source signs the time at all.

    `headers` are by lower-case name. Any one of `secrets` will do, so that a secret can be exchanged for a new one.
    Raises SignatureMissing, SignatureMalformed, SignatureWrong or Stale.
    """
    given = _decoded(signature, _header(headers, signature.header))
    at, text = None, ""
    if signature.timestamp:
        text = _header(headers, signature.timestamp.header)
        at = _instant(signature.timestamp, text)
    signed = _signed(signature.signs, text, body)
    # Every secret is tried: how long it takes says nothing about which of them would have fitted.
    fits = [hmac.compare_digest(_digest(signature, secret, signed), given) for secret in secrets]
    if not any(fits):
        raise SignatureWrong
    if at:
        check_fresh(at, now, signature.tolerance)
    return at


def check_fresh(at: datetime, now: datetime, tolerance: timedelta) -> None:
    """Raises Stale where a moment is further from now than the tolerance, on either side."""
    if abs(now - at) > tolerance:
        raise Stale(tolerance.total_seconds())


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name.lower(), "").strip()
    if not value:
        raise SignatureMissing(name)
    return value


def _decoded(signature: Signature, value: str) -> bytes:
    """The signature's own bytes."""
    encoded = value.removeprefix(signature.prefix)
    if not value.startswith(signature.prefix) or not encoded:
        raise SignatureMalformed(signature.header, f"{signature.prefix!r} and a signature")
    try:
        if signature.encoding is Encoding.HEX:
            return binascii.unhexlify(encoded)
        return base64.b64decode(encoded, validate=True)
    except ValueError:
        raise SignatureMalformed(signature.header, signature.encoding.value) from None


def _instant(timestamp: Timestamp, text: str) -> datetime:
    if timestamp.form == "unix":
        if not re.fullmatch(r"[0-9]{1,11}", text):
            raise SignatureMalformed(timestamp.header, "a time in whole seconds since 1970")
        return datetime.fromtimestamp(int(text), UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise SignatureMalformed(timestamp.header, "a time by ISO 8601 with its zone")
    return at


def _signed(template: str, timestamp: str, body: bytes) -> bytes:
    before, after = (part.replace("{timestamp}", timestamp).encode() for part in template.split("{body}"))
    return before + body + after


def _digest(signature: Signature, secret: str, signed: bytes) -> bytes:
    return hmac.new(secret.encode(), signed, signature.algorithm).digest()
