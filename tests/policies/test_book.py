"""A book that cannot be used is refused as a whole, and every mistake is named with its place."""

from __future__ import annotations

import re

import pytest

from policies.book import SHIPPED, BookInvalid, load
from tests.policies.played import DOMAINS, in_each_domain
from tests.policies.small import TEXTS, changed, made, problems

MISTAKES = {
    "a misspelt fact": (
        ("rules", "order.status ==", "order.stauts =="),
        "small/rules.yaml:7:19: rule pending-only, require: undeclared reference to 'order.stauts'",
    ),
    "a misspelt fact in a literal block": (
        ("rules", "args.amount <", "args.amuont <"),
        "small/rules.yaml:15:16: rule paid-or-small, require: undeclared reference to 'args.amuont'",
    ),
    "a comparison of different types": (
        ("rules", "args.amount < 5.0", "args.amount < 'x'"),
        "small/rules.yaml:15:24: rule paid-or-small, require: "
        "found no matching overload for '_<_' applied to '(double, string)'",
    ),
    "a requirement that is no yes or no": (
        ("rules", "order.status == 'pending'", "order.status"),
        "small/rules.yaml:7:14: rule pending-only, require: must be bool, and is string",
    ),
    "a record in a when": (
        ("rules", "when: step.name == 'cancel'", "when: order.status == 'x'"),
        "small/rules.yaml:6:16: rule pending-only, when: undeclared reference to 'order.status'",
    ),
    "an unknown clause": (
        ("rules", "clause: cancel.1", "clause: cancel.9"),
        "small/rules.yaml:3:13: rule pending-only, clause: there is no clause 'cancel.9' in clauses.yaml",
    ),
    "an id used twice": (
        ("rules", "id: paid-or-small", "id: pending-only"),
        "small/rules.yaml:8:9: rule pending-only, id: another rule has this id",
    ),
    "a clause given twice": (
        ("clauses", "clauses:\n", "clauses:\n  cancel.1: {section: Cancel, bullet: 1, says: x}\n"),
        "small/clauses.yaml:4:3: cancel.1 is here a second time",
    ),
    "bad YAML": (
        ("rules", "rules:\n", "rules: [\n"),
        "small/rules.yaml:2:3: expected the node content, but found '-'",
    ),
    "an unknown field": (
        ("rules", "    since: 2024-01-01\n", "    sevrity: minor\n    since: 2024-01-01\n"),
        "small/rules.yaml:5:14: rule pending-only, sevrity: Extra inputs are not permitted",
    ),
    "an effect of the wrong type": (
        ("outcomes", "increases_by: args.amount", "increases_by: args.items"),
        "small/outcomes.yaml:11:74: increases_by: must be double, and is list<string>",
    ),
    "an effect that looks for nothing": (
        ("outcomes", ", increases_by: args.amount", ""),
        "small/outcomes.yaml:11:9: effects: needs one of equals, same_items, contains_all, increases_by, grows_by",
    ),
    "a record without an id": (
        ("facts", "id: args.order_id, ", ""),
        "small/facts.yaml:3:10: order: needs either id or each",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_with_its_place(mistake: str) -> None:
    """File, line and column as an editor counts them, then the rule, the field, and what is wrong."""
    change, told = MISTAKES[mistake]
    assert problems(*change) == [told]


def test_all_mistakes_are_told_at_once() -> None:
    """Whoever mends a book need not load it once per mistake."""
    rules = TEXTS["rules.yaml"].replace("order.paid", "order.piad").replace("clause: cancel.1", "clause: x.1")
    with pytest.raises(BookInvalid) as refused:
        made(rules=rules)
    assert len(refused.value.problems) == 3


def test_text_that_is_no_yaml_at_all_is_refused_like_any_other_mistake() -> None:
    """A stray control character ends in a sentence, not in a traceback."""
    assert problems("clauses", "a page", "\x00")[0].startswith("small/clauses.yaml: unacceptable character")


def test_an_unknown_domain_names_the_known_ones() -> None:
    """Asking for a book that does not exist says which there are."""
    with pytest.raises(BookInvalid, match=r"no policy book for the domain 'garden'; there are: .*retail"):
        load("garden")


def test_the_digest_is_that_of_the_texts() -> None:
    """The same texts have the same digest, and one more character, even in a comment, has another."""
    assert made().digest == made(clauses=TEXTS["clauses.yaml"]).digest
    assert made().digest != changed("rules", "rules:\n", "rules: #\n").digest


@in_each_domain
def test_the_shipped_book_is_pinned_with_its_clauses(domain: str) -> None:
    """What a case keeps of its book is enough to check a clause that a person names."""
    pin = load(domain).pin()
    assert pin.digest == load(domain).digest
    assert "general.1" in pin.clauses


@in_each_domain
def test_every_clause_is_decided_as_it_says(domain: str) -> None:
    """A clause by rule has a rule, and no other clause has one; what nothing decides says why."""
    shipped = load(domain)
    ruled = {rule.entry.clause for rule in shipped.rules}
    assert ruled == {name for name, clause in shipped.clauses.items() if clause.decided == "by_rule"}
    undecided = [c for c in shipped.clauses.values() if c.decided in ("not_decidable", "nothing_to_decide")]
    assert all(clause.why for clause in undecided)


def test_the_engine_holds_no_word_of_any_domain() -> None:
    """Everything about a line of business is in its book: the engine names no book, tool or record of any."""
    words = {w for d in DOMAINS for w in (d, *load(d).effects, *(r.entry.kind for r in load(d).records))}
    for source in SHIPPED.glob("*.py"):
        assert not words & set(re.findall(r"\w+", source.read_text("utf-8"))), source.name
