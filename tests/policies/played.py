"""Every recorded retail case, played once on the shop's own database, audited, and its effects looked for."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from aftercare.demo.recorded import taubench
from aftercare.demo.recorded.format import Recorded
from aftercare.demo.shop.domain import Write
from aftercare.demo.shop.records import Copy, Database, Request
from aftercare.demo.shop.retail import RETAIL
from aftercare.messages.case import Action, Case, Step
from aftercare.messages.policy import FactCheck, Finding
from policies import effects, engine
from policies.book import PolicyBook, load
from policies.facts import RecordRef

DATA = Path(__file__).parents[2].parent / "shared" / "data"
CASES = DATA / "taubench_retail_cases.jsonl.gz"
SHOP = DATA / "taubench_retail_db.json.gz"
needs_recordings = pytest.mark.skipif(not CASES.exists() or not SHOP.exists(), reason="the recordings are not here")

Found = dict[RecordRef, dict[str, Any] | None]


@dataclass(frozen=True)
class Played:
    """A recorded case after it was played: `row` as published, the steps with receipts, and what was made of them."""

    row: dict[str, Any]
    recorded: Recorded
    steps: tuple[Step, ...]
    known: Found
    findings: tuple[Finding, ...]
    checks: tuple[FactCheck, ...]

    @property
    def case(self) -> Case:
        return self.recorded.case


@cache
def book() -> PolicyBook:
    return load("retail")


@cache
def everything() -> tuple[Played, ...]:
    """All recorded cases that did not crash, in the order of the file."""
    with TemporaryDirectory(prefix="played-") as directory:
        database = Database(Path(directory) / "shop.sqlite")
        database.load(SHOP)
        return tuple(_played(row, database) for row in _rows() if not row["crashed"])


def again(case: Played, steps: Sequence[Step]) -> tuple[Finding, ...]:
    """The findings on other steps of the same case, from the records that were read the first time."""
    findings, missing = engine.audit(book(), case.case, steps, case.known)
    assert not missing
    return tuple(findings)


def with_receipts(steps: Iterable[Step], receipts: Mapping[int, str]) -> tuple[Step, ...]:
    return tuple(s.model_copy(update={"receipt": receipts.get(s.number)}) for s in steps)


def _rows() -> Iterator[dict[str, Any]]:
    with gzip.open(CASES, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _played(row: dict[str, Any], database: Database) -> Played:
    recorded = taubench.recorded(row)
    with database.writing(recorded.case.id) as copy:
        receipts = {s.number: _perform(copy, s) for s in recorded.steps if s.number in recorded.writes}
        steps = with_receipts(recorded.steps, receipts)
        known: Found = {}
        findings = _audited(copy, recorded.case, steps, known)
        return Played(row, recorded, steps, known, findings, _looked_for(copy, accepted_actions(steps), known))


def accepted_actions(steps: Iterable[Step]) -> list[Action]:
    """What the system of record accepted, as the actions an agent may claim."""
    written = (s for s in steps if s.receipt and s.error is None)
    return [Action(name=s.name, arguments=s.input, step=s.number, receipt=s.receipt) for s in written]


def _perform(copy: Copy, step: Step) -> str:
    tool = RETAIL.tools[step.name]
    assert isinstance(tool, Write)
    arguments, run = tool.arguments.model_validate(step.input), tool.run
    return copy.perform(Request(step.name, step.input, "agent"), lambda: run(copy, arguments)).operation


def _audited(copy: Copy, case: Case, steps: Sequence[Step], known: Found) -> tuple[Finding, ...]:
    while True:
        findings, missing = engine.audit(book(), case, steps, known)
        if not missing:
            return tuple(findings)
        _read(copy, missing, known)


def _looked_for(copy: Copy, actions: Sequence[Action], known: Found) -> tuple[FactCheck, ...]:
    while True:
        wanted, missing = effects.expected(book(), actions, known)
        if not missing:
            return tuple(effects.met(e, copy.find(e.ref.kind, e.ref.id)) for e in wanted)
        _read(copy, missing, known)


def _read(copy: Copy, refs: Iterable[RecordRef], known: Found) -> None:
    for ref in refs:
        before = copy.number_of(ref.before) if ref.before else None
        known[ref] = copy.find(ref.kind, ref.id, before=before)
