"""A request is believed if somebody with the secret sent it just now; otherwise it is said which of it is not so."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercare.web.webhooks.refusals import (
    SignatureMalformed,
    SignatureMissing,
    SignatureWrong,
    Stale,
    WebhookRefused,
)
from aftercare.web.webhooks.schema import Encoding, Signature
from aftercare.web.webhooks.signatures import verify
from tests.webhooks.sending import KEY, NOW, SENT, VENDORS, headers, hmac_of, source

BODY = '{"say": "héllo"}'.encode()


def checked(name: str, given: dict[str, str], body: bytes = BODY, **changes: Any) -> datetime | None:
    by = source(name)
    named = {k.lower(): v for k, v in given.items()}
    return verify(by.signature, changes.get("secrets", by.secrets), named, body, changes.get("now", NOW))


def test_the_example_that_zendesk_published_is_believed() -> None:
    """Secret, body, time and signature of its page as it stood until 2022, when it signed the time after the body."""
    then = Signature.model_validate(source("zendesk").signature.model_dump() | {"signs": "{body}{timestamp}"})
    secret = "HRkRd4BeOAoUkfZr-mhauJT64rvBASlJRoIyPsd3zeA="  # noqa: S105, it stands on the page
    given = {
        "x-zendesk-webhook-signature": "tRDSF7URY8BLCDlaBcQ7FHu051Zk+aAB0NKMP53teMw=",
        "x-zendesk-webhook-signature-timestamp": "2021-07-25T10:00:00Z",
    }
    at = datetime(2021, 7, 25, 10, tzinfo=UTC)
    assert verify(then, [secret], given, b'{"say": "hello"}', at) == at


def test_the_second_example_of_rfc_2202_is_believed() -> None:
    """HMAC-SHA1 as Intercom writes it, with a value that others have worked out."""
    given = {"X-Hub-Signature": "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"}
    assert checked("intercom", given, b"what do ya want for nothing?", secrets=["Jefe"]) is None


@pytest.mark.parametrize("name", VENDORS)
def test_what_was_signed_just_now_is_believed(name: str) -> None:
    """By every vendor's scheme, whatever stands in the body; and the signed time is told, where there is one."""
    assert checked(name, headers(name, BODY)) == (None if name == "intercom" else SENT)


@pytest.mark.parametrize("name", VENDORS)
def test_another_body_or_another_secret_is_not_believed(name: str) -> None:
    """Nor is it said how near it came."""
    for signed, body in ((headers(name, BODY), BODY + b" "), (headers(name, BODY, key=b"other"), BODY)):
        with pytest.raises(SignatureWrong) as refused:
            checked(name, signed, body)
        assert refused.value.reasons == [
            "the signature does not fit the body; look whether both sides have the same secret"
        ]


@pytest.mark.parametrize("name", VENDORS)
def test_a_missing_header_is_named(name: str) -> None:
    """Each of those that the source signs with; an empty one is missing too."""
    whole = headers(name, BODY)
    for header in whole:
        for without in ({k: v for k, v in whole.items() if k != header}, whole | {header: " "}):
            with pytest.raises(SignatureMissing, match=header):
                checked(name, without)


MALFORMED = {
    "not base64": ("zendesk", "X-Zendesk-Webhook-Signature", "???", "is not base64"),
    "not an ISO time": ("zendesk", "X-Zendesk-Webhook-Signature-Timestamp", "yesterday", "ISO 8601 with its zone"),
    "a time without a zone": ("zendesk", "X-Zendesk-Webhook-Signature-Timestamp", "2026-11-23T12:00:00", "its zone"),
    "no prefix": ("intercom", "X-Hub-Signature", "ab" * 20, "'sha1=' and a signature"),
    "nothing after the prefix": ("intercom", "X-Hub-Signature", "sha1=", "'sha1=' and a signature"),
    "not hex": ("chatwoot", "X-Chatwoot-Signature", "sha256=xyz", "is not hex"),
    "hex with spaces": ("chatwoot", "X-Chatwoot-Signature", "sha256=ab cd", "is not hex"),
    "not a number": ("chatwoot", "X-Chatwoot-Timestamp", "1e9", "whole seconds since 1970"),
    "digits of another script": ("chatwoot", "X-Chatwoot-Timestamp", "١٢٣", "whole seconds since 1970"),
    "a number beyond all time": ("chatwoot", "X-Chatwoot-Timestamp", "9" * 40, "whole seconds since 1970"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_header_that_cannot_be_read_is_named(case: str) -> None:
    """With the form it should have, and without what stood in it."""
    name, header, value, told = MALFORMED[case]
    with pytest.raises(SignatureMalformed, match=told) as refused:
        checked(name, headers(name, BODY) | {header: value})
    assert header in str(refused.value)


@pytest.mark.parametrize("name", ["zendesk", "chatwoot", "generic"])
@pytest.mark.parametrize("off", [timedelta(minutes=-5, seconds=-1), timedelta(minutes=5, seconds=1)])
def test_what_was_signed_too_long_ago_is_a_replay(name: str, off: timedelta) -> None:
    """Or too far ahead: at most five minutes either way; just inside is welcome."""
    with pytest.raises(Stale, match="300 seconds"):
        checked(name, headers(name, BODY, at=NOW + off))
    near = NOW + off * (300 / 301)
    assert checked(name, headers(name, BODY, at=near)) == near


@pytest.mark.parametrize("name", ["zendesk", "chatwoot", "generic"])
def test_an_old_request_is_not_made_new_by_its_header(name: str) -> None:
    """The time is signed with the body."""
    old, new = headers(name, BODY, at=NOW - timedelta(hours=1)), headers(name, BODY)
    signature, time = list(old)
    with pytest.raises(SignatureWrong):
        checked(name, {signature: old[signature], time: new[time]})


def test_a_secret_can_be_exchanged() -> None:
    """For a while both the old and the new one are believed."""
    for key in (b"old", b"new"):
        assert checked("chatwoot", headers("chatwoot", BODY, key=key), secrets=["new", "old"])
    with pytest.raises(SignatureWrong):
        checked("chatwoot", headers("chatwoot", BODY, key=b"older"), secrets=["new", "old"])


def test_without_a_secret_nothing_is_believed() -> None:
    """Not even what is signed with an empty one."""
    with pytest.raises(SignatureWrong):
        checked("generic", headers("generic", BODY, key=b""), secrets=())


@given(st.binary(), st.text(max_size=80), st.text(max_size=30))
def test_whatever_the_headers_say_it_is_a_plain_refusal(body: bytes, signature: str, time: str) -> None:
    """Never another error, and never believed."""
    for name in VENDORS:
        given = dict(zip(headers(name, body), (signature, time), strict=False))
        with pytest.raises(WebhookRefused) as refused:
            checked(name, given, body)
        assert refused.value.status == 401


@given(st.binary(max_size=200), st.binary(min_size=1, max_size=100))
def test_the_bytes_are_signed_as_they_came(body: bytes, key: bytes) -> None:
    """Whatever they are, with a secret of any length, and with text around them."""
    scheme = Signature(header="S", encoding=Encoding.BASE64, signs="<{body}>", secret="S")  # noqa: S106, a name
    secret = key.hex()
    given = base64.b64encode(hmac_of("sha256", secret.encode(), b"<" + body + b">")).decode()
    assert verify(scheme, [secret], {"s": given}, body, NOW) is None


def test_the_keyed_hash_of_these_tests_is_the_known_one() -> None:
    """The second example of RFC 4231."""
    known = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert hmac_of("sha256", b"Jefe", b"what do ya want for nothing?").hex() == known
    assert KEY.decode() in source("zendesk").secrets
    assert KEY.decode() not in repr(source("zendesk"))
