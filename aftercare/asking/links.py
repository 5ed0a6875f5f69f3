"""The link to a survey: it says which survey until when, signed, and nothing of the customer."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from aftercare.asking.survey import survey_id

PATH = "/v1/survey/"
SHORTEST_SECRET = 32  # characters
LOOPBACK = ("127.0.0.1", "::1", "localhost")

_SHAPE = re.compile(r"([A-Za-z0-9_-]{1,400})\.([A-Za-z0-9_-]{43})")
_PURPOSE = b"aftercare survey link 1\n"  # what this secret signs here can stand for nothing else


class LinkError(ValueError):
    """A link that opens nothing. Final."""


class LinkMalformed(LinkError):
    """It is no link of ours: cut off, or mistyped."""


class LinkForged(LinkError):
    """Its signature is of none of our secrets."""


class LinkExpired(LinkError):
    """It is ours, and its time is over."""


@dataclass(frozen=True)
class SurveyRef:
    """Which survey: that about an episode of a case, open until `expires_at` (whole seconds)."""

    case_id: str
    episode: int
    expires_at: datetime

    @property
    def survey(self) -> str:
        """The survey's id within its case."""
        return survey_id(self.episode)


class Links:
    """Makes and reads links. The first secret signs, and any of them is believed: so a secret can be replaced."""

    def __init__(self, secrets: Sequence[str], address: str = "") -> None:
        """`address` is where the answer page is seen from outside. Raises ValueError where either is not safe."""
        if not secrets:
            raise ValueError("links are signed, and there is no secret; set AFTERCARE_SURVEY_SECRET")
        if any(len(secret) < SHORTEST_SECRET for secret in secrets):
            raise ValueError(
                f"AFTERCARE_SURVEY_SECRET: a secret has at least {SHORTEST_SECRET} characters; "
                "`openssl rand -hex 32` makes one"
            )
        self._secrets = [secret.encode() for secret in secrets]
        self._address = _checked(address)

    def link(self, ref: SurveyRef) -> str:
        """The address of the survey's page."""
        return f"{self._address}{PATH}{self.token(ref)}"

    def token(self, ref: SurveyRef) -> str:
        """The signed name of a survey: the same for the same, as long as the secret is."""
        told = _encoded(f"{ref.episode}~{int(ref.expires_at.timestamp())}~{ref.case_id}".encode())
        return f"{told}.{_signature(self._secrets[0], told)}"

    def read(self, token: str, now: datetime) -> SurveyRef:
        """Which survey a token names. Raises LinkMalformed, LinkForged or LinkExpired."""
        shape = _SHAPE.fullmatch(token)
        if shape is None:
            raise LinkMalformed("this is no link of ours")
        told, signature = shape.groups()
        # Signed is what was encoded, as it is written: there is no second spelling of the same token.
        if not any(hmac.compare_digest(_signature(secret, told), signature) for secret in self._secrets):
            raise LinkForged("the link's signature is of none of our secrets")
        episode, expires, case_id = _decoded(told).split("~", 2)
        ref = SurveyRef(case_id, int(episode), datetime.fromtimestamp(int(expires), UTC))
        if now >= ref.expires_at:
            raise LinkExpired("the link's time is over")
        return ref


def _checked(address: str) -> str:
    """An address without its last slash. A link opens a page by itself, so it never goes over a line in the clear."""
    parts = urlsplit(address)
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    if address and not (safe and parts.hostname and not parts.query and not parts.fragment):
        raise ValueError("AFTERCARE_PUBLIC_URL is an https:// address (http:// on this machine), such as https://host")
    return address.rstrip("/")


def _signature(secret: bytes, told: str) -> str:
    return _encoded(hmac.digest(secret, _PURPOSE + told.encode(), hashlib.sha256))


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(told: str) -> str:
    return base64.urlsafe_b64decode(told + "=" * (-len(told) % 4)).decode()
