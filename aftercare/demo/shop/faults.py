"""Faults at known places: what a copy acknowledges, and what of it is really in its records, and from when.

A copy with a plan has two sides. Its front office believes what it acknowledged: it answers every tool, and tells how a
record stood when an operation met it. The records as they stand are what arrived of each operation: nothing, something
else, or later. A later write that sets the same fact sets it right. Staff see the records, and change those.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, Literal

from pydantic import TypeAdapter

from aftercare.demo.shop.changes import applied, at, changes
from aftercare.demo.shop.domain import Record, Refused
from aftercare.demo.shop.messages import Change, FaultPlan, Injected, Kind, Ledger
from aftercare.demo.shop.records import Copy, Performed, Touched
from aftercare.demo.shop.wrong import wrong_fact

CHANGES = TypeAdapter(list[Change])
EVER = float("inf")
TOUCHED = """
SELECT kind, id, min(operation) AS first
FROM versions JOIN operations ON operations.copy = versions.copy AND number = operation
WHERE versions.copy = ? AND party = 'agent' GROUP BY kind, id ORDER BY kind, id
"""


class Faults:
    """The faults of one copy, within the transaction of that copy."""

    def __init__(self, copy: Copy) -> None:
        self._copy = copy

    @cached_property
    def plan(self) -> FaultPlan | None:
        """What is to go wrong here; nothing where there is no plan."""
        row = self._ask("SELECT plan FROM plans WHERE copy = ?").fetchone()
        return FaultPlan.model_validate_json(row["plan"]) if row else None

    @property
    def down(self) -> bool:
        """Whether the records give no answer any more."""
        after = self.plan.down_after if self.plan else None
        return after is not None and self._agents_last >= after

    def set(self, plan: FaultPlan) -> None:
        """Take a plan, before anything happens on the copy. Raises Refused."""
        if self._ask("SELECT 1 FROM operations WHERE copy = ? LIMIT 1").fetchone():
            raise Refused("Faults are planned before the first operation on a copy.")
        self._ask("INSERT OR REPLACE INTO plans VALUES (?, ?)", plan.model_dump_json())

    def pass_on(self, done: Performed, by: Literal["agent", "staff"]) -> None:
        """Let an operation into the records, as far as the plan lets it."""
        if self.plan is None or not done.touched:
            return
        if by == "staff":  # what they changed is what they saw
            self._arrive(done.number, {key: (self.shown(*key), after) for key, (_, after) in done.touched.items()})
            return
        fault = self.plan.writes.get(done.number)
        if fault is None:
            self._arrive(done.number, done.touched)
        elif fault.kind == "wrong":
            self._arrive_wrong(done, fault.choice)
        else:
            if fault.kind == "eventual":
                self._arrive(done.number, done.touched, time.time() + fault.shows_after)
            self._note(_every_fact(done, fault.kind))

    def shown(self, kind: str, id: str) -> Record | None:
        """The record as it stands now, for whoever looks."""
        return self._stands(kind, id, time.time()) if self.plan else self._copy.find(kind, id)

    def ledger(self) -> Ledger:
        """What was really injected, and the truth about every record that the agent's operations were about."""
        touched = {(row["kind"], row["id"]): f"op-{row['first']}" for row in self._ask(TOUCHED)}
        facts = self._ask("SELECT fact FROM injected WHERE copy = ? ORDER BY rowid")
        return Ledger(
            plan=self.plan,
            injected=[Injected.model_validate_json(row["fact"]) for row in facts],
            records={f"{kind}/{id}": self._left_by_agent(kind, id) for kind, id in touched},
            made={"/".join(key): op for key, op in touched.items() if self._copy.find(*key, before=1) is None},
        )

    def _left_by_agent(self, kind: str, id: str) -> Record | None:
        if self.plan is None:
            return self._copy.find(kind, id, before=self._agents_last + 1)
        return self._stands(kind, id, EVER, self._agents_last)

    def _stands(self, kind: str, id: str, at: float, up_to: float = EVER) -> Record | None:
        """The record with everything that shows at this time, in the order of the operations."""
        query = (
            "SELECT changes FROM arrivals WHERE copy = ? AND kind = ? AND id = ? AND shows_at <= ? AND operation <= ?"
            " ORDER BY operation"
        )
        record = self._copy.find(kind, id, before=1)
        for row in self._ask(query, kind, id, at, up_to):
            record = applied(record, CHANGES.validate_json(row["changes"]))
        return record

    def _arrive(self, number: int, touched: Touched, shows_at: float = 0) -> None:
        for (kind, id), (before, after) in touched.items():
            if changed := changes(before, after):
                self._ask(
                    "INSERT INTO arrivals VALUES (?, ?, ?, ?, ?, ?)",
                    *(number, kind, id, CHANGES.dump_json(changed).decode(), shows_at),
                )

    def _arrive_wrong(self, done: Performed, choice: int) -> None:
        """All of it, but for one value; and whole, where the write changes none that could be another."""
        wrong = wrong_fact(done.touched, self._copy.all, choice)
        if wrong is None:
            self._arrive(done.number, done.touched)
            return
        before, after = done.touched[wrong.key]
        assert after is not None  # a value in it is changed
        self._arrive(done.number, {**done.touched, wrong.key: (before, wrong.put(after))})
        self._note([_injected(done, "wrong", wrong.key, ".".join(map(str, wrong.way)), wrong.right, wrong.stored)])

    def _note(self, facts: Iterable[Injected]) -> None:
        for fact in facts:
            self._ask("INSERT INTO injected VALUES (?, ?)", fact.model_dump_json())

    @cached_property
    def _agents_last(self) -> int:
        query = "SELECT ifnull(max(number), 0) AS last FROM operations WHERE copy = ? AND party = 'agent'"
        return int(self._ask(query).fetchone()["last"])

    def _ask(self, query: str, *values: Any) -> Any:
        return self._copy.connection.execute(query, (self._copy.name, *values))


def _every_fact(done: Performed, kind: Kind) -> Iterator[Injected]:
    """All that the operation set or removed, with what stood there before."""
    for key, (before, after) in done.touched.items():
        for change in changes(before, after):
            yield _injected(done, kind, key, change.name, change.value, at(before, change.field))


def _injected(done: Performed, kind: Kind, key: tuple[str, str], field: str, right: Any, stored: Any) -> Injected:
    record = "/".join(key)
    return Injected(operation=done.operation, kind=kind, record=record, field=field, right=right, stored=stored)
