"""Reading recorded cases: tau-bench rows without their answers, and files that cannot be read."""

from __future__ import annotations

import copy
import gzip
import json
from collections import Counter
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from aftercare.demo.recorded import taubench
from aftercare.demo.recorded.files import BadRecording, answers, read
from aftercare.demo.recorded.format import Afterwards
from aftercare.demo.shops import SYSTEMS
from aftercare.messages.override import RecordFact

DATA = Path(__file__).parents[2].parent / "shared" / "data"
TAUBENCH = {domain: DATA / f"taubench_{domain}_cases.jsonl.gz" for domain in ("airline", "retail")}
needs_recordings = pytest.mark.skipif(
    not all(file.exists() for file in TAUBENCH.values()), reason="the recorded tau-bench cases are not here"
)
each_domain = pytest.mark.parametrize("domain", sorted(TAUBENCH))
ANSWERS = ("expected", "actual", "outcome", "derived_flags", "llm_fault_label", "final_action")
SENTINEL = "sentinel-of-an-answer"
GOOD = json.dumps({"agent": {"case": {"id": "c-1", "agent": "a", "domain": "retail"}, "ending": "resolves"}})


@cache
def rows(domain: str) -> tuple[dict[str, Any], ...]:
    with gzip.open(TAUBENCH[domain], "rt", encoding="utf-8") as lines:
        return tuple(map(json.loads, lines))


def without_answers(row: dict[str, Any], put: str | None) -> dict[str, Any]:
    """The row with every answer replaced, or taken out."""
    row = copy.deepcopy(row)
    within = [(row, name) for name in ANSWERS]
    within += [(row.get("intent") or {}, "gold_write_tools"), (row.get("customer") or {}, "hidden_goal")]
    for place, name in within:
        place.pop(name, None)
        if put is not None:
            place[name] = put
    return row


@needs_recordings
@each_domain
@pytest.mark.parametrize("put", [SENTINEL, None], ids=["replaced", "removed"])
def test_no_answer_reaches_the_agent(domain: str, put: str | None) -> None:
    """What the agent is given is the same whatever the graders' answers say, or where there are none."""
    for row in rows(domain):
        given = taubench.recorded(without_answers(row, put))
        assert given == taubench.recorded(row)
        assert SENTINEL not in given.model_dump_json()


@needs_recordings
@each_domain
def test_about_half_of_the_cases_are_reported_live_and_silent_ones_always(domain: str) -> None:
    """Both ways of reporting are exercised, and a case without an ending cannot be reported whole."""
    given = [taubench.recorded(row) for row in rows(domain)]
    ways = Counter(a.reported for a in given if a.ending != "falls_silent")
    assert 0.4 < ways["live"] / ways.total() < 0.6
    assert {a.reported for a in given if a.ending == "falls_silent"} == {"live"}


@needs_recordings
def test_the_airlines_steps_are_taken_when_its_clock_stood_still() -> None:
    """Its agents were told one time of day, and what they may do depends on it; the retail agents were told none."""
    times = {domain: {s.at for row in rows(domain) for s in taubench.recorded(row).steps} for domain in TAUBENCH}
    assert times == {"airline": {datetime.fromisoformat("2024-05-15T15:00:00-05:00")}, "retail": {None}}


@needs_recordings
@each_domain
def test_what_decided_an_override_is_a_fact_of_the_domains_own_system(domain: str) -> None:
    """System, record and field: enough to look it up, also where a whole record is missing or too many."""
    decided = [taubench.afterwards(row).deciding for row in rows(domain)]
    facts = [d for d in decided if isinstance(d, RecordFact)]
    assert facts
    assert {fact.system for fact in facts} == {SYSTEMS[domain]}
    assert all(fact.record.count("/") == 1 and fact.field for fact in facts)


@needs_recordings
def test_a_whole_record_is_made_or_removed_by_the_empty_pointer() -> None:
    """A reservation that should have been booked is made by hand, and one that should not have been is removed."""
    corrections = [c for row in rows("airline") for c in taubench.afterwards(row).corrections if "" in c.fields]
    made, removed = ({c.record for c in corrections if (c.fields[""] is None) is gone} for gone in (False, True))
    assert made == {"reservations/HATHAT", "reservations/HATHAU", "reservations/HATHAV"}
    assert removed == {"reservations/HATHAT"}


@pytest.mark.parametrize("bad", ['{"agent": {}}', "{", "[]", '"words"', '{"agent": {"case": {"id": "a b"}}}'])
def test_a_bad_line_is_refused_with_its_file_and_number(tmp_path: Path, bad: str) -> None:
    """Whoever wrote the file is told where to look."""
    path = tmp_path / "mine.jsonl"
    path.write_text(f"{GOOD}\n{bad}\n")
    with pytest.raises(BadRecording, match=r"mine\.jsonl, case 2: "):
        list(read(path))


@pytest.mark.parametrize("bad", ["- a list", "cases: [", "other: []"])
def test_a_bad_yaml_file_is_refused_with_its_name(tmp_path: Path, bad: str) -> None:
    """A YAML file without `cases` is no file of cases."""
    path = tmp_path / "mine.yaml"
    path.write_text(bad)
    with pytest.raises(BadRecording, match=r"mine\.yaml: "):
        list(read(path))


def test_a_gzipped_file_reads_like_a_plain_one(tmp_path: Path) -> None:
    """Compression changes nothing."""
    plain, packed = tmp_path / "mine.jsonl", tmp_path / "mine.jsonl.gz"
    plain.write_text(GOOD + "\n")
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert list(read(plain)) == list(read(packed))


def test_a_case_that_says_nothing_of_afterwards_is_left_alone(tmp_path: Path) -> None:
    """People do nothing about a case whose recording gives them nothing to do, and nothing about strangers."""
    path = tmp_path / "mine.jsonl"
    path.write_text(GOOD + "\n")
    assert answers([path], "c-1") == answers([path], "unheard-of") == Afterwards()


def test_the_example_of_the_page_can_be_read(tmp_path: Path) -> None:
    """What docs/recorded-cases.md shows is a case, once it stands on one line."""
    page = (Path(__file__).parents[2] / "docs" / "recorded-cases.md").read_text("utf-8")
    path = tmp_path / "shown.jsonl"
    path.write_text(json.dumps(json.loads(page.split("```json")[1].split("```")[0])))
    (case,) = read(path)
    assert case.agent.writes == (4,)
    assert case.afterwards.csat == 5
