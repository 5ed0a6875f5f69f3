"""The book of triggers: the shipped one, and everything that can be wrong with an edited one."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from aftercare.messages.kinds import KINDS
from aftercare.messages.triggers import KINDS_OF_WORK, Mean, TriggerRow, Volume
from policies.book import SHIPPED
from policies.triggers import FILE, TriggersInvalid, from_texts, load_matrix, read_file, read_matrix

ROW = """\
triggers:
  unhappy:
    says: "Customers are less satisfied than they used to be."
    evidence:
      csat: {at_most: 3}
    detectors:
      - {detector: mean, notice: 0.5}
    cooldown: P1D
    starts: {workflow: retraining, kind: reasoning_model}
"""
MEAN = "{detector: mean, notice: 0.5}"
STARTS = "{workflow: retraining, kind: reasoning_model}"


def problems(text: str) -> list[str]:
    """Everything that is wrong with a book."""
    with pytest.raises(TriggersInvalid) as error:
        read_matrix(text)
    return error.value.problems


def edited(old: str, new: str) -> str:
    """The small book with one thing changed."""
    assert old in ROW
    return ROW.replace(old, new)


def test_the_shipped_book_holds_and_has_the_eight_rows() -> None:
    """Each starts work of its own, and together they start every kind of work there is."""
    rows = load_matrix().matrix.triggers
    assert list(rows) == [
        "csat",
        "override",
        "first_contact_resolution",
        "ces",
        "sentiment",
        "policy_flag",
        "handling_time",
        "post_resolution_contact",
    ]
    started = {(row.starts.workflow, row.starts.kind) for row in rows.values()}
    assert started == {(workflow, kind) for workflow, kinds in KINDS_OF_WORK.items() for kind in kinds}


def test_the_shipped_book_tolerates_what_is_promised() -> None:
    """Three thousand cases between two false alarms, in every row; corrections are also worked off by volume."""
    rows = load_matrix().matrix.triggers
    assert {row.tolerated for row in rows.values()} == {3_000}
    assert [detector.cases for detector in rows["override"].detectors if isinstance(detector, Volume)] == [150]


def test_every_mean_of_the_shipped_book_has_bounds() -> None:
    """Of its kind, or its own where the kind has none: a mean is watched within bounds."""
    for row in load_matrix().matrix.triggers.values():
        for detector in row.detectors:
            if isinstance(detector, Mean):
                kind = KINDS[next(iter(row.evidence))]
                assert (None in (kind.lowest, kind.highest)) == (detector.within is not None)


def test_a_field_that_is_left_out_has_its_default() -> None:
    """A short row is a whole one."""
    matrix = read_matrix(ROW)
    row = matrix.triggers["unhappy"]
    assert (row.tolerated, row.minimum_sample, row.group_by, row.budget.cost) == (3_000, 100, "none", None)
    assert (row.cooldown, matrix.check.every) == (timedelta(days=1), timedelta(minutes=1))


def test_problems_name_file_line_column_row_and_field() -> None:
    """Of a key that is wrong, and of one that is missing: then it is the row's."""
    assert problems(edited("csat:", "csaat:")) == [
        "triggers.yaml:5:7: row unhappy, evidence.csaat: there is no kind of evidence csaat; did you mean csat?"
    ]
    assert problems(edited("    cooldown: P1D\n", "")) == ["triggers.yaml:2:3: row unhappy, cooldown: is missing"]


def test_every_problem_is_found_at_once() -> None:
    """Those of form and those of sense, of every row, in the order of the file."""
    wrong = edited("P1D", "soon").replace("reasoning_model", "gap").replace("at_most: 3", "at_most: 9")
    another = ROW.split("\n", 1)[1].replace("unhappy", "too").replace("0.5", "-1")
    assert [problem.split(": ")[1] for problem in problems(wrong + another)] == [
        "row unhappy, evidence.csat",
        "row unhappy, cooldown",
        "row unhappy, starts.kind",
        "row too, evidence.csat",
        "row too, detectors.1.notice",
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("csat: {at_most: 3}", "audit_label: {at_least: 1}", "evidence.audit_label: audit_label is never counted"),
        ("csat: {at_most: 3}", "csat: {at_most: 5}", "at_most 5 is every value of csat, which is from 1 to 5"),
        ("csat: {at_most: 3}", "csat: {at_least: 6}", "csat never comes to that: it is from 1 to 5"),
        ("csat: {at_most: 3}", "csat: {at_least: 2, at_most: 3}", "which way is worse?"),
        ("csat: {at_most: 3}", "csat: {}", "which values count against the agent?"),
        ("csat: {at_most: 3}", "csat:", "evidence.csat: fields are expected here"),
        ("csat: {at_most: 3}", "csat: {at_mots: 3}", "csat.at_mots: there is no such field; did you mean at_most?"),
        ("csat: {at_most: 3}", "tokens: {at_least: 9}", "within: it is needed: tokens is at least 0"),
        ("csat: {at_most: 3}", "{csat: {at_most: 3}, ces: {at_most: 3}}", "a mean is that of one kind"),
        (MEAN, "{detector: maen, notice: 1}", "detectors.1: there is no detector maen; did you mean mean?"),
        (MEAN, "{notice: 1}", "`detector` is missing: it is one of rate, mean, quantile, burst, volume"),
        (MEAN, "{detector: mean, notise: 1}", "detectors.1.notise: there is no such field; did you mean notice?"),
        (MEAN, "{detector: mean, notice: 4}", "no mean moves by so much within 1 and 5"),
        (MEAN, "{detector: mean, notice: 1, within: [0, 9]}", "csat has bounds of its own: it is from 1 to 5"),
        (MEAN, "{detector: rate, of: [ces]}", "detectors.1.of.1: ces is no evidence of this row, which is csat"),
        (MEAN, "{detector: rate, notice: 1}", "detectors.1.notice: it must be greater than 1"),
        (MEAN, "{detector: burst}", "a burst watches the clauses that policy_audit names"),
        (MEAN, "{detector: quantile}", "a quantile finds by itself what is slow or large: it takes no at_least"),
        (MEAN, f"{MEAN}\n      - {MEAN}", "detectors.2: a mean of the same stands here already"),
        (MEAN, f"{MEAN}\n    group_by: clause", "clauses are watched by a burst alone"),
        (STARTS, "{workflow: retraining, kind: gap}", "retraining has no gap; it has intent_classifier"),
        (STARTS, "{workflow: retrain, kind: gap}", "starts.workflow: it must be 'retraining'"),
        ("P1D", "tomorrow", "cooldown: a duration is expected, as in PT90S, PT15M or P1D"),
        ("P1D", "-P1D", "cooldown: it must be greater than or equal to 0"),
        ("cooldown", "colldown", "there is no such field; did you mean cooldown?"),
        ("unhappy", "Un-happy", "a row's name is 1 to 60 of a-z 0-9 _"),
        ("triggers:", "check: {every: PT5M, at_most: PT1M}\ntriggers:", "check.at_most: it is shorter than every"),
        ("triggers:", "check: {evry: PT5M}\ntriggers:", "check.evry: there is no such field; did you mean every?"),
        ("triggers:", "trigger:", "trigger: there is no such field; did you mean triggers?"),
    ],
)  # fmt: skip
def test_a_mistake_is_told(old: str, new: str, told: str) -> None:
    """In words that say what to write instead."""
    assert any(told in problem for problem in problems(edited(old, new)))


@pytest.mark.parametrize(
    ("detector", "told"),
    [
        ("{detector: quantile, of: [loop]}", "which values count against the agent?"),
        ("{detector: quantile, of: [handling_time, loop]}", "a quantile is that of one kind: name it"),
        ("{detector: quantile, of: [handling_time], quantile: 0.5, notice: 2}", "no share is so large"),
    ],
)
def test_a_quantile_is_told_what_it_lacks(detector: str, told: str) -> None:
    """One kind, without bounds, and a share that it could come to."""
    evidence = "handling_time: {}\n      loop: {}"
    text = edited("csat: {at_most: 3}", evidence).replace(MEAN, detector)
    assert any(told in problem for problem in problems(text))


def test_a_kind_stands_in_one_row() -> None:
    """Every piece counts once: both rows are named."""
    twice = ROW + ROW.split("\n", 1)[1].replace("unhappy", "sad")
    assert problems(twice) == [
        "triggers.yaml:13:7: row sad, evidence.csat: row unhappy counts csat already, and every piece counts once"
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "triggers.yaml:1:1: triggers: is missing"),
        ("3", "triggers.yaml:1:1: `check` and `triggers` are expected here"),
        (f"{ROW}  unhappy: {{}}\n", "triggers.yaml:10:3: unhappy is here a second time"),
        (edited("{at_most: 3}", "{at_most: 3, at_most: 2}"), "triggers.yaml:5:26: at_most is here a second time"),
        ("triggers: [", "triggers.yaml:1:12: expected the node content"),
        ("triggers: &a [*a]", "triggers.yaml: it goes deeper than it can be followed"),
    ],
)
def test_what_is_no_book_is_told(text: str, told: str) -> None:
    """And a key that stands there twice, of which YAML would take the last without a word."""
    assert problems(text)[0].startswith(told)


def test_a_book_without_rows_is_refused() -> None:
    """It would stop everything: whoever wants that pauses the rows, and says why."""
    told = "triggers.yaml:1:1: triggers: at least one row is needed: without any nothing is watched"
    assert problems("triggers: {}") == [told]


@pytest.mark.parametrize("given", ["7", "true", "1.5", "7d", "1 day", "'00:05:00'", "P", "null"])
def test_a_duration_is_written_out(given: str) -> None:
    """A bare 7 would be seconds to the program, and days to whoever wrote it."""
    (told,) = problems(edited("P1D", given))
    assert told == "triggers.yaml:8:5: row unhappy, cooldown: a duration is expected, as in PT90S, PT15M or P1D"
    (told,) = problems(f"check: {{every: {given}}}\n{ROW}")
    assert "check.every: a duration is expected" in told


def test_a_row_that_was_read_is_read_again() -> None:
    """As it is, and as it goes through JSON: its times are times already there."""
    row = read_matrix(ROW).triggers["unhappy"]
    assert TriggerRow.model_validate(row.model_dump()) == row
    assert TriggerRow.model_validate_json(row.model_dump_json()) == row


def test_a_mistake_in_the_evidence_hides_none_in_the_detectors() -> None:
    """And the other way round."""
    text = edited("csat: {at_most: 3}", "csat: {at_most: low}").replace("notice: 0.5", "notice: 9")
    assert [problem.split(": ")[1] for problem in problems(text)] == [
        "row unhappy, evidence.csat.at_most",
        "row unhappy, detectors.1.notice",
    ]
    two = edited("csat:", "csaat:").replace(f"- {MEAN}", "- {detector: mena}\n      - {detector: rate, of: [ces]}")
    assert [problem.split(": ")[1] for problem in problems(two)] == [
        "row unhappy, evidence.csaat",
        "row unhappy, detectors.1",
        "row unhappy, detectors.2.of.1",
    ]


def test_a_folder_without_a_book_has_the_shipped_one(tmp_path: Path) -> None:
    """And its own as soon as it lies there."""
    assert load_matrix(tmp_path) == load_matrix()
    (tmp_path / FILE).write_text(ROW, "utf-8")
    assert list(load_matrix(tmp_path).matrix.triggers) == ["unhappy"]


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """As a problem like any other."""
    (tmp_path / FILE).write_bytes(b"\xff\xfe")
    with pytest.raises(TriggersInvalid, match="it is not UTF-8"):
        load_matrix(tmp_path)
    with pytest.raises(TriggersInvalid, match="cannot be read"):
        read_file(tmp_path / "nowhere.yaml")


def test_a_book_is_known_by_its_text(tmp_path: Path) -> None:
    """What the store keeps is the same book under the same digest; a comment more makes another."""
    (tmp_path / FILE).write_text(ROW, "utf-8")
    book = load_matrix(tmp_path)
    assert from_texts(book.texts) == book
    (tmp_path / FILE).write_text(f"{ROW}# looked at\n", "utf-8")
    again = load_matrix(tmp_path)
    assert (again.matrix, again.digest == book.digest) == (book.matrix, False)


def test_the_shipped_book_says_what_each_row_means() -> None:
    """For the person who edits it: every row has a sentence, and the file explains every field there is."""
    text = (SHIPPED / FILE).read_text("utf-8")
    heading = text.split("\ncheck:")[0]
    row: dict[str, Any] = yaml.safe_load(text)["triggers"]["csat"]
    for field in (*row, "of", "volume", "burst", "quantile", "rate"):
        assert f"#   {field}" in heading or f" {field} " in heading
