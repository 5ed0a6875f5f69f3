"""A case as a reviewer is shown it: what was said and done, what the systems show, and nothing that others made of it.

Left out are overrides, reopenings, second contacts, feedback, later episodes, the outcome, and how sure the agent was:
whoever knows them tells what others decided once more.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from aftercare.commands.answering import safe
from aftercare.commands.case_look import Seen
from aftercare.commands.case_story import action_told, local, story, value_told
from aftercare.learning.intervals import Estimate, share
from aftercare.messages.case import CaseReport, Escalation, Resolution, Step, StepsHeld
from aftercare.messages.outcome import Episode, Snapshot, Stage
from aftercare.messages.policy import Finding
from aftercare.messages.reviews import ReviewStanding
from aftercare.store.reviews import Audited, Item, in_words
from aftercare.store.tables import EvidenceRow

OF_STEP = {"number", "kind", "name", "input", "output", "heard", "said", "error", "at"}
OF_EPISODE = {"number", "ending", "handed_over_because", "intent", "actions", "verification"}
NOT_YET = "The agent has not ended this case yet, or its ending is still being verified: it cannot be decided."
WORDS = 2_000


class Judged:
    """What of a case is shown to whoever is to judge it: the agent's first ending, and what led to it."""

    def __init__(self, item: Item, seen: Seen, trace: Sequence[Step]) -> None:
        self.item, self._seen = item, seen
        self.episode: Episode | None = seen.snapshot.episodes[0] if seen.snapshot.episodes else None
        until = self.episode.steps_to if self.episode and self.episode.ending else None
        self.steps = [step for step in trace if until is None or step.number <= until]
        self.ending = _first_ending(seen.inbox)
        self.findings: list[Finding] = seen.findings.get(1, [])

    @property
    def reply(self) -> str:
        """What the agent told the customer at the end, where it reported that."""
        return self.ending.reply if isinstance(self.ending, Resolution) else ""

    def document(self) -> dict[str, Any]:
        """The same for machines."""
        episode = self.episode.model_dump(mode="json", include=OF_EPISODE) if self.episode else None
        findings = [finding.model_dump(mode="json") for finding in self.findings]
        steps = [step.model_dump(mode="json", include=OF_STEP) for step in self.steps]
        about = self._seen.snapshot.case
        return document(self.item) | {
            "case": about.model_dump(mode="json") if about else None,
            "episode": episode,
            "reply": self.reply,
            "findings": findings,
            "steps": steps,
        }

    def lines(self) -> Iterator[Text]:
        """The case line by line; of an erased one there are none."""
        if self.item.row.standing == ReviewStanding.ERASED:
            yield Text(safe(f"{self.item.row.id}: {_stands(self.item)}"), "yellow")
            return
        if not self.item.ready:
            yield Text(f"{_why_not(self.item)}\n", "yellow")
        elif self.item.row.standing == ReviewStanding.DECIDED:
            yield Text(f"{decided(self.item)}\n", "yellow")
        elif self._seen.source == "open in the store":
            yield Text(f"{self._seen.why} What the systems of record showed is not in it.\n", "yellow")
        yield from story(self._blind(), {1: self.findings} if self.findings else {}, (), "to be judged", False)
        yield from self._told_at_the_end()
        if self.steps:
            yield Text("\nThe trace", "bold")
            for step in self.steps:
                yield from _step(step)

    def _blind(self) -> Snapshot:
        held = StepsHeld(count=len(self.steps), last=self.steps[-1].number if self.steps else 0)
        whole = self._seen.snapshot
        episodes = (self.episode,) if self.episode else ()
        return Snapshot(
            case_id=whole.case_id, stage=Stage.SETTLED, case=whole.case, book=whole.book, steps=held, episodes=episodes
        )

    def _told_at_the_end(self) -> Iterator[Text]:
        if self.episode is None and self.ending:
            yield Text(safe(f"  Intent {self.ending.intent}"))
            yield from (Text(safe(f"  Claimed: {action_told(a)}")) for a in self.ending.actions)
        if isinstance(self.ending, Escalation) and self.episode is None:
            yield Text(safe(f"  It said: {self.ending.reason[:WORDS]}"))
        if self.reply:
            yield Text(safe(f"  It told the customer: “{self.reply}”"))


def document(item: Item) -> dict[str, Any]:
    """An item for machines. What was decided before it was opened again is shown to nobody."""
    row = item.row
    told = {name: value for name, value in row.decision.items() if name in ("right", "intent", "note")}
    return {
        "id": row.id,
        "kind": row.kind,
        "case_id": row.case_id,
        "agent": row.agent,
        "standing": row.standing,
        "ready": item.ready,
        "drawn_at": row.drawn_at.isoformat(),
        "decided_at": row.decided_at.isoformat() if row.decided_at else None,
        "decided_by": row.decided_by,
        "decision": told or None,
    }


def decided(item: Item) -> str:
    """Who decided what, and when."""
    row = item.row
    note = f" ({row.decision['note']})" if row.decision.get("note") else ""
    return safe(f"Decided by {row.decided_by} at {local(row.decided_at)}: {_said(item)}{note}")


def table(items: Iterable[Item]) -> Table:
    """The items, a line each."""
    shown = _table("item", "agent", "drawn", "stands", "decided by")
    for item in items:
        row = item.row
        drawn = local(row.drawn_at)[:10]
        shown.add_row(safe(row.id), safe(row.agent), drawn, safe(_stands(item)), safe(row.decided_by or "-"))
    return shown


def agreement(found: Sequence[Audited]) -> list[dict[str, Any]]:
    """By agent, and by agent and intent: how many were drawn and judged, and in which share the agent was right.

    Whatever nobody could tell is in neither the number above nor the number below.
    """
    whole = [_sum(agent, found) for agent in dict.fromkeys(a.agent for a in found)]
    return [_figures(a, None) for a in whole] + [_figures(a, a.intent) for a in found]


def agreement_table(figures: Sequence[dict[str, Any]]) -> RenderableType:
    """The same for people."""
    shown = _table("agent", "intent", "drawn", "right", "wrong", "unknown", "agent was right", "95% interval", right=2)
    for of in figures:
        estimate: Estimate = of["was_right"]
        value = "-" if estimate.value is None else f"{estimate.value:.1%}"
        interval = "-" if estimate.low is None else f"{estimate.low:.1%} to {estimate.high:.1%}"
        intent = Text("all", "bold") if of["intent"] is None else safe(of["intent"])
        counts = (str(of[name]) for name in ("drawn", "right", "wrong", "unknown"))
        shown.add_row(safe(of["agent"]), intent, *counts, value, interval)
    return shown


def _sum(agent: str, found: Sequence[Audited]) -> Audited:
    of = [a for a in found if a.agent == agent]
    return Audited(
        agent=agent,
        intent="",
        drawn=sum(a.drawn for a in of),
        right=sum(a.right for a in of),
        wrong=sum(a.wrong for a in of),
        unknown=sum(a.unknown for a in of),
    )


def _figures(of: Audited, intent: str | None) -> dict[str, Any]:
    return {
        "agent": of.agent,
        "intent": intent,
        "drawn": of.drawn,
        "right": of.right,
        "wrong": of.wrong,
        "unknown": of.unknown,
        "was_right": share(of.right, of.right + of.wrong),
    }


def _first_ending(inbox: Sequence[EvidenceRow]) -> Resolution | Escalation | None:
    for row in inbox:
        if not row.accepted or not isinstance(row.body, dict) or "id" not in row.body:
            continue
        match row.kind:
            case "resolution":
                return Resolution.model_validate(row.body)
            case "escalation":
                return Escalation.model_validate(row.body)
            case "report":
                report = CaseReport.model_validate(row.body)
                return report.resolution or report.escalation
    return None


def _step(step: Step) -> Iterator[Text]:
    given = f" {json.dumps(step.input, default=str)[:WORDS]}" if step.input else ""
    yield Text(safe(f"  {step.number}  {step.kind} {step.name}{given}"))
    for who, words in (("customer", step.heard), ("agent", step.said)):
        if words:
            yield Text(safe(f"       {who}: “{words[:WORDS]}”"))
    if step.output is not None:
        yield Text(safe(f"       answer: {value_told(step.output)}"), "dim")
    if step.error:
        yield Text(safe(f"       error: {step.error}"), "red")


def _said(item: Item) -> str:
    return in_words(item.row.decision) if item.row.decision else "its customer was erased since"


def _stands(item: Item) -> str:
    match item.row.standing:
        case ReviewStanding.DECIDED:
            return _said(item)
        case ReviewStanding.ERASED:
            return "closed: its customer was erased"
        case _:
            return "to be judged" if item.ready else "the case has not ended"


def _why_not(item: Item) -> str:
    if item.row.standing == ReviewStanding.OPEN:
        return NOT_YET
    return "The customer of this case was erased: there is nothing left to judge it by."


def _table(*columns: str, right: int | None = None) -> Table:
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for number, column in enumerate(columns):
        figure = right is not None and number >= right
        shown.add_column(column, justify="right" if figure else "left", overflow="fold")
    return shown
