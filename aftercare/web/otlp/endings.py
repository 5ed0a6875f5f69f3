"""How a case ended by what its spans say: the agent's claim, with everything it did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aftercare.messages.base import NOT_REPORTED, Confidence
from aftercare.messages.case import Action, Escalation, Resolution, Step, StepKind
from aftercare.web.otlp.bounds import cut
from aftercare.web.otlp.spans import NOT_TOLD

LONGEST_REPLY, MOST_ACTIONS = 4_000, 100
NO_REASON = "The agent gave no reason."


@dataclass(frozen=True)
class Ending:
    """What the span says that ended a case. `reply` is its own last word, for where no step has one."""

    id: str
    source: str
    resolved: bool
    reason: str = ""
    intent: str = "unknown"
    confidence: Confidence = NOT_REPORTED
    reply: str = ""
    at: datetime | None = None

    def message(self, steps: Sequence[Step]) -> Resolution | Escalation:
        """What the agent claims, given every step of the episode: its acts without error, and its last reply."""
        actions = tuple(_action(s) for s in steps if s.kind is StepKind.ACT and s.error is None)[-MOST_ACTIONS:]
        if not self.resolved:
            return Escalation(
                id=self.id,
                reason=cut(self.reason) or NO_REASON,
                intent=self.intent,
                confidence=self.confidence,
                actions=actions,
                at=self.at,
            )
        return Resolution(
            id=self.id,
            intent=self.intent,
            confidence=self.confidence,
            actions=actions,
            reply=cut(_last_said(steps) or self.reply, LONGEST_REPLY),
            at=self.at,
        )


def _action(step: Step) -> Action:
    arguments = {name: value for name, value in step.input.items() if name != NOT_TOLD}
    return Action(name=step.name, arguments=arguments, step=step.number, receipt=step.receipt)


def _last_said(steps: Sequence[Step]) -> str:
    """By when it was said: exports may come in any order."""
    said = [(step.at.timestamp() if step.at else 0.0, step.number, step.said) for step in steps if step.said]
    return max(said)[2] if said else ""
