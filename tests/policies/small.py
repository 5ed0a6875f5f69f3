"""A policy book small enough to be seen whole: one record, two rules, two actions."""

from __future__ import annotations

import json

from aftercare.messages.case import Step, StepKind
from policies.book import BookInvalid, PolicyBook, from_texts
from policies.facts import Known, RecordRef

TEXTS = {
    "clauses.yaml": """\
source: a page
clauses:
  cancel.1: {section: Cancel, bullet: 1, says: "Only a pending order may be cancelled."}
""",
    "facts.yaml": """\
arguments: {order_id: string, amount: double, items: strings}
records:
  order: {system: shop, kind: orders, id: args.order_id, fields: {status: string, paid: double, extra: any}}
""",
    "rules.yaml": """\
rules:
  - id: pending-only
    clause: cancel.1
    says: "The order must be pending."
    since: 2024-01-01
    when: step.name == 'cancel'
    require: order.status == 'pending'
  - id: paid-or-small
    clause: cancel.1
    says: "The order must be paid, or small."
    since: 2024-06-01
    when: step.name == 'cancel'
    require: |
      order.paid > 0.0
        || args.amount < 5.0
""",
    "outcomes.yaml": """\
actions:
  cancel:
    does: "cancel order {args.order_id}"
    system: shop
    effects:
      - {record: "orders/{args.order_id}", field: status, equals: "'cancelled'"}
  credit:
    does: "credit {args.amount}"
    system: shop
    effects:
      - {record: "orders/{args.order_id}", field: balance, increases_by: args.amount}
  label:
    does: "put labels on order {args.order_id}"
    system: shop
    effects:
      - {record: "orders/{args.order_id}", field: labels, same_items: args.items}
      - {record: "orders/{args.order_id}", field: history, contains_all: args.items}
""",
    "examples.yaml": "examples: []\n",
}


def made(**files: str) -> PolicyBook:
    """The small book, with some of its files (named without `.yaml`) written otherwise."""
    return from_texts("small", json.dumps(TEXTS | {f"{name}.yaml": text for name, text in files.items()}))


def changed(name: str, old: str, new: str) -> PolicyBook:
    """The small book with one passage of one file written otherwise."""
    assert old in TEXTS[f"{name}.yaml"]
    return made(**{name: TEXTS[f"{name}.yaml"].replace(old, new, 1)})


def problems(name: str, old: str, new: str) -> list[str]:
    """What is said to be wrong with the small book after a change."""
    try:
        changed(name, old, new)
    except BookInvalid as invalid:
        return invalid.problems
    return []


def cancelling(**arguments: object) -> Step:
    """A step that cancels order W1, under receipt op-1."""
    return Step(number=1, kind=StepKind.ACT, name="cancel", input={"order_id": "W1"} | arguments, receipt="op-1")


def before(receipt: str = "op-1", **fields: object) -> Known:
    """Order W1 as it stood just before an operation."""
    return {RecordRef(system="shop", kind="orders", id="W1", before=receipt): dict(fields)}
