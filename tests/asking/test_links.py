"""A link says which survey until when, and cannot be made or changed by anybody else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercare.asking.links import LinkError, LinkExpired, LinkForged, LinkMalformed, Links, SurveyRef
from tests.asking.conftest import NOW, REF, SECRET

IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:\-]{0,119}", fullmatch=True)
MOMENTS = st.integers(int(NOW.timestamp()) + 1, 4_000_000_000).map(lambda s: datetime.fromtimestamp(s, UTC))
LINKS = Links([SECRET])
TOKEN = LINKS.token(REF)


@given(IDS, st.integers(1, 10_000), MOMENTS)
def test_a_token_tells_what_was_put_into_it(case_id: str, episode: int, expires_at: datetime) -> None:
    """Round and back, in letters that need no escaping, and short enough for a mail."""
    ref = SurveyRef(case_id, episode, expires_at)
    token = LINKS.token(ref)
    assert LINKS.read(token, NOW) == ref
    assert token.replace(".", "").replace("-", "").replace("_", "").isalnum()
    assert len(token) < 260


@given(st.data())
def test_a_token_that_was_changed_opens_nothing(data: st.DataObject) -> None:
    """Wherever a character is put, replaced, taken away or left over."""
    at, to = data.draw(st.integers(0, len(TOKEN))), data.draw(st.integers(0, len(TOKEN)))
    put = data.draw(st.text(st.characters(codec="utf-8"), max_size=3) | st.sampled_from(["=", "A", "~", ".", "\n"]))
    changed = TOKEN[: min(at, to)] + put + TOKEN[max(at, to) :]
    if changed != TOKEN:
        with pytest.raises((LinkMalformed, LinkForged)):
            LINKS.read(changed, NOW)


@pytest.mark.parametrize("number", range(len(TOKEN)))
def test_no_letter_of_a_token_can_stand_for_another(number: int) -> None:
    """There is no second spelling: the loose bits of base64 are signed too."""
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_":
        changed = TOKEN[:number] + letter + TOKEN[number + 1 :]
        if changed != TOKEN:
            with pytest.raises(LinkError):
                LINKS.read(changed, NOW)


@given(st.text(max_size=600))
def test_anything_else_is_malformed_or_forged(text: str) -> None:
    """And is never an error of another kind."""
    with pytest.raises((LinkMalformed, LinkForged)):
        LINKS.read(text, NOW)


def test_a_link_expires() -> None:
    """To the second."""
    assert LINKS.read(TOKEN, REF.expires_at - timedelta(seconds=1)) == REF
    with pytest.raises(LinkExpired):
        LINKS.read(TOKEN, REF.expires_at)


def test_a_forged_token_is_not_told_that_it_has_expired() -> None:
    """The signature is looked at first."""
    with pytest.raises(LinkForged):
        LINKS.read(TOKEN[:-2] + "xx", REF.expires_at)


def test_a_secret_is_replaced_without_breaking_the_links_that_are_out() -> None:
    """The newest signs; an older one is believed until it is taken away."""
    newer = "f" * 32
    assert Links([newer, SECRET]).read(TOKEN, NOW) == REF
    assert LINKS.token(REF) != Links([newer, SECRET]).token(REF)
    with pytest.raises(LinkForged):
        Links([newer]).read(TOKEN, NOW)


def test_a_short_secret_is_refused_and_not_shown() -> None:
    """Nor is none at all taken."""
    with pytest.raises(ValueError, match=r"AFTERCARE_SURVEY_SECRET.*openssl rand") as refused:
        Links(["guessable"])
    assert "guessable" not in str(refused.value)
    with pytest.raises(ValueError, match="AFTERCARE_SURVEY_SECRET"):
        Links([])


@pytest.mark.parametrize("address", ["http://support.example.com", "support.example.com", "https://", "https://h?x=1"])
def test_a_link_never_goes_over_a_line_in_the_clear(address: str) -> None:
    """Whoever reads it could answer."""
    with pytest.raises(ValueError, match="AFTERCARE_PUBLIC_URL"):
        Links([SECRET], address)


def test_a_link_is_the_page_s_address() -> None:
    """On this machine without TLS, and under any path."""
    assert Links([SECRET], "http://127.0.0.1:8080/").link(REF) == f"http://127.0.0.1:8080/v1/survey/{TOKEN}"
    assert Links([SECRET], "https://h/care").link(REF).startswith("https://h/care/v1/survey/")
