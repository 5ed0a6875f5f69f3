"""Ports by which customers are asked: which one, is told by where the case says that they may be asked."""

from __future__ import annotations

from typing import Protocol

from aftercare.asking.invitation import Invitation
from aftercare.systems.records import OutsideError, SystemMisconfigured, SystemUnavailable


class NotAskable(OutsideError):
    """This customer cannot be asked there. Final."""


class Asks(Protocol):
    """A port. `ask` returns once the invitation has been taken over.

    Raises SystemUnavailable where it may be later (also where an operator can mend it), and NotAskable or
    SystemMisconfigured where it never will be. No error holds the address.
    """

    async def ask(self, to: str, invitation: Invitation) -> None: ...


class HandedPort:
    """The link is handed to the agent, who fetches it: there is nothing to send."""

    async def ask(self, to: str, invitation: Invitation) -> None:
        """Nothing to do."""


class RememberedPort:
    """The twin: remembers whom it asked. `down` makes it unavailable."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Invitation]] = []
        self.down = False

    async def ask(self, to: str, invitation: Invitation) -> None:
        """Into memory."""
        if self.down:
            raise SystemUnavailable("the port is down")
        self.asked.append((to, invitation))


class PortByContact:
    """The port for where a case's customer may be asked: `mailto:...`, `https://...`, or nowhere (handed)."""

    def __init__(self, mail: Asks | None = None, webhook: Asks | None = None) -> None:
        self._mail, self._webhook, self._handed = mail, webhook, HandedPort()

    async def ask(self, to: str, invitation: Invitation) -> None:
        """By the port that goes there. Raises SystemMisconfigured where none is set up, and what the port raises."""
        await self._of(to).ask(to, invitation)

    def _of(self, to: str) -> Asks:
        match way(to):
            case "handed":
                return self._handed
            case "mail":
                if self._mail:
                    return self._mail
                raise SystemMisconfigured("no mail can be sent: set AFTERCARE_SMTP_URL and AFTERCARE_SURVEY_FROM")
            case "webhook":
                if self._webhook:
                    return self._webhook
                raise SystemMisconfigured("no webhook can be sent: set AFTERCARE_SURVEY_WEBHOOK_SECRET and its hosts")
        raise NotAskable("a contact is mailto:..., https://... or nothing, and this one is none of these")


def way(contact: str | None) -> str:
    """How a customer with this contact is asked: `mail`, `webhook`, `handed`, or `unknown`."""
    if not contact:
        return "handed"
    return {"mailto": "mail", "https": "webhook", "http": "webhook"}.get(contact.split(":", 1)[0].lower(), "unknown")
