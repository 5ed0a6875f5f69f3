"""A case that enters its watch is asked about once, where its customer may be asked; else its agent gets the link."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from aftercare.asking.links import Links
from aftercare.asking.survey import Answers, evidence_ids, feedback_of
from aftercare.sender import Sender
from aftercare.settings import Settings
from aftercare.store.cases import Cases
from aftercare.store.outbox import Outbox, Sending
from aftercare.store.tables import CaseRow, EvidenceRow
from aftercare.surveys import Surveys, held_answers, links_of, sender_of, surveys_of
from aftercare.systems.asking import NotAskable, PortByContact, RememberedPort
from aftercare.systems.records import SystemMisconfigured
from tests.asking.conftest import NOW, OPEN_FOR, REF, SECRET, Clock, came, queued, registered, row_of

LATER = timedelta(seconds=1)
Of = Callable[..., Surveys]


@pytest.fixture
def mail() -> RememberedPort:
    return RememberedPort()


@pytest.fixture
def surveys(cases: Cases, links: Links, mail: RememberedPort, clock: Clock) -> Surveys:
    return Surveys(cases, links, PortByContact(mail), "ACME", clock)


@pytest.fixture
def sender(outbox: Outbox, surveys: Surveys, clock: Clock) -> Sender:
    return Sender(outbox, {"survey": surveys.send}, clock)


async def test_a_customer_is_asked_where_the_case_says(
    outbox: Outbox, sender: Sender, mail: RememberedPort, links: Links
) -> None:
    """Once, with a link that opens this very survey."""
    await queued(outbox)
    assert [await sender.sweep(), await sender.sweep()] == [1, 0]
    ((to, invitation),) = mail.asked
    assert (to, links.read(invitation.link.rsplit("/", 1)[1], NOW)) == ("mailto:kim@example.com", REF)


async def test_a_case_that_was_reopened_first_is_not_asked_about(
    outbox: Outbox, sender: Sender, mail: RememberedPort, clock: Clock
) -> None:
    """While the mail server was away, say."""
    mail.down = True
    await queued(outbox)
    await sender.sweep()
    await came(outbox, "reopen", NOW + LATER)
    mail.down = False
    clock.forward(timedelta(hours=1))
    await sender.sweep()
    row = await row_of(outbox)
    assert (row.standing, row.reason, mail.asked) == (Sending.DROPPED, "the case was reopened", [])


async def test_a_link_that_has_expired_is_not_sent(
    outbox: Outbox, sender: Sender, mail: RememberedPort, clock: Clock
) -> None:
    """It would open nothing."""
    await queued(outbox)
    clock.forward(OPEN_FOR)
    await sender.sweep()
    row = await row_of(outbox)
    assert (row.standing, row.reason, mail.asked) == (Sending.DROPPED, "its link has expired", [])


async def test_without_a_contact_the_agent_gets_the_link(
    cases: Cases, outbox: Outbox, surveys: Surveys, sender: Sender, mail: RememberedPort, links: Links, clock: Clock
) -> None:
    """Nothing is sent, and the link is shown until it expires."""
    await registered(cases, "case-2", None)
    await queued(outbox, "case-2")
    await sender.sweep()
    shown = await surveys.shown("case-2")
    assert shown
    assert (shown.standing, shown.by, mail.asked) == ("sent", "handed", [])
    assert shown.link
    assert links.read(shown.link.rsplit("/", 1)[1], NOW).case_id == "case-2"
    clock.forward(OPEN_FOR)
    late = await surveys.shown("case-2")
    assert late
    assert late.link is None


async def test_a_link_that_goes_to_the_customer_is_not_shown_to_the_agent(outbox: Outbox, surveys: Surveys) -> None:
    """Who is judged does not hold the ballot."""
    await queued(outbox)
    shown = await surveys.shown("case-1")
    assert shown
    assert (shown.by, shown.link, shown.expires_at) == ("mail", None, NOW + OPEN_FOR)


async def test_an_answer_is_known_again_in_the_store(cases: Cases, outbox: Outbox) -> None:
    """As it was taken in, number for number: so the page can tell the same answer from another."""
    (piece,) = feedback_of(Answers({"csat": 4}, "Quick!"), "survey-1")
    raw = piece.model_dump(mode="json", exclude_defaults=True)
    await outbox.database.write(
        EvidenceRow(
            case_id="case-1",
            id=piece.id,
            kind="feedback",
            standing="waiting",
            digest="d",
            reasons=[],
            body=raw,
            at=NOW,
        )
    )
    assert await held_answers(cases, "case-1", evidence_ids("survey-1")) == {"survey-1-csat": raw}


async def test_an_erased_case_shows_nothing_and_takes_nothing(cases: Cases, outbox: Outbox, surveys: Surveys) -> None:
    """Its customer is nobody any more."""
    await queued(outbox)
    assert await held_answers(cases, "case-1", ["survey-1-csat"]) == {}
    async with cases.database.session() as session:
        case = await session.get(CaseRow, "case-1")
        assert case
        case.erased_at = NOW
    assert await surveys.shown("case-1") is None
    assert await held_answers(cases, "case-1", ["survey-1-csat"]) is None


@pytest.mark.parametrize(
    ("contact", "error", "match"),
    [
        ("https://hooks.example.com", SystemMisconfigured, "AFTERCARE_SURVEY_WEBHOOK_SECRET"),
        ("mailto:kim@example.com", SystemMisconfigured, "AFTERCARE_SMTP_URL"),
        ("tel:+100", NotAskable, "mailto"),
    ],
)
async def test_what_cannot_be_asked_says_what_to_set(
    links: Links, contact: str, error: type[Exception], match: str, invitation: Any
) -> None:
    """And does not repeat the contact."""
    with pytest.raises(error, match=match) as refused:
        await PortByContact().ask(contact, invitation)
    assert contact not in str(refused.value)


async def test_without_a_secret_nobody_is_asked(cases: Cases, outbox: Outbox) -> None:
    """What was queued waits for a worker that has one."""
    await queued(outbox)
    async with httpx.AsyncClient() as http:
        off = Settings(public_url="https://h")
        assert (off.asks, links_of(off), surveys_of(off, cases, http)) == (False, None, None)
        assert await sender_of(off, cases, http).sweep() == 0
    assert (await row_of(outbox)).standing == Sending.WAITING


async def test_a_deployment_is_put_together_from_its_settings(cases: Cases, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the environment alone; several secrets from the newest on."""
    for name, value in {
        "SURVEY_SECRET": f"{'f' * 32}, {SECRET}",
        "PUBLIC_URL": "https://support.example.com",
        "SMTP_URL": "smtp://u:p@mail.example.com",
        "SURVEY_FROM": "ACME <support@example.com>",
        "SURVEY_WEBHOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "SURVEY_WEBHOOK_HOSTS": '["hooks.example.com"]',
    }.items():
        monkeypatch.setenv(f"AFTERCARE_{name}", value)
    settings = Settings()
    async with httpx.AsyncClient() as http:
        assert surveys_of(settings, cases, http)
        assert isinstance(sender_of(settings, cases, http), Sender)
    links = links_of(settings)
    assert links
    assert links.read(Links([SECRET]).token(REF), NOW) == REF
    assert SECRET not in repr(settings)
