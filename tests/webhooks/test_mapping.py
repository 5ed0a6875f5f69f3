"""A source is refused as a whole where anything in its file is wrong, and every mistake is named with its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aftercare.web.webhooks.mapping import SHIPPED, SourcesInvalid, load_sources, source_from
from aftercare.web.webhooks.reading import read
from tests.webhooks.sending import ENVIRON, NOW, headers, source

DOCUMENT = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text("utf-8")

# A survey tool with words of its own.
STARS = """\
name: stars
signature:
  header: X-Aftercare-Signature
  prefix: sha256=
  signs: "{timestamp}.{body}"
  timestamp: {header: X-Aftercare-Timestamp}
  secret: AFTERCARE_WEBHOOK_GENERIC_SECRET
id: body.answer.id
at: body.answer.given_at
rules:
- name: rated
  when: header['x-topic'] == 'answer' && has(body.answer.stars)
  event: rating
  case: body.answer.reference
  kind: "'csat'"
  value: |
    double(body.answer.stars) / 2.0
- name: came-back
  when: has(body.answer.again) && body.answer.again
  event: contact
  customer: body.answer.who
  same_issue: true
"""

MISTAKES = {
    "a misspelt variable": (
        ("double(body.answer", "double(boby.answer"),
        "stars.yaml:17:23: rule rated, value: undeclared reference to 'boby.answer.stars'",
    ),
    "a syntax error": (
        ("has(body.answer.stars)", "has(body.answer.stars"),
        "stars.yaml:12:63: rule rated, when: Syntax error",
    ),
    "a condition that is no yes or no": (
        ("when: has(body.answer.again) && body.answer.again", "when: \"'again'\""),
        "stars.yaml:19:10: rule came-back, when: must be bool, and is string",
    ),
    "a value that is a text": (
        ("double(body.answer.stars) / 2.0", "'five'"),
        "stars.yaml:17:5: rule rated, value: must be double, and is string",
    ),
    "an id from a header": (
        ("id: body.answer.id", "id: header['x-id']"),
        "stars.yaml:8:5: id: undeclared reference to 'header'",
    ),
    "a field the event does not have": (
        ("  same_issue: true", "  value: 3"),
        "stars.yaml:22:10: rule came-back, value: contact has no value; it has ticket, case, customer, intent, "
        "same_issue, reason",
    ),
    "a field the event needs": (
        ("  case: body.answer.reference\n", ""),
        "stars.yaml:11:3: rule rated: rating needs ticket or case",
    ),
    "an unknown event": (
        ("event: contact", "event: complaint"),
        "stars.yaml:20:10: rule came-back, event: Input should be 'ticket_opened', 'ticket_reopened', 'contact' or "
        "'rating'",
    ),
    "an unknown field": (
        ("  same_issue: true", "  same_isue: true"),
        "stars.yaml:22:14: rule came-back, same_isue: Extra inputs are not permitted",
    ),
    "a name used twice": (
        ("name: came-back", "name: rated"),
        "stars.yaml:18:9: rule rated, name: another rule has this name",
    ),
    "another name than the file's": (
        ("name: stars", "name: star"),
        "stars.yaml:1:7: name: the file of this source must be called star.yaml",
    ),
    "a secret in the file": (
        ("AFTERCARE_WEBHOOK_GENERIC_SECRET", "whsec_4711"),
        "stars.yaml:7:11: signature.secret: String should match pattern '^[A-Z][A-Z0-9_]*$'",
    ),
    "a time that is not signed": (
        ("{timestamp}.{body}", "{body}"),
        "stars.yaml:3:3: signature: a timestamp needs its header, and proves nothing unless signs names {timestamp}",
    ),
    "a body that is not signed": (
        ("{timestamp}.{body}", "{timestamp}"),
        "stars.yaml:3:3: signature: signs must name {body}, once",
    ),
    "bad YAML": (("rules:\n", "rules: [\n"), "stars.yaml:11:1: expected the node content, but found '-'"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_with_its_place(mistake: str) -> None:
    """File, line and column as an editor counts them, then the rule, the field, and what is wrong."""
    (old, new), told = MISTAKES[mistake]
    assert old in STARS
    with pytest.raises(SourcesInvalid) as refused:
        source_from("stars.yaml", STARS.replace(old, new, 1), ENVIRON)
    assert len(refused.value.problems) == 1
    assert refused.value.problems[0].startswith(told)


def test_a_source_that_signs_no_time_must_say_when() -> None:
    """Or a replay could not be told."""
    text = STARS.replace("{timestamp}.{body}", "{body}").replace("  timestamp: {header: X-Aftercare-Timestamp}\n", "")
    assert source_from("stars.yaml", text, ENVIRON).at
    with pytest.raises(SourcesInvalid, match=r"stars\.yaml:1:1: needs at: without a signed timestamp"):
        source_from("stars.yaml", text.replace("at: body.answer.given_at\n", ""), ENVIRON)


def test_a_folder_of_ones_own_adds_sources_and_replaces_those_shipped(tmp_path: Path) -> None:
    """By the name of the file; everything that is wrong in any of them is told at once."""
    (tmp_path / "stars.yaml").write_text(STARS)
    zendesk = (SHIPPED / "zendesk.yaml").read_text().replace("intent_", "topic_")
    (tmp_path / "zendesk.yaml").write_text(zendesk)
    sources = load_sources(tmp_path, ENVIRON)
    assert sorted(sources) == ["chatwoot", "generic", "intercom", "stars", "zendesk"]
    assert "topic_" in sources["zendesk"].rules[0].fields["intent"].text
    (tmp_path / "stars.yaml").write_text(STARS.replace("body.answer.who", "who"))
    (tmp_path / "zendesk.yaml").write_bytes(b"\xff")
    with pytest.raises(SourcesInvalid) as refused:
        load_sources(tmp_path, ENVIRON)
    assert [problem.split(":")[0] for problem in refused.value.problems] == ["zendesk.yaml", "stars.yaml"]


def test_a_folder_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    """And not an empty one."""
    with pytest.raises(SourcesInvalid, match="there is no such folder of webhook sources"):
        load_sources(tmp_path / "missing", ENVIRON)


def test_secrets_come_from_the_environment_alone() -> None:
    """Several of them with spaces between; without any, none."""
    name = "AFTERCARE_WEBHOOK_GENERIC_SECRET"
    assert source_from("stars.yaml", STARS, {name: " new  old "}).secrets == ("new", "old")
    assert source_from("stars.yaml", STARS, {name: " "}).secrets == ()
    assert source_from("stars.yaml", STARS, {}).secrets == ()


def test_a_mapping_of_ones_own_is_read_like_those_shipped() -> None:
    """With the vendor's scale mapped to ours, and a header that says what it is about."""
    stars = source_from("stars.yaml", STARS, ENVIRON)
    body = b'{"answer": {"id": 7, "given_at": 1795435170, "stars": 9, "reference": "case-1", "who": 12, "again": true}}'
    rated, came_back = read(stars, {**headers("generic", body), "X-Topic": "answer"}, body, NOW)
    assert rated.model_dump(include={"case", "kind", "value"}) == {"case": "case-1", "kind": "csat", "value": 4.5}
    assert came_back.model_dump(include={"customer", "same_issue"}) == {"customer": "12", "same_issue": True}
    (alone,) = read(stars, {**headers("generic", body), "X-Topic": "other"}, body, NOW)
    assert alone == came_back


def test_the_document_shows_a_source_that_can_be_loaded() -> None:
    """And JSON for Zendesk's triggers that its source reads, once Zendesk has filled it in."""
    (shown,) = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)
    assert source_from("stars.yaml", shown, {}).rules[0].name == "rated"
    rules = []
    for trigger in re.findall(r"```json\n(.*?)```", DOCUMENT, re.DOTALL):
        filled = re.sub(r"{{ticket\.\w+_timestamp}}", "2026-11-23T11:59Z", trigger).replace("{{", "").replace("}}", "")
        body = filled.encode()
        rules += [event.rule for event in read(source("zendesk"), headers("zendesk", body), body, NOW)]
    assert rules == ["rated-good", "opened-by-trigger", "reopened-by-trigger"]
