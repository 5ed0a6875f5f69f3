"""Invitations by e-mail."""

from __future__ import annotations

import asyncio
import contextlib
import re
import smtplib
import ssl
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, localtime, parseaddr
from urllib.parse import unquote, urlsplit

from aftercare.asking.invitation import Invitation
from aftercare.systems.asking import NotAskable
from aftercare.systems.records import OutsideError, SystemMisconfigured, SystemUnavailable

PATIENCE = 15.0  # seconds, for each word of the server
PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}

# One plain address: no list, no comment, no header of its own, nothing quoted.
_ADDRESS = re.compile(r"[^\s\x00-\x20\x7f@<>()\[\],;:\\\"?]{1,64}@[^\s\x00-\x20\x7f@<>()\[\],;:\\\"?]{1,255}")


@dataclass(frozen=True)
class MailServer:
    """A mail server, from an address like `smtp://user:password@host:587` (user and password percent-encoded).

    `smtp` goes over to TLS before anything is said (STARTTLS) and refuses to go on without; `smtps` is TLS from the
    start; `smtp+plain` is in the clear, for a relay within a network of one's own, and takes no password.
    """

    scheme: str
    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def at(cls, url: str) -> MailServer:
        """The server at an address. Raises ValueError that says what is wrong, and not the address."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host or parts.scheme not in PORTS:
            raise ValueError(f"AFTERCARE_SMTP_URL begins with one of {', '.join(f'{s}://HOST' for s in PORTS)}")
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        if password and parts.scheme == "smtp+plain":
            raise ValueError("AFTERCARE_SMTP_URL: a password is never sent in the clear; use smtp:// or smtps://")
        return cls(parts.scheme, host, port or PORTS[parts.scheme], user, password)


class MailPort:
    """Sends an invitation through a mail server. `sender` is a mailbox: `Name <address>`."""

    def __init__(
        self, server: MailServer, sender: str, tls: ssl.SSLContext | None = None, patience: float = PATIENCE
    ) -> None:
        """Raises ValueError where the sender is no mailbox."""
        name, address = parseaddr(sender)
        if not _ADDRESS.fullmatch(address):
            raise ValueError("AFTERCARE_SURVEY_FROM is a mailbox, such as 'Support <support@example.com>'")
        self._server, self._patience = server, patience
        self._from = Address(display_name=name, addr_spec=address)
        self._tls = tls or ssl.create_default_context()

    async def ask(self, to: str, invitation: Invitation) -> None:
        """Give the mail to the server. Raises NotAskable, SystemMisconfigured or SystemUnavailable."""
        message = self._message(address_in(to), invitation)
        try:
            await asyncio.to_thread(self._send, message)
        except OSError as error:  # smtplib's errors are of this kind too
            raise _as_ours(error) from None  # theirs hold the address

    def _message(self, address: str, invitation: Invitation) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"] = self._from, Address(addr_spec=address)
        message["Subject"], message["Date"] = invitation.subject, format_datetime(localtime())
        # Sent twice it is the same mail, and most mailboxes show it once.
        message["Message-ID"] = f"<{invitation.id}@{self._from.domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(invitation.text)
        message.add_alternative(invitation.html, subtype="html")
        return message

    def _send(self, message: EmailMessage) -> None:
        session = self._session()
        try:
            if self._server.scheme == "smtp":
                session.starttls(context=self._tls)
            if self._server.user:
                session.login(self._server.user, self._server.password)
            session.send_message(message)
            with contextlib.suppress(OSError):  # it is sent, however the server takes its leave
                session.quit()
        finally:
            session.close()

    def _session(self) -> smtplib.SMTP:
        at = self._server
        if at.scheme == "smtps":
            return smtplib.SMTP_SSL(at.host, at.port, timeout=self._patience, context=self._tls)
        return smtplib.SMTP(at.host, at.port, timeout=self._patience)


def address_in(contact: str) -> str:
    """The address in `mailto:...`. Raises NotAskable unless it is one plain address."""
    address = unquote(contact.split(":", 1)[1])
    if not _ADDRESS.fullmatch(address):
        raise NotAskable("a mailto: contact names one plain address, and this one does not")
    return address


def _as_ours(error: OSError) -> OutsideError:
    """What a mail server's no means. Only a no to the recipient or to the mail is final: the rest can be mended."""
    match error:
        case smtplib.SMTPNotSupportedError():
            return SystemMisconfigured("the mail server lacks what is needed: STARTTLS, a login, or addresses in UTF-8")
        case smtplib.SMTPRecipientsRefused():
            code = next(iter(error.recipients.values()))[0]
            return _said("the recipient", code, final=code >= 500)
        case smtplib.SMTPDataError():
            return _said("the mail", error.smtp_code, final=error.smtp_code >= 500)
        case smtplib.SMTPResponseException():
            what = "our login" if isinstance(error, smtplib.SMTPAuthenticationError) else "to go on"
            return _said(what, error.smtp_code, final=False)
        case ssl.SSLError():
            return SystemUnavailable("the mail server's certificate or TLS is not accepted")
        case _:
            return SystemUnavailable(f"the mail server does not answer ({type(error).__name__})")


def _said(what: str, code: int, final: bool) -> OutsideError:
    reason = f"the mail server refuses {what} ({code})"
    return NotAskable(reason) if final else SystemUnavailable(reason)
