"""Invitations go through a real mail server, over TLS, and nothing in a contact can become more than one address."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope

from aftercare.asking.invitation import Invitation, invitation_of
from aftercare.systems.asking import NotAskable
from aftercare.systems.mail import MailPort, MailServer, address_in
from aftercare.systems.records import OutsideError, SystemMisconfigured, SystemUnavailable
from tests.asking.certificates import self_signed
from tests.asking.conftest import REF

FROM = "ACME Support <support@acme.example>"
KIM = "mailto:kim@example.com"


class Post:
    """What a mail server got, and what it says to a recipient and to a mail."""

    def __init__(self, rcpt: str = "250 OK", data: str = "250 OK") -> None:
        self.got: list[tuple[Envelope, EmailMessage]] = []
        self._rcpt, self._data = rcpt, data

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: Any) -> str:
        envelope.rcpt_tos.append(address)
        return self._rcpt

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        if self._data.startswith("250"):
            self.got.append((envelope, message_from_bytes(envelope.content, policy=policy.default)))
        return self._data


@asynccontextmanager
async def serving(post: Post, tls: ssl.SSLContext | None = None, **options: Any) -> AsyncIterator[int]:
    """A mail server on this machine; yields its port."""
    listening = await asyncio.get_running_loop().create_server(
        lambda: SMTP(post, hostname="mail.test", **options), "127.0.0.1", 0, ssl=tls
    )
    async with listening:
        yield listening.sockets[0].getsockname()[1]


def port_at(address: str, trust: ssl.SSLContext | None = None) -> MailPort:
    return MailPort(MailServer.at(address), FROM, trust, patience=5)


async def test_a_mail_arrives_as_it_was_written(invitation: Invitation) -> None:
    """To one recipient, as text and as HTML, from the mailbox that was set."""
    post = Post()
    async with serving(post) as port:
        await port_at(f"smtp+plain://127.0.0.1:{port}").ask(KIM, invitation)
    ((envelope, mail),) = post.got
    assert (envelope.mail_from, envelope.rcpt_tos) == ("support@acme.example", ["kim@example.com"])
    assert (mail["From"], mail["To"], mail["Subject"]) == (FROM, "kim@example.com", "How did ACME Support do?")
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text
    assert html
    assert invitation.link in text.get_content()
    assert invitation.link in html.get_content()


async def test_a_mail_sent_twice_is_the_same_mail(invitation: Invitation) -> None:
    """Mailboxes tell by its id."""
    post = Post()
    async with serving(post) as port:
        for _ in range(2):
            await port_at(f"smtp+plain://127.0.0.1:{port}").ask(KIM, invitation)
    first, second = (mail["Message-ID"] for _, mail in post.got)
    assert first == second == f"<{invitation.id}@acme.example>"


async def test_a_password_goes_over_tls_alone(invitation: Invitation, tmp_path: Path) -> None:
    """STARTTLS comes first, then the login, then the mail."""
    server, trust = self_signed(tmp_path)
    post, logins = Post(), []

    def login(smtp: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        logins.append((data.login, data.password, session.ssl is not None))
        return AuthResult(success=True)

    options: dict[str, Any] = {
        "tls_context": server,
        "require_starttls": True,
        "authenticator": login,
        "auth_required": True,
    }
    async with serving(post, **options) as port:
        await port_at(f"smtp://us%40acme:p%3Aw@127.0.0.1:{port}", trust).ask(KIM, invitation)
    assert logins == [(b"us@acme", b"p:w", True)]
    assert len(post.got) == 1


async def test_tls_from_the_start(invitation: Invitation, tmp_path: Path) -> None:
    """As smtps has it."""
    server, trust = self_signed(tmp_path)
    post = Post()
    async with serving(post, server) as port:
        await port_at(f"smtps://127.0.0.1:{port}", trust).ask(KIM, invitation)
    assert len(post.got) == 1


async def test_a_certificate_nobody_vouches_for_is_not_trusted(invitation: Invitation, tmp_path: Path) -> None:
    """Somebody may stand in between; it may be mended, so it is tried again."""
    server, _ = self_signed(tmp_path)
    async with serving(Post(), tls_context=server) as port:
        with pytest.raises(SystemUnavailable, match="certificate"):
            await port_at(f"smtp://127.0.0.1:{port}").ask(KIM, invitation)


async def test_a_server_without_tls_is_told_nothing(invitation: Invitation) -> None:
    """Not to go on is the answer, and not to go on in the clear."""
    post = Post()
    async with serving(post) as port:
        with pytest.raises(SystemMisconfigured, match="STARTTLS"):
            await port_at(f"smtp://127.0.0.1:{port}").ask(KIM, invitation)
    assert post.got == []


@pytest.mark.parametrize(
    ("post", "error", "match"),
    [
        (Post(rcpt="550 no such user kim@example.com"), NotAskable, r"the recipient \(550\)"),
        (Post(rcpt="451 greylisted kim@example.com"), SystemUnavailable, r"the recipient \(451\)"),
        (Post(data="554 spam from kim@example.com"), NotAskable, r"the mail \(554\)"),
        (Post(data="452 full"), SystemUnavailable, r"the mail \(452\)"),
    ],
)
async def test_a_no_is_final_or_not_as_the_server_says(
    post: Post, error: type[OutsideError], match: str, invitation: Invitation
) -> None:
    """And never repeats the address."""
    async with serving(post) as port:
        with pytest.raises(error, match=match) as refused:
            await port_at(f"smtp+plain://127.0.0.1:{port}").ask(KIM, invitation)
    assert "kim" not in str(refused.value)
    assert refused.value.__cause__ is None


async def test_a_wrong_password_can_be_mended(invitation: Invitation, tmp_path: Path) -> None:
    """By an operator within the day: no survey is lost for it."""
    server, trust = self_signed(tmp_path)
    options: dict[str, Any] = {
        "tls_context": server,
        "authenticator": lambda *_: AuthResult(success=False, handled=False),
    }
    async with serving(Post(), **options) as port:
        with pytest.raises(SystemUnavailable, match=r"our login \(535\)"):
            await port_at(f"smtp://us:wrong@127.0.0.1:{port}", trust).ask(KIM, invitation)


async def test_a_server_that_is_down_may_come_back(invitation: Invitation) -> None:
    """No answer is no no."""
    async with serving(Post()) as port:
        pass
    with pytest.raises(SystemUnavailable, match="does not answer"):
        await port_at(f"smtp+plain://127.0.0.1:{port}").ask(KIM, invitation)


@pytest.mark.parametrize(
    "contact",
    [
        "mailto:kim@example.com?bcc=all@example.com",
        "mailto:kim@example.com,all@example.com",
        "mailto:kim@example.com%0D%0ABcc: all@example.com",
        "mailto:kim@example.com\r\nBcc: all@example.com",
        "mailto:Kim <kim@example.com>",
        'mailto:"kim"@example.com',
        "mailto:kim",
        "mailto:",
        "mailto:@example.com",
        "mailto:kim@@example.com",
    ],
)
def test_a_contact_is_one_plain_address(contact: str) -> None:
    """Nothing in it becomes a header or another recipient; and what is wrong is said without it."""
    with pytest.raises(NotAskable) as refused:
        address_in(contact)
    assert "example" not in str(refused.value)


def test_an_address_is_read_as_it_is_written_in_a_link() -> None:
    """Percent signs and all."""
    assert address_in("mailto:kim%2Bshop@example.com") == "kim+shop@example.com"
    assert address_in("MAILTO:k.o'neil@sub.example.com") == "k.o'neil@sub.example.com"


async def test_a_name_of_two_lines_is_still_one_subject() -> None:
    """Neither the organisation can add a header."""
    post = Post()
    async with serving(post) as port:
        bad = invitation_of(REF, "https://h/v1/survey/x", "ACME\r\nBcc: all@example.com")
        await port_at(f"smtp+plain://127.0.0.1:{port}").ask(KIM, bad)
    ((envelope, mail),) = post.got
    assert (mail["Bcc"], envelope.rcpt_tos) == (None, ["kim@example.com"])


@pytest.mark.parametrize(
    ("url", "match"),
    [
        ("http://mail.example.com", "begins with one of smtp://HOST"),
        ("smtp://", "begins with"),
        ("smtp://h:notaport", "begins with"),
        ("smtp+plain://u:hunter2@h", "never sent in the clear"),
    ],
)
def test_a_server_s_address_is_checked_at_the_start(url: str, match: str) -> None:
    """With what to set, and without the password in it."""
    with pytest.raises(ValueError, match=match) as refused:
        MailServer.at(url)
    assert "hunter2" not in str(refused.value)


def test_a_password_is_not_shown() -> None:
    """Not where the server is printed."""
    assert "hunter2" not in repr(MailServer.at("smtp://u:hunter2@h"))


def test_a_sender_is_a_mailbox() -> None:
    """Told when the worker starts, and not by every mail."""
    with pytest.raises(ValueError, match="AFTERCARE_SURVEY_FROM"):
        MailPort(MailServer.at("smtp://h"), "ACME Support")
