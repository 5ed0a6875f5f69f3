"""The invitation says who asks, one link, and until when, and cannot be made to say anything else."""

from __future__ import annotations

from aftercare.asking.invitation import Invitation, invitation_of
from tests.asking.conftest import REF

LINK = "https://h/v1/survey/abc"


def test_it_says_who_asks_one_link_and_until_when(invitation: Invitation) -> None:
    """In plain text and in HTML."""
    for text in (invitation.text, invitation.html):
        assert "ACME Support" in text
        assert invitation.link in text
        assert "7 December 2026, 12:00 UTC" in text
    assert invitation.subject == "How did ACME Support do?"
    assert invitation.text.count("https://") == 1


def test_a_name_is_no_markup() -> None:
    """In HTML it is escaped; in plain text it stands as it is."""
    made = invitation_of(REF, LINK, "<b>Tom & Co</b>")
    assert "&lt;b&gt;Tom &amp; Co&lt;/b&gt;" in made.html
    assert "<b>Tom & Co</b>" in made.text


def test_a_name_is_one_line() -> None:
    """A subject has no second one."""
    assert invitation_of(REF, LINK, "ACME\r\nBcc: x@y").subject == "How did ACME Bcc: x@y do?"


def test_the_same_survey_is_the_same_invitation(invitation: Invitation) -> None:
    """By its id, which names nobody."""
    assert invitation_of(REF, "https://other", "Other").id == invitation.id
    assert invitation_of(REF.__class__("case-1", 2, REF.expires_at), LINK, "X").id != invitation.id
    assert "case-1" not in invitation.id
