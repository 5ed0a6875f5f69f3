"""A firing in full: why, what became of its evidence, what that says, and where its improvement is to be seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from aftercare.commands.answering import Answer, Hanging, safe
from aftercare.commands.trigger_told import COLOURS, minute, table
from aftercare.learning.datasets.diagnosis import Diagnosis
from aftercare.lifecycle.improvement_story import in_full
from aftercare.lifecycle.state import Refused
from aftercare.messages.improvement import Firing, FiringStatus, Frozen
from aftercare.store.cases import Cases
from aftercare.store.datasets import Datasets
from aftercare.store.triggers import Triggers
from workflows.conventions import improvement_id

MOST = 5


async def shown(cases: Cases, id: str) -> Answer:
    """The firing of an id. Raises Refused where nothing fired under it."""
    firing = await Triggers(cases.database).firing(id)
    if firing is None:
        raise Refused([f"nothing fired as {id}; `aftercare trigger firings` lists what did"])
    datasets = Datasets(cases.database)
    frozen, row = await datasets.frozen(id), await datasets.find(id)
    diagnosis = Diagnosis.model_validate(row.diagnosis) if row and row.diagnosis else None
    document: dict[str, Any] = {
        "firing": firing,
        "workflow_id": improvement_id(id),
        "dataset": frozen.model_dump(mode="json") | {"built": row.built} if frozen and row else None,
        "accounts": row.accounts if row else [],
        "diagnosis": diagnosis,
    }
    return Answer(document, list(_lines(firing, frozen, diagnosis, row.built if row else [])))


def _lines(
    firing: Firing, frozen: Frozen | None, diagnosis: Diagnosis | None, built: list[str]
) -> Iterator[RenderableType]:
    yield Text.assemble((safe(firing.id), "bold"), "  ", (firing.status, COLOURS.get(firing.status, "")))
    yield Hanging("because   ", firing.because)
    by = f", asked for by {firing.by}" if firing.by and firing.by not in firing.because else ""
    yield Text(safe(f"fired     {minute(firing.at)}{by}; {firing.cases:,} cases, {firing.pieces:,} pieces of evidence"))
    yield Text(f"starts    {in_full(firing.work)}")
    yield Text(safe(f"workflow  {improvement_id(firing.id)}"))
    if firing.note and not (diagnosis and firing.status is FiringStatus.PREPARED):  # the diagnosis says it, and better
        yield Hanging("ended     ", firing.note)
    yield Text()
    if frozen is None:
        yield Text("Its evidence is not frozen yet.")
        return
    yield from _dataset(frozen, built)
    if diagnosis:
        yield Text()
        yield from _diagnosis(diagnosis)


def _dataset(frozen: Frozen, built: list[str]) -> Iterator[RenderableType]:
    sides = ", ".join(f"{count:,} {side}" for side, count in frozen.sides.items())
    became = ", ".join(f"{count:,} {what}" for what, count in frozen.accounts.items())
    yield Text(f"Dataset {frozen.digest[:12]}: {frozen.rows:,} rows" + (f" ({sides})" if sides else ""), "bold")
    yield Hanging("  of its evidence   ", became or "nothing is left")
    yield Hanging("  personal data     ", f"looked for by {frozen.redaction}")
    yield Hanging("  built from it     ", ", ".join(built) or "nothing yet")


def _diagnosis(told: Diagnosis) -> Iterator[RenderableType]:
    yield Hanging("", told.headline, "bold")
    if told.unreadable:
        yield Text(f"  left out, since it can no longer be read: {told.unreadable:,} rows")
    if told.intents:
        intents = table(
            "intent", "cases", "overridden", "escalated", "clause broken", "came back", right=(1, 2, 3, 4, 5)
        )
        for line in told.intents[:MOST]:
            counts = (line.cases, line.overridden, line.escalated, line.broken, line.came_back)
            intents.add_row(safe(line.intent), *(f"{count:,}" for count in counts))
        yield intents
    yield from (Hanging("  ", line) for line in _told(told))


def _told(told: Diagnosis) -> Iterator[str]:
    for confusion in told.confusions[:MOST]:
        yield f"taken for {confusion.took_for}, really {confusion.is_really}: {confusion.cases:,} cases"
    for clause in told.clauses[:MOST]:
        yield f"clause {clause.clause}: broken in {clause.broken:,}, named in {clause.named:,}. {clause.says}"
    for step in told.steps[:MOST]:
        name = f" {step.name}" if step.name else ""
        yield f"at {step.kind}{name}: {step.cases:,} cases"
    for reviewer in told.reviewers[:MOST]:
        yield f"reviewer {reviewer.reviewer}: {reviewer.overrides:,} overrides"
    for case in told.cases[:MOST]:
        yield f"case {case.case_id} ({case.intent}, {case.side}): {'; '.join(case.because)}"
    for quote in told.said[:MOST]:
        yield f"{quote.reviewer} on {quote.case_id}: “{quote.says}”"
