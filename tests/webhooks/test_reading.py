"""What is signed and cannot be read is refused as a whole, naming the file, the rule and the field."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aftercare.web.webhooks.events import Event
from aftercare.web.webhooks.mapping import source_from
from aftercare.web.webhooks.reading import read
from aftercare.web.webhooks.refusals import SignatureMissing, Stale, Unmapped, Unreadable, WebhookRefused
from tests.webhooks.sending import ENVIRON, NOW, VENDORS, changed, headers, payload, source

DEEP = b'{"event":' + b"[" * 100_000 + b"]" * 100_000 + b"}"

UNREADABLE = {
    "nothing": (b"", "no JSON in UTF-8"),
    "no JSON": (b"event=rating", "no JSON in UTF-8"),
    "no UTF-8": (b'{"event": "\xff"}', "no JSON in UTF-8"),
    "too deep": (DEEP, "nested too deeply"),
    "a number of five thousand digits": (b'{"a": ' + b"1" * 5_000 + b"}", "no JSON in UTF-8"),
    "a list": (b"[1]", "a JSON object is expected, and this is list"),
    "null": (b"null", "a JSON object is expected, and this is NoneType"),
    "no number": (b'{"value": NaN}', "NaN and Infinity are no JSON"),
    "half a character": (b'{"a": "\\ud800"}', "lone surrogate"),
    "a NUL character": (b'{"a": "x\\u0000y"}', "NUL character"),
}


def read_generic(body: bytes) -> list[Event]:
    return read(source("generic"), headers("generic", body), body, NOW)


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_body_that_is_no_json_object_is_refused(case: str) -> None:
    """Once its signature was found good, and not before."""
    body, told = UNREADABLE[case]
    with pytest.raises(Unreadable, match=told):
        read_generic(body)
    with pytest.raises(SignatureMissing):
        read(source("generic"), {}, body, NOW)


UNMAPPED: dict[str, tuple[dict[str, Any], str]] = {
    "a field that when asks for is missing": (
        {},
        r"generic\.yaml, rule opened, when: there is no event in this body; ask has\(\)",
    ),
    "a field that the event needs is missing": (
        {"event": "ticket_opened", "intent": "refund"},
        r"generic\.yaml, rule opened, customer: there is no customer in this body",
    ),
    "an empty text where something is needed": (
        {"event": "ticket_opened", "customer": ""},
        r"rule opened, customer: Field required",
    ),
    "a list where a text should be": (
        {"event": "rating", "kind": ["csat"]},
        r"rule rated, kind: Input should be a valid string",
    ),
    "a ticket longer than any": (
        {"event": "ticket_reopened", "ticket": "x" * 121},
        r"rule reopened, ticket: .*at most 120",
    ),
    "no time": ({"event": "rating", "kind": "csat", "at": "noon"}, r"rule rated, at: must be seconds since 1970, or"),
    "a time without a zone": (
        {"event": "rating", "kind": "csat", "at": "2026-11-23T12:00"},
        r"rule rated, at: must be",
    ),
    "a time beyond all time": ({"event": "rating", "kind": "csat", "at": 1e300}, r"rule rated, at: must be"),
    "yes as a time": ({"event": "rating", "kind": "csat", "at": True}, r"rule rated, at: must be"),
    "an unknown kind": ({"event": "rating", "kind": "stars", "value": 3}, r"there is no such kind of feedback"),
    "a value outside its scale": (
        {"event": "rating", "kind": "csat", "value": 9},
        r"csat is from 1 to 5, and this is 9",
    ),
    "a number of another size": ({"event": "rating", "kind": "csat", "value": 10**30}, r"has no answer for this body"),
}


@pytest.mark.parametrize("case", UNMAPPED)
def test_a_body_that_the_rules_have_no_answer_for_is_refused(case: str) -> None:
    """Naming file, rule and field."""
    fields, told = UNMAPPED[case]
    with pytest.raises(Unmapped, match=told):
        read_generic(json.dumps(fields).encode())


TWO_RULES = """
name: two
signature: {header: X-Aftercare-Signature, prefix: sha256=, signs: "{timestamp}.{body}",
  timestamp: {header: X-Aftercare-Timestamp}, secret: AFTERCARE_WEBHOOK_GENERIC_SECRET}
rules:
- {name: good, when: "true", event: ticket_reopened, ticket: body.ticket}
- {name: bad, when: "body.bad", event: contact, ticket: "{'jane': 'doe'}[body.name]"}
"""


def test_a_refusal_says_nothing_of_the_body() -> None:
    """The engine names the key it did not find; it may be a customer's name."""
    two = source_from("two.yaml", TWO_RULES, ENVIRON)
    body = b'{"ticket": 4711, "bad": true, "name": "ann"}'
    with pytest.raises(Unmapped) as refused:
        read(two, headers("generic", body), body, NOW)
    assert refused.value.reasons == ["two.yaml, rule bad, ticket: has no answer for this body"]


def test_one_rule_without_an_answer_refuses_all_of_it() -> None:
    """Nothing is half done: what another rule made of the same body is not told either."""
    two = source_from("two.yaml", TWO_RULES, ENVIRON)
    for body, told in ((b'{"ticket": 4711, "bad": 1}', "rule bad, when: must be true or false"),):
        with pytest.raises(Unmapped, match=told):
            read(two, headers("generic", body), body, NOW)
    body = b'{"ticket": 4711, "bad": false}'
    assert [event.ticket for event in read(two, headers("generic", body), body, NOW)] == ["4711"]


def test_more_steps_than_the_engine_allows_are_no_answer() -> None:
    """A long list cannot keep the door busy."""
    text = TWO_RULES.replace("body.bad", "body.l.all(a, body.l.all(b, body.l.all(c, true)))")
    long = source_from("two.yaml", text, ENVIRON)
    body = json.dumps({"ticket": 1, "l": list(range(1_000))}).encode()
    with pytest.raises(Unmapped, match="rule bad, when: has no answer"):
        read(long, headers("generic", body), body, NOW)


@pytest.mark.parametrize("late", [timedelta(hours=2, minutes=6), timedelta(hours=-2, minutes=-6)])
def test_what_signs_no_time_is_judged_by_the_bodys_own(late: timedelta) -> None:
    """Intercom says when a notification was made; a retry may be two hours late, and tomorrow it is a replay."""
    body = payload("intercom-rated")
    assert read(source("intercom"), headers("intercom", body), body, NOW + timedelta(hours=2))
    with pytest.raises(Stale):
        read(source("intercom"), headers("intercom", body), body, NOW + late)


def test_what_does_not_say_when_it_was_sent_is_refused() -> None:
    """Where nothing else does."""
    body = changed("intercom-rated", created_at=None)
    with pytest.raises(Unmapped, match=r"intercom\.yaml, at: the body does not say when"):
        read(source("intercom"), headers("intercom", body), body, NOW)


@pytest.mark.parametrize("spelt", [str.lower, str.upper, str.title])
@pytest.mark.parametrize("name", VENDORS)
def test_headers_are_the_same_in_any_case_and_order(name: str, spelt: Callable[[str], str]) -> None:
    """As HTTP has it."""
    body = payload(f"{name}-opened")
    given = {spelt(k): v for k, v in reversed(headers(name, body).items())} | {"Accept": "*/*"}
    assert read(source(name), given, body, NOW) == read(source(name), headers(name, body), body, NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
)
FIELDS = (
    "event",
    "type",
    "topic",
    "aftercare",
    "ticket",
    "kind",
    "value",
    "at",
    "id",
    "created_at",
    "data",
    "customer",
)
WORDS = st.sampled_from(("rating", "contact", "ticket_opened", "message_created", "conversation.user.created", "csat"))


@given(st.binary() | st.dictionaries(st.sampled_from(FIELDS), WORDS | JSON).map(lambda d: json.dumps(d).encode()))
@example(DEEP)
def test_any_signed_bytes_give_events_or_a_refusal(body: bytes) -> None:
    """Never another error."""
    for name in VENDORS:
        with contextlib.suppress(Unreadable, Unmapped, Stale):
            assert isinstance(read(source(name), headers(name, body), body, NOW), list)


@given(st.binary(), st.dictionaries(st.text(max_size=40), st.text(max_size=80), max_size=4))
def test_any_unsigned_bytes_are_refused(body: bytes, given: dict[str, str]) -> None:
    """Whatever else the headers say."""
    for name in VENDORS:
        with pytest.raises(WebhookRefused) as refused:
            read(source(name), given, body, NOW)
        assert refused.value.status == 401
