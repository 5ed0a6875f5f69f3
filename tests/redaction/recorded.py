"""Redaction over recorded runs of real agents, whose customers are in a database: `python -m tests.redaction.recorded`.

What is known of a case is the customer's id and what the steps tell, and nothing else: not what the database says. A
value leaks when it stands anywhere in what is left of the case, in any case of letters. An id is eaten when it stands
there less often than before.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aftercare.demo.recorded.files import read
from aftercare.demo.recorded.format import Recorded
from aftercare.redaction import Known, Redactor, redactor_of

DATA = Path(__file__).parents[3] / "shared" / "data"
DOMAINS = ("retail", "airline")
TOKEN = re.compile(r"#W\d+|(?<!\w)[A-Z\d]{6,12}(?!\w)")


@dataclass
class Left:
    """How often each value of a customer stood in a case, and in how many it still does; and what became of ids."""

    cases: int = 0
    stood: Counter[str] = field(default_factory=Counter)
    leaked: Counter[str] = field(default_factory=Counter)
    leaks: list[str] = field(default_factory=list)
    ids: int = 0
    eaten: Counter[str] = field(default_factory=Counter)


def is_here(domain: str) -> bool:
    """Whether the recordings of a domain lie beside this project."""
    return (DATA / f"taubench_{domain}_cases.jsonl.gz").exists()


def left_of(domain: str, redactor: Redactor) -> Left:
    """What is left of the recorded cases of a domain."""
    with gzip.open(DATA / f"taubench_{domain}_db.json.gz", "rt") as file:
        database = json.load(file)
    path = DATA / f"taubench_{domain}_cases.jsonl.gz"
    with gzip.open(path, "rt") as lines:
        customers = {row["case_id"]: row.get("customer", {}).get("user_id") for row in map(json.loads, lines)}
    ids, left = _ids(database), Left()
    for case in (recorded.agent for recorded in read(path)):
        if case.steps:
            _compare(left, case, redactor, _facts(database["users"][customers[case.case.id]]), ids)
    return left


def _compare(left: Left, case: Recorded, redactor: Redactor, facts: dict[str, str], ids: set[str]) -> None:
    told = {"steps": [step.model_dump(mode="json") for step in case.steps], "reply": case.reply, "reason": case.reason}
    redacted = redactor.redacted(told, Known.of(case.case, case.steps))
    before, after = (json.dumps(value, ensure_ascii=False) for value in (told, redacted))
    left.cases += 1
    for fact, value in facts.items():
        pattern = re.compile(rf"(?<!\w){re.escape(value)}(?!\w)", re.IGNORECASE)
        left.stood[fact] += pattern.search(before) is not None
        if pattern.search(after):
            left.leaked[fact] += 1
            left.leaks.append(f"{case.case.id}: {fact}")
    counts, remaining = Counter(TOKEN.findall(before)), Counter(TOKEN.findall(after))
    for id in ids & counts.keys():
        left.ids += counts[id]
        left.eaten[id] += max(0, counts[id] - remaining[id])


def _facts(user: dict[str, Any]) -> dict[str, str]:
    first, last = user["name"]["first_name"], user["name"]["last_name"]
    address = user["address"]
    facts = {"name": f"{first} {last}", "first name": first, "last name": last, "e-mail": user["email"]}
    facts |= {"street": address["address1"], "flat": address["address2"], "zip": address["zip"]}
    return facts | ({"birth date": user["dob"]} if "dob" in user else {})


def _ids(database: dict[str, Any]) -> set[str]:
    """Ids of orders, items, products, parcels, reservations and flights."""
    ids = {id for table in ("orders", "products", "reservations", "flights") for id in database.get(table, {})}
    for order in database.get("orders", {}).values():
        ids |= {item["item_id"] for item in order["items"]}
        ids |= {parcel for sent in order["fulfillments"] for parcel in sent["tracking_id"]}
    return ids.union(*(product["variants"] for product in database.get("products", {}).values()))


def main() -> None:
    """Prints what is left."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--names", action="store_true", help="with the model (some minutes)")
    redactor = redactor_of(asked.parse_args().names)
    for domain in DOMAINS:
        left = left_of(domain, redactor)
        print(f"{domain}, {redactor.mode}: {left.cases} cases, {left.eaten.total()} of {left.ids} ids eaten")
        for fact, stood in left.stood.items():
            print(f"  {fact:<12}{left.leaked[fact]:>4} of {stood:>4} ({left.leaked[fact] / max(stood, 1):.1%})")
        print(*(f"  {leak}" for leak in left.leaks), sep="\n")


if __name__ == "__main__":
    main()
