"""How the customer's mood went over the turns of an episode. The scores are given; nothing here reads words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from aftercare.evidence.findings import in_order
from aftercare.evidence.pieces import Piece
from aftercare.messages.base import Message
from aftercare.messages.case import Step


class Turn(Message):
    """What the customer said before a step."""

    step: int
    heard: str


class Trend(Message):
    """How scores went from turn to turn: the slope, and the share of the moves that went down."""

    slope: float
    falling: float
    scored: int


def turns(steps: Sequence[Step]) -> list[Turn]:
    """The customer's turns, in order: the texts to be scored."""
    return [Turn(step=step.number, heard=step.heard) for step in in_order(steps) if step.heard.strip()]


def trend(scores: Sequence[float | None]) -> Trend | None:
    """The trend of the scores of all turns, by least squares over the turns that were scored. None below two.

    A turn without a score keeps its place: the slope is per turn of the customer.
    """
    scored = [(place, score) for place, score in enumerate(scores) if score is not None]
    if len(scored) < 2:
        return None
    middle = sum(place for place, _ in scored) / len(scored)
    mean = sum(score for _, score in scored) / len(scored)
    rise = sum((place - middle) * (score - mean) for place, score in scored)
    spread = sum((place - middle) ** 2 for place, _ in scored)
    moves = [after - before for (_, before), (_, after) in pairwise(scored)]
    return Trend(slope=rise / spread, falling=sum(move < 0 for move in moves) / len(moves), scored=len(scored))


def share_falling(slopes: Iterable[float | None]) -> float | None:
    """The share of cases whose mood fell, of those whose slope is known. None where none is."""
    known = [slope for slope in slopes if slope is not None]
    return sum(slope < 0 for slope in known) / len(known) if known else None


def pieces_of_sentiment(steps: Sequence[Step], scores: Sequence[float | None], episode: int = 1) -> list[Piece]:
    """A piece for each turn that was scored, and one for the slope where two were.

    `scores` are those of `turns(steps)`, in their order. Raises ValueError where there are not as many.
    """
    scored = list(zip(turns(steps), scores, strict=True))
    pieces = [
        Piece(kind="sentiment", value=score, step=turn.step, episode=episode)
        for turn, score in scored
        if score is not None
    ]
    if found := trend(scores):
        payload = {"falling": found.falling, "scored": found.scored, "turns": len(scored)}
        pieces.append(Piece(kind="sentiment_slope", value=found.slope, payload=payload, episode=episode))
    return pieces
