"""The surveys of a deployment: asked through a port by the sender, or shown to the agent who hands the link over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import httpx

from aftercare.asking.invitation import invitation_of
from aftercare.asking.links import Links, SurveyRef
from aftercare.messages.base import Instant, Message
from aftercare.messages.case import Case
from aftercare.sender import Dropped, Handler, Sender
from aftercare.settings import Settings
from aftercare.store.cases import Cases
from aftercare.store.outbox import SURVEY, Outbox, Sending
from aftercare.store.tables import OutboxRow
from aftercare.systems.asking import Asks, PortByContact, way
from aftercare.systems.mail import MailPort, MailServer
from aftercare.systems.webhook import WebhookPort


class SurveyShown(Message):
    """The latest survey about a case: where it stands, how it goes out, until when it is open.

    `link` is there only while it is open and the agent is to hand it over; one that is sent is the customer's alone.
    """

    survey: str
    standing: str
    by: Literal["mail", "webhook", "handed", "unknown"]
    expires_at: Instant
    link: str | None = None


class Surveys:
    """Asks customers. What it has to know of a case it reads when it asks: nothing of it lies in the outbox."""

    def __init__(
        self,
        cases: Cases,
        links: Links,
        port: Asks,
        organisation: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._cases, self._outbox = cases, Outbox(cases.database)
        self._links, self._port, self._organisation, self._now = links, port, organisation, now

    async def send(self, row: OutboxRow) -> None:
        """Ask one customer: the sender's handler of surveys.

        Raises Dropped where the case went on meanwhile or the link has expired, and what the port raises.
        """
        ref = ref_of(row)
        if overtaken := await self._outbox.overtaken(row):
            raise Dropped(overtaken)
        if self._now() >= ref.expires_at:
            raise Dropped("its link has expired")
        case = await self._case(row.case_id)
        if case is None:
            raise Dropped("the case was erased")
        invitation = invitation_of(ref, self._links.link(ref), self._organisation)
        await self._port.ask(case.contact or "", invitation)

    async def shown(self, case_id: str) -> SurveyShown | None:
        """The latest survey about a case, for its agent; None where there is none."""
        row, case = await self._outbox.survey_of(case_id), await self._case(case_id)
        if row is None or case is None:
            return None
        ref, by = ref_of(row), way(case.contact)
        is_open = row.standing in (Sending.WAITING, Sending.SENT) and self._now() < ref.expires_at
        link = self._links.link(ref) if by == "handed" and is_open else None
        return SurveyShown(survey=row.id, standing=row.standing, by=by, expires_at=ref.expires_at, link=link)

    async def _case(self, case_id: str) -> Case | None:
        row = await self._cases.find(case_id)
        return Case.model_validate(row.body) if row and not row.erased_at else None


async def held_answers(cases: Cases, case_id: str, ids: Sequence[str]) -> Mapping[str, Any] | None:
    """The bodies that lie in the inbox under these ids; None where the case is not there or was erased."""
    case = await cases.find(case_id)
    if case is None or case.erased_at:
        return None
    rows = [await cases.inbox.find(case_id, id) for id in ids]
    return {row.id: row.body for row in rows if row}


def ref_of(row: OutboxRow) -> SurveyRef:
    """The survey that a row of the outbox stands for."""
    return SurveyRef(row.case_id, row.body["episode"], datetime.fromisoformat(row.body["expires_at"]))


def links_of(settings: Settings) -> Links | None:
    """The links of a deployment; None where it has no secret or no public address: nobody is asked there.

    Raises ValueError where either is set wrongly.
    """
    if not settings.asks:
        return None
    secrets = settings.survey_secret.get_secret_value().split(",")
    return Links([secret.strip() for secret in secrets if secret.strip()], settings.public_url)


def surveys_of(settings: Settings, cases: Cases, http: httpx.AsyncClient) -> Surveys | None:
    """The surveys of a deployment; None where nobody is asked. Raises ValueError where a setting is wrong."""
    links = links_of(settings)
    if links is None:
        return None
    return Surveys(cases, links, PortByContact(_mail(settings), _webhook(settings, http)), settings.organisation)


def sender_of(
    settings: Settings, cases: Cases, http: httpx.AsyncClient, others: Mapping[str, Handler] | None = None
) -> Sender:
    """The sender of a worker, with the handlers of the other kinds. Raises ValueError where a setting is wrong."""
    surveys = surveys_of(settings, cases, http)
    asking: dict[str, Handler] = {SURVEY: surveys.send} if surveys else {}
    return Sender(Outbox(cases.database), asking | dict(others or {}))


def _mail(settings: Settings) -> MailPort | None:
    url = settings.smtp_url.get_secret_value()
    return MailPort(MailServer.at(url), settings.survey_from) if url else None


def _webhook(settings: Settings, http: httpx.AsyncClient) -> WebhookPort | None:
    secret = settings.survey_webhook_secret.get_secret_value()
    return WebhookPort(http, secret, settings.survey_webhook_hosts) if secret else None
