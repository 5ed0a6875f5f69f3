"""Moods: scores what customers said, turn by turn, once their episode has been audited. A handler of the sender's."""

from __future__ import annotations

from datetime import UTC, datetime

from aftercare.evidence.sentiment import pieces_of_sentiment, turns
from aftercare.sender import Dropped
from aftercare.settings import Settings
from aftercare.store.cases import Cases
from aftercare.store.feedback import row_of_piece
from aftercare.store.tables import OutboxRow
from aftercare.systems.sentiment import LocalSentiment, ModelSentiment, Sentiment


class Moods:
    """Scores the turns of an episode, and their trend."""

    def __init__(self, cases: Cases, scorer: Sentiment) -> None:
        self._cases, self._scorer = cases, scorer

    async def score(self, row: OutboxRow) -> None:
        """Score one episode. Raises Dropped where its case was erased, and what the scorer raises."""
        case = await self._cases.find(row.case_id)
        if case is None or case.erased_at:
            raise Dropped("the case was erased")
        told = row.body
        steps = [s for s in await self._cases.steps(row.case_id, told["last"]) if s.number >= told["first"]]
        scores = await self._scorer.scores([turn.heard for turn in turns(steps)])
        now = datetime.now(UTC)
        pieces = [row_of_piece(case, piece, now) for piece in pieces_of_sentiment(steps, scores, told["episode"])]
        for piece in pieces:
            piece.source = self._scorer.source
        await self._cases.keep_feedback(pieces)


def scorer_of(settings: Settings) -> Sentiment | None:
    """The scorer of a deployment; None where none is wanted. Raises ValueError where a model has no address."""
    if settings.sentiment == "off":
        return None
    if settings.sentiment == "local":
        return LocalSentiment()
    if not settings.model_url:
        raise ValueError(f"AFTERCARE_SENTIMENT names a model, {settings.sentiment!r}; set AFTERCARE_MODEL_URL too")
    return ModelSentiment(settings.model_url, settings.model_key.get_secret_value(), settings.sentiment)
