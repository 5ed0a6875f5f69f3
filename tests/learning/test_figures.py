"""The figures are what a naive recount gives, for any cases; what is unknown is in none of them."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from aftercare.demo.report import CaseLine, report_of
from aftercare.learning.facts import CaseFacts
from aftercare.learning.figures import By, Figure, figures_of, groups_of
from aftercare.learning.measures import ALL
from aftercare.messages.outcome import Outcome
from aftercare.messages.policy import Verdict, Verification
from tests.learning.facts import NOW, case, cases

DOCS = Path(__file__).parents[2] / "docs" / "reports.md"


def by_name(told: list[CaseFacts]) -> dict[str, Figure]:
    return {figure.name: figure for figure in figures_of(told)}


@given(cases)
def test_the_three_rates_are_counted_as_anybody_would(told: list[CaseFacts]) -> None:
    """Of the settled cases: said to be resolved; shown by the records without a violation; and confirmed."""
    claimed = verified = durable = settled = 0
    for one in told:
        if one.outcome is not None:
            settled += 1
            if one.resolved is True:
                claimed += 1
                if one.verification == "verified" and one.policy_verdict != "violation":
                    verified += 1
                    durable += one.outcome == "confirmed"
    found = by_name(told)
    expected = {"claimed": claimed, "verified": verified, "durable": durable}
    for name, count in expected.items():
        assert found[name].n == settled
        assert found[name].value == (count / settled if settled else None)


@given(cases)
def test_shares_and_means_are_those_of_the_known(told: list[CaseFacts]) -> None:
    """A case of which something is unknown is in neither the number above nor the number below."""
    found = by_name(told)
    reopened = [one.reopened for one in told if one.reopened is not None]
    assert found["reopened"].n == len(reopened)
    assert found["reopened"].value == (reopened.count(True) / len(reopened) if reopened else None)
    audited = [one.policy_verdict for one in told if one.policy_verdict is not None]
    assert found["compliant"].value == (audited.count(Verdict.COMPLIANT) / len(audited) if audited else None)
    scores = [one.csat for one in told if one.csat is not None]
    assert found["csat"].n == len(scores)
    assert found["csat"].value == (pytest.approx(sum(scores) / len(scores)) if scores else None)
    failing = [one.errors for one in told if one.errors is not None]
    assert found["error"].value == (sum(e > 0 for e in failing) / len(failing) if failing else None)


@given(cases)
def test_what_is_told_by_pieces_counts_pieces(told: list[CaseFacts]) -> None:
    """Thumbs and latencies are counted each by itself, and not by case."""
    found = by_name(told)
    up, down = sum(one.thumbs_up for one in told), sum(one.thumbs_down for one in told)
    assert (found["thumbs"].n, found["thumbs"].value) == (up + down, up / (up + down) if up + down else None)
    latencies = sorted(latency for one in told for latency in one.latencies)
    assert found["latency_p50"].n == len(latencies)
    if latencies:
        middle = found["latency_p50"].value
        assert middle == latencies[math.ceil(len(latencies) / 2) - 1]


@given(cases)
def test_cost_for_each_durable_case_is_all_that_was_spent(told: list[CaseFacts]) -> None:
    """What the other cases cost is paid for the durable ones too."""
    known = [one for one in told if one.outcome and one.cost is not None]
    durable = sum(
        bool(one.resolved)
        and one.verification == "verified"
        and one.policy_verdict != "violation"
        and one.outcome == "confirmed"
        for one in known
    )
    found = by_name(told)["cost_per_durable"]
    spent = sum(one.cost or 0 for one in known)
    assert found.value == (pytest.approx(spent / durable) if durable else None)


def test_demo_and_reports_mean_the_same_by_the_three_rates() -> None:
    """Every way a case can end, counted by the closing report of a run and by the figures of the same cases."""
    ends = [
        (resolved, verification, verdict, outcome)
        for resolved in (True, False)
        for verification in (None, *Verification)
        for verdict in (None, *Verdict)
        for outcome in Outcome
    ]
    rates = report_of([_line(*end) for end in ends], set(), set())["rates"]
    found = by_name([case(resolved=r, verification=v, policy_verdict=p, outcome=o) for r, v, p, o in ends])
    assert rates == {name: pytest.approx(found[name].value, abs=5e-5) for name in ("claimed", "verified", "durable")}
    # Of 2 x 4 x 4 x 7 ways. Claimed: half; verified: one verification, three verdicts of four; durable: one outcome.
    assert [found[name].value for name in rates] == [112 / 224, 21 / 224, 3 / 224]


def test_an_agent_that_left_work_to_people_was_not_autonomous() -> None:
    """Neither a case it handed over counts, nor one that a person overrode, nor one that came back."""
    kinds = [Outcome.CONFIRMED, Outcome.UNCONFIRMED, Outcome.OVERRIDDEN, Outcome.REOPENED, Outcome.FAILED]
    told = [case(resolved=True, outcome=outcome) for outcome in kinds]
    told += [case(resolved=False, outcome=Outcome.ESCALATED)]
    told += [case(resolved=True, outcome=Outcome.CONFIRMED, handled_by="human")]
    found = by_name(told)["autonomous"]
    assert (found.value, found.n) == (2 / 6, 6)


def test_undetermined_is_never_compliant() -> None:
    """It counts among the audited, and as neither."""
    told = [case(policy_verdict=verdict) for verdict in Verdict]
    found = by_name(told)
    assert [found[name].value for name in ("compliant", "violating")] == [1 / 3, 1 / 3]


@given(cases)
def test_groups_hold_every_case_once(told: list[CaseFacts]) -> None:
    """The largest first; together they are all."""
    groups = groups_of(told, By.INTENT)
    assert sum(group.cases for group in groups) == len(told)
    assert [g.cases for g in groups] == sorted((g.cases for g in groups), reverse=True)
    for group in groups:
        alone = figures_of([one for one in told if one.intent == group.group])
        assert group.figures == tuple(alone)


def test_a_week_begins_where_its_reader_is() -> None:
    """Sunday night in London is Monday morning in Auckland; and the year of a week is ISO's."""
    told = [case(opened_at=datetime(2027, 1, 3, 23, tzinfo=UTC)), case(opened_at=NOW)]
    assert [g.group for g in groups_of(told, By.WEEK, UTC)] == ["2026-W48", "2026-W53"]
    assert [g.group for g in groups_of(told, By.WEEK, ZoneInfo("Pacific/Auckland"))] == ["2026-W48", "2027-W01"]


def test_a_week_at_the_end_of_time_is_a_week() -> None:
    """Which no clock in Auckland shows."""
    (group,) = groups_of([case(opened_at=datetime.max.replace(tzinfo=UTC))], By.WEEK, ZoneInfo("Pacific/Auckland"))
    assert group.group == "9999-W52"


def test_every_figure_stands_in_the_documentation() -> None:
    """With its name, what it says and of which cases, word for word."""
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \|", DOCS.read_text("utf-8"), re.MULTILINE)
    assert rows == [(measure.name, measure.says, measure.of) for measure in ALL]


def _line(resolved: bool, verification: Verification | None, verdict: Verdict | None, outcome: Outcome) -> CaseLine:
    return CaseLine(
        case_id="c",
        outcome=outcome,
        reported="whole",
        resolved=resolved,
        verification=verification,
        policy_verdict=verdict,
        findings=(),
        overrides=0,
        reopens=0,
        events=0,
        actions=0,
        bytes=0,
    )
