"""Every recorded case of a domain, played once on its own database, audited, and its effects looked for."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from aftercare.demo.recorded import taubench
from aftercare.demo.recorded.format import Recorded
from aftercare.demo.shop.airline import AIRLINE
from aftercare.demo.shop.domain import Domain, Write
from aftercare.demo.shop.records import Copy, Database, Request
from aftercare.demo.shop.retail import RETAIL
from aftercare.messages.case import Action, Case, Step
from aftercare.messages.policy import FactCheck, Finding
from policies import effects, engine
from policies.book import PolicyBook, load
from policies.facts import RecordRef

DATA = Path(__file__).parents[2].parent / "shared" / "data"
DOMAINS: Mapping[str, Domain] = {"retail": RETAIL, "airline": AIRLINE}
# Nothing recorded says when a step was taken; but the airline's agents were told that the time is this, and stays so.
CLOCKS = {"airline": datetime.fromisoformat("2024-05-15T15:00:00-05:00")}

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


def cases_of(domain: str) -> Path:
    return DATA / f"taubench_{domain}_cases.jsonl.gz"


def database_of(domain: str) -> Path:
    return DATA / f"taubench_{domain}_db.json.gz"


needs_recordings = pytest.mark.skipif(
    not all(path(domain).exists() for domain in DOMAINS for path in (cases_of, database_of)),
    reason="the recordings are not here",
)
in_each_domain = pytest.mark.parametrize("domain", DOMAINS)


def rules_by_domain() -> pytest.MarkDecorator:
    """Once per rule of each shipped book."""
    return pytest.mark.parametrize(("domain", "rule"), [(d, r.entry.id) for d in DOMAINS for r in book(d).rules])


@cache
def book(domain: str) -> PolicyBook:
    return load(domain)


@cache
def everything(domain: str) -> tuple[Played, ...]:
    """All recorded cases that did not crash, in the order of the file."""
    with TemporaryDirectory(prefix="played-") as directory:
        database = Database(Path(directory) / "shop.sqlite")
        database.load(database_of(domain))
        return tuple(_played(row, database) for row in _rows(domain) if not row["crashed"])


def again(case: Played, steps: Sequence[Step]) -> tuple[Finding, ...]:
    """The findings on other steps of the same case, from the records that were read the first time."""
    findings, missing = engine.audit(book(case.case.domain), case.case, steps, case.known)
    assert not missing
    return tuple(findings)


def with_receipts(steps: Iterable[Step], receipts: Mapping[int, str]) -> tuple[Step, ...]:
    return tuple(s.model_copy(update={"receipt": receipts.get(s.number)}) for s in steps)


def without_clock(steps: Iterable[Step]) -> tuple[Step, ...]:
    return tuple(s.model_copy(update={"at": None}) for s in steps)


def _rows(domain: str) -> Iterator[dict[str, Any]]:
    with gzip.open(cases_of(domain), "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _played(row: dict[str, Any], database: Database) -> Played:
    recorded = recorded_at(row)
    with database.writing(recorded.case.id) as copy:
        shop = DOMAINS[recorded.case.domain]
        receipts = {s.number: _perform(shop, copy, s) for s in recorded.steps if s.number in recorded.writes}
        steps = with_receipts(recorded.steps, receipts)
        known: Found = {}
        findings = _audited(copy, recorded.case, steps, known)
        checks = _looked_for(copy, recorded.case, accepted_actions(steps), known)
        return Played(row, recorded, steps, known, findings, checks)


def recorded_at(row: dict[str, Any]) -> Recorded:
    """The recording, with the time at which it plays, if there is one."""
    recorded = taubench.recorded(row)
    at = CLOCKS.get(recorded.case.domain)
    return recorded.model_copy(update={"steps": tuple(s.model_copy(update={"at": at}) for s in recorded.steps)})


def accepted_actions(steps: Iterable[Step]) -> list[Action]:
    """What the system of record accepted, as the actions an agent may claim."""
    written = (s for s in steps if s.receipt and s.error is None)
    return [Action(name=s.name, arguments=s.input, step=s.number, receipt=s.receipt) for s in written]


def _perform(shop: Domain, copy: Copy, step: Step) -> str:
    tool = shop.tools[step.name]
    assert isinstance(tool, Write)
    arguments, run = tool.arguments.model_validate(step.input), tool.run
    return copy.perform(Request(step.name, step.input, "agent"), lambda: run(copy, arguments)).operation


def _audited(copy: Copy, case: Case, steps: Sequence[Step], known: Found) -> tuple[Finding, ...]:
    while True:
        findings, missing = engine.audit(book(case.domain), case, steps, known)
        if not missing:
            return tuple(findings)
        _read(copy, missing, known)


def _looked_for(copy: Copy, case: Case, actions: Sequence[Action], known: Found) -> tuple[FactCheck, ...]:
    while True:
        wanted, missing = effects.expected(book(case.domain), actions, known)
        if not missing:
            return tuple(effects.met(e, copy.find(e.ref.kind, e.ref.id)) for e in wanted)
        _read(copy, missing, known)


def _read(copy: Copy, refs: Iterable[RecordRef], known: Found) -> None:
    for ref in refs:
        before = copy.number_of(ref.before) if ref.before else None
        known[ref] = copy.find(ref.kind, ref.id, before=before)
