"""What really became of a case, beside its twin that had no faults, fact by fact; and what verification said of it.

The truth comes from the shop's own ledgers alone. Verification is only looked at to be held against it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from aftercare.demo.shop.changes import at, changes
from aftercare.demo.shop.messages import FaultPlan, Injected, Ledger
from aftercare.messages.policy import FactCheck, Verification, VerificationResult

NO_PLAN = FaultPlan()
LATE = ("eventual", "slow")  # there in the end: no reason to find anything else


@dataclass(frozen=True)
class NetFact:
    """A fact that stands otherwise than it would without faults, after all of the agent's operations.

    It is `tellable` unless the operation that made the record left it so: the shop gave that record its name, and no
    policy book can say where to look for what the operation should have put there.
    """

    record: str
    field: str
    kind: str
    tellable: bool
    right: Any
    stored: Any

    def named_by(self, check: FactCheck) -> bool:
        """Whether this is the fact that was looked at: the same one, one within it, or the whole that it is part of."""
        return check.record == self.record and _overlap(check.field, self.field)


@dataclass(frozen=True)
class Judged:
    """One case: what really became of it, what it should have been, and what verification said of its first episode."""

    case_id: str
    real: Ledger
    twin: Ledger
    verification: VerificationResult | None

    @cached_property
    def net(self) -> list[NetFact]:
        """Where the records differ from the twin's."""
        return list(self._net())

    @property
    def tellable(self) -> list[NetFact]:
        """Of these, what a policy book can say something about."""
        return [fact for fact in self.net if fact.tellable]

    @property
    def alarms(self) -> list[FactCheck]:
        """What verification says differs."""
        return [check for check in self.verification.differing if check.held is False] if self.verification else []

    @property
    def missed(self) -> list[NetFact]:
        """What differs and was not found."""
        return [fact for fact in self.tellable if not any(map(fact.named_by, self.alarms))]

    @property
    def false_alarms(self) -> list[FactCheck]:
        """What was found and does not differ."""
        return [check for check in self.alarms if not any(fact.named_by(check) for fact in self.net)]

    @property
    def only(self) -> str | None:
        """The one kind of fault that the case has, where it has one alone."""
        plan = self.real.plan or NO_PLAN
        if plan.slow or plan.down_after is not None:
            return "slow" if plan.slow else "down"
        kinds = {fact.kind for fact in self.real.injected}
        return kinds.pop() if len(kinds) == 1 else None

    @property
    def misjudged(self) -> bool:
        """Whether what only came late was not verified, or what could not be read was judged."""
        right = Verification.UNVERIFIABLE if self.only == "down" else Verification.VERIFIED
        if self.verification is None or self.only not in (*LATE, "down"):
            return False
        return self.verification.status is not right

    def _net(self) -> Iterator[NetFact]:
        for record, right in self.twin.records.items():
            stored = self.real.records.get(record)
            for change in changes(stored, right):
                cause = self._cause(record, change.name)
                yield NetFact(
                    record=record,
                    field=change.name,
                    kind=cause.kind,
                    tellable=bool(change.name) and self.twin.made.get(record) != cause.operation,
                    right=change.value,
                    stored=at(stored, change.field),
                )

    def _cause(self, record: str, field: str) -> Injected:
        """The last fault that touched this fact. There is one: all else reaches the records as it was acknowledged."""
        of_record = [f for f in reversed(self.real.injected) if f.record == record]
        return next(f for f in of_record if (_overlap(f.field, field) if field else not f.field))


def _overlap(one: str, other: str) -> bool:
    """The same field, or one within the other; the empty field is the whole record."""
    return not one or not other or f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")
