"""Times: a record's text is a moment where a zone is told, and a rule may reckon with the time of its step."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from aftercare.messages.policy import Verdict
from policies.book import BookInvalid, PolicyBook
from policies.engine import audit
from policies.facts import fitted
from tests.policies.small import TEXTS, before, cancelling, made

NOON = datetime(2024, 5, 2, 12, 0, tzinfo=UTC)
EASTERN = timezone(timedelta(hours=-5))


@pytest.mark.parametrize(
    ("text", "zone", "moment"),
    [
        ("2024-05-02T12:00:00Z", None, NOON),
        ("2024-05-02T14:00:00+02:00", EASTERN, NOON),
        ("2024-05-02T07:00:00", EASTERN, NOON),
        ("2024-05-02T07:00:00", None, None),
        ("2024-05-02", EASTERN, None),
        ("soon", EASTERN, None),
        (1714651200, EASTERN, None),
    ],
)
def test_a_time_is_a_moment_or_not_known(text: Any, zone: timezone | None, moment: datetime | None) -> None:
    """A zone in the text counts, or else that of the book; with neither, or without a time, nothing is known."""
    assert fitted(text, "time", zone) == moment


@pytest.mark.parametrize(
    ("at", "verdict"),
    [
        (NOON + timedelta(hours=1), Verdict.COMPLIANT),
        (NOON + timedelta(hours=1, seconds=1), Verdict.VIOLATION),
        (None, Verdict.UNDETERMINED),
    ],
)
def test_a_rule_reckons_with_the_time_of_the_step(at: datetime | None, verdict: Verdict) -> None:
    """`now` is when the step was taken; where nobody recorded that, the verdict is open."""
    assert within_an_hour(at, made_with("'-05:00'"), "2024-05-02T07:00:00") is verdict


def test_without_a_zone_a_local_time_decides_nothing() -> None:
    """No zone in the record and none in the book: when that was is not guessed."""
    assert within_an_hour(NOON, made_with("null"), "2024-05-02T07:00:00") is Verdict.UNDETERMINED


def test_the_times_a_finding_rests_on_are_written_out() -> None:
    """A finding is kept as JSON."""
    step = cancelling().model_copy(update={"at": NOON})
    (finding, *_), _ = audit(made_with("Z"), None, [step], before(placed="2024-05-02T11:30:00"))
    assert finding.facts == {"now": "2024-05-02T12:00:00+00:00", "order.placed": "2024-05-02T11:30:00+00:00"}
    assert finding.model_dump_json()


def test_a_zone_that_is_none_is_a_mistake() -> None:
    """The name of a place is no offset, and its summers would be guessed."""
    with pytest.raises(BookInvalid, match=r"facts.yaml:1:7: zone: String should match pattern"):
        made_with("New York")


def made_with(zone: str) -> PolicyBook:
    """The small book with a rule on time, and a zone."""
    facts = TEXTS["facts.yaml"].replace("status: string", "status: string, placed: time")
    rules = TEXTS["rules.yaml"].replace("order.status == 'pending'", "now - order.placed <= duration('1h')")
    return made(facts=f"zone: {zone}\n{facts}", rules=rules)


def within_an_hour(at: datetime | None, book: PolicyBook, placed: str) -> Verdict:
    step = cancelling().model_copy(update={"at": at})
    return audit(book, None, [step], before(placed=placed))[0][0].verdict
