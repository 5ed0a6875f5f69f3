"""The state of a case: everything that must survive, in one object, changed only by its own methods."""

from __future__ import annotations

import hashlib
from collections import deque
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from aftercare.lifecycle.digest import digest_of
from aftercare.messages.base import Message
from aftercare.messages.case import Case, CaseReport, Escalation, Proposal, Receipt, Resolution, Steps, StepsHeld
from aftercare.messages.evidence import Feedback, Recontact, Refusal, Reopen
from aftercare.messages.outcome import Episode, Stage
from aftercare.messages.override import OriginalDecision, Override
from aftercare.messages.policy import BookPin

KEPT = 300


class Opening(BaseModel):
    """Why an episode is to begin: first contact, a reopening, or a person stepping in."""

    began: str
    because: str = ""
    override: Override | None = None


class Taken(BaseModel):
    """A message that was taken in: what kind, and which body."""

    kind: str
    digest: str


class CaseState(BaseModel):
    """Everything the workflow knows of its case."""

    case_id: str
    case: Case | None = None
    book: BookPin | None = None
    stage: Stage = Stage.RESOLVING
    steps: StepsHeld = StepsHeld()
    episodes: list[Episode] = []
    openings: deque[Opening] = Field(default_factory=deque)
    overrides: list[Override] = []
    reopens: list[Reopen] = []
    recontacts: list[Recontact] = []
    feedback: list[Feedback] = []
    refused: list[Refusal] = []
    proposals: list[Proposal] = []
    taken: dict[str, Taken] = {}
    resolution: Resolution | None = None
    escalation: Escalation | None = None
    last_sign: datetime | None = None
    revision: int = 1

    @property
    def episode(self) -> Episode | None:
        """The episode under way, or the last one."""
        return self.episodes[-1] if self.episodes else None

    @property
    def registered(self) -> bool:
        return self.case is not None

    @property
    def awaiting_agent(self) -> bool:
        """Whether it is the agent's turn: no ending has been reported for the episode under way."""
        return self.stage is Stage.RESOLVING and not self.ended

    @property
    def ended(self) -> bool:
        """Whether the agent or a person has brought the episode under way to an end."""
        return bool(self.resolution or self.escalation or any(o.override for o in self.openings))

    @property
    def unfinished(self) -> bool:
        """Whether an episode is still to begin."""
        return not self.episodes or bool(self.openings)

    def earlier(self, kind: str, id: str, body: Any) -> Receipt | None:
        """The receipt of the same message taken in before. Raises Refused for the same id with another body."""
        before = self.taken.get(id)
        if before is None:
            return None
        if (before.kind, before.digest) != (kind, digest_of(body)):
            raise Conflict([f"the id {id!r} was used before for another {before.kind}; give this one an id of its own"])
        return Receipt(id=id)

    def take(self, kind: str, message: Any, id: str) -> Receipt:
        """Note that a message is taken in, and give its receipt."""
        self.taken[id] = Taken(kind=kind, digest=digest_of(message))
        return Receipt(id=id)

    def to_keep(self) -> dict[str, Any]:
        """What a later run goes on from. Long words of customers lie in the store already, and stay there."""
        kept = self.model_dump(mode="json")
        for feedback in kept["feedback"]:
            feedback |= {"payload": {}, "comment": feedback["comment"][:KEPT]}
        for contact in (*kept["recontacts"], *kept["reopens"]):
            contact["reason"] = contact["reason"][:KEPT]
        for refusal in kept["refused"]:
            refusal["body"] = None
        return kept

    def add_steps(self, batch: Steps | CaseReport) -> None:
        """Count the steps of a batch. The digest chains the batches in the order in which they came."""
        held = batch.held
        if held and held.count:
            chained = hashlib.sha256((self.steps.digest + held.digest).encode()).hexdigest()
            count, last = self.steps.count + held.count, max(self.steps.last, held.last)
            self.steps = StepsHeld(count=count, last=last, digest=chained)

    def begin_episode(self, at: datetime) -> Episode:
        """Start the next episode. A person who steps in brings its ending along."""
        opening = self.openings.popleft() if self.openings else Opening(began="first contact")
        number = len(self.episodes) + 1
        since = self.episodes[-1].steps_to + 1 if self.episodes else 1
        episode = Episode(number=number, began=opening.began, because=opening.because, steps_from=since)
        if self.case and self.case.handled_by == "human":
            episode = episode.model_copy(update={"handled_by": "human"})
        self.episodes.append(episode)
        self.stage = Stage.RESOLVING
        self.last_sign = at
        if number > 1:
            self.resolution = self.escalation = None
        if opening.override:
            self.end_by_person(opening.override)
        return episode

    def end_episode(self) -> None:
        """The episode under way ends: by the agent's word, else by a person who stepped in, else by silence."""
        stepping_in = next((o for o in self.openings if o.override), None)
        if stepping_in and stepping_in.override and not (self.resolution or self.escalation):
            self.openings.remove(stepping_in)
            self.end_by_person(stepping_in.override)
        else:
            self.end_by_agent()

    def apply(self, evidence: Message) -> None:
        """Take evidence in."""
        match evidence:
            case Override():
                self.step_in(evidence)
            case Reopen():
                self.reopen(evidence)
            case Recontact():
                self.recontacts.append(evidence)
            case Feedback():
                self.feedback.append(evidence)

    def refuse(self, refusal: Refusal) -> None:
        """Remember what was refused, the same thing once."""
        if all(refusal.id != r.id for r in self.refused):
            self.refused.append(refusal)

    def propose(self, proposal: Proposal) -> None:
        """What the agent would have done, beside what a person is doing."""
        self.proposals.append(proposal)

    def reopen(self, reopen: Reopen) -> None:
        """A reopening begins an episode, unless one is open already."""
        self.reopens.append(reopen)
        waiting = self.awaiting_agent or any(o.began == "reopened" for o in self.openings)
        if not waiting:
            self.openings.append(Opening(began="reopened", because=reopen.reason[:500]))

    def step_in(self, override: Override) -> None:
        """A person corrects the agent; what the agent had decided is filled in from the trace."""
        filled = override.model_copy(update={"original": self.original_decision()})
        self.overrides.append(filled)
        self.openings.append(Opening(began=f"override by {filled.reviewer}", override=filled))

    def end_by_person(self, override: Override) -> None:
        """The episode under way ends with what the person did."""
        if override.original is None:
            override = override.model_copy(update={"original": self.original_decision()})
            self.overrides = [override if o.id == override.id else o for o in self.overrides]
        actions = override.final.actions if override.final.kind == "actions" else ()
        intent = override.corrected_intent
        known = override.original.intent if override.original else "unknown"
        self.change(
            handled_by="human",
            ending=override.final.kind,
            intent=known if intent == "unchanged" else intent,
            actions=actions,
            override=override.id,
            steps_to=self.steps.last,
        )

    def end_by_agent(self) -> None:
        """The episode under way ends with what the agent reported, or with its silence."""
        told = self.resolution or self.escalation
        ending = "resolved" if self.resolution else "escalated" if self.escalation else "fell_silent"
        self.change(ending=ending, steps_to=self.steps.last)
        if told:
            self.change(intent=told.intent, confidence=told.confidence, actions=told.actions)
        if self.escalation:
            self.change(handed_over_because=self.escalation.reason[:2_000])

    def change(self, **fields: Any) -> None:
        """Change the episode under way."""
        self.episodes[-1] = self.episodes[-1].model_copy(update=fields)

    def original_decision(self) -> OriginalDecision | None:
        """What whoever handled the case last decided, before anybody corrected it, from the case's own trace."""
        for episode in reversed(self.episodes):
            if not episode.override and episode.ending:
                return OriginalDecision(
                    decision=episode.ending,
                    intent=episode.intent,
                    confidence=episode.confidence,
                    actions=episode.actions,
                )
        return None


class Refused(Exception):
    """A message that cannot be taken in, with everything that is wrong with it."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


class Conflict(Refused):
    """An id that stands for something else already."""
