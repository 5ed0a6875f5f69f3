"""Whatever one fact of a write is lost or wrong, the policy book tells it: each kind of fact once, without a server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from aftercare.demo.agent import claimed
from aftercare.demo.recorded.files import read
from aftercare.demo.recorded.format import Recorded
from aftercare.demo.shop.__main__ import DOMAINS
from aftercare.demo.shop.domain import Write
from aftercare.demo.shop.faults import Faults
from aftercare.demo.shop.messages import FaultPlan, Kind, Ledger, WriteFault
from aftercare.demo.shop.records import Copy, Database, Request
from aftercare.demo.story import CASES, SHOP
from aftercare.demo.truth import Judged
from aftercare.messages.case import Step
from aftercare.messages.policy import FactCheck, VerificationResult
from policies import effects
from policies.book import PolicyBook, load
from policies.facts import Known

DATA = Path(__file__).parents[2].parent / "shared" / "data"
OF_EACH_TOOL = 6
FILES = {"demo": (CASES, SHOP)} | {
    domain: (DATA / f"taubench_{domain}_cases.jsonl.gz", DATA / f"taubench_{domain}_db.json.gz") for domain in DOMAINS
}


@cache
def book_of(domain: str) -> PolicyBook:
    return load(domain)


@pytest.mark.parametrize("name", list(FILES))
def test_one_lost_or_wrong_fact_is_always_found_and_nothing_else(tmp_path: Path, name: str) -> None:
    """Some writes of every tool, each dropped once, and once for each of their facts applied wrongly."""
    file, data = FILES[name]
    if not file.exists():
        pytest.skip(f"the recorded {name} cases are not here")
    database = Database(tmp_path / "shop.sqlite")
    database.load(data)
    kinds: Counter[str] = Counter()
    for case in faulty(database, [case.agent for case in read(file)]):
        kinds.update({fact.kind for fact in case.real.injected})
        assert (case.missed, case.false_alarms) == ([], [])
    assert kinds["drop"] >= 8
    assert kinds["wrong"] >= 4 * kinds["drop"]


def faulty(database: Database, agents: list[Recorded]) -> Iterator[Judged]:
    """The cases of some writes of each tool, with every fault that the write can have."""
    chosen: Counter[str] = Counter()
    for recorded in (a for a in agents if a.ending != "falls_silent" and not a.claims_only):
        writes = [step for step in recorded.steps if step.number in recorded.writes]
        for number, step in enumerate(writes, 1):
            chosen[step.name] += step.error is None
            if step.error is None and chosen[step.name] <= OF_EACH_TOOL:
                yield judged(database, recorded, number, "drop")
                yield from each_wrong(database, recorded, number)


def each_wrong(database: Database, recorded: Recorded, number: int) -> Iterator[Judged]:
    """Choices go round: when a fact comes again, there was every one."""
    seen: set[str] = set()
    for choice in range(100):
        case = judged(database, recorded, number, "wrong", choice)
        fields = {f"{fact.record} {fact.field}" for fact in case.real.injected}
        if fields <= seen:
            return
        seen |= fields
        yield case


def judged(database: Database, recorded: Recorded, number: int, kind: Kind, choice: int = 0) -> Judged:
    copy, plan = f"{recorded.case.id}.{kind}.{number}.{choice}", {number: WriteFault(kind=kind, choice=choice)}
    twin, _ = played(database, recorded, f"{recorded.case.id}~twin")
    real, steps = played(database, recorded, copy, FaultPlan(writes=plan))
    with database.reading(copy) as records:
        checks = looked_for(records, recorded, steps)
    told = VerificationResult(status=effects.status_of(checks), differing=tuple(c for c in checks if not c.held))
    return Judged(recorded.case.id, real, twin, told)


def played(
    database: Database, recorded: Recorded, name: str, plan: FaultPlan | None = None
) -> tuple[Ledger, list[Step]]:
    """The ledger of the copy, and the steps with their receipts; played again, it is the same."""
    with database.writing(name) as copy:
        if plan:
            Faults(copy).set(plan)
        steps = [perform(copy, recorded, s) if s.number in recorded.writes else s for s in recorded.steps]
        return Faults(copy).ledger(), steps


def perform(copy: Copy, recorded: Recorded, step: Step) -> Step:
    tool = DOMAINS[recorded.case.domain].tools[step.name]
    assert isinstance(tool, Write)
    arguments, run = tool.arguments.model_validate(step.input), tool.run
    done = copy.perform(Request(step.name, step.input, "agent", str(step.number)), lambda: run(copy, arguments))
    Faults(copy).pass_on(done, "agent")
    return step.model_copy(update={"receipt": done.operation})


def looked_for(copy: Copy, recorded: Recorded, steps: list[Step]) -> list[FactCheck]:
    """What verification does, without waiting."""
    book, shown = book_of(recorded.case.domain), Faults(copy).shown
    known: Known = {}
    while True:
        wanted, missing = effects.expected(book, claimed(recorded, steps), known)
        if not missing:
            return [effects.met(effect, shown(effect.ref.kind, effect.ref.id)) for effect in wanted]
        met = {r: copy.find(r.kind, r.id, before=copy.number_of(r.before)) for r in missing if r.before}
        known = {**known, **met, **{r: shown(r.kind, r.id) for r in missing if not r.before}}
