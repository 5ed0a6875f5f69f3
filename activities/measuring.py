"""Measuring: what is written down with an audit and a settlement, beside the findings and the outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import policies
from aftercare.evidence.prices import Prices, read_prices
from aftercare.evidence.rows import LOW_CONFIDENCE, pieces_of_case, pieces_of_trace
from aftercare.evidence.sentiment import turns
from aftercare.lifecycle.outcome import snapshot_of
from aftercare.lifecycle.state import CaseState
from aftercare.messages.case import Escalation, Resolution, Step
from aftercare.messages.work import ExamineEpisode
from aftercare.settings import Settings
from aftercare.store.feedback import row_of_piece
from aftercare.store.outbox import sentiment_row, survey_row
from aftercare.store.tables import CaseRow, FeedbackRow, OutboxRow

OF_EPISODE = ("verification", "policy_audit")  # the others are about the case as a whole


@dataclass(frozen=True)
class Measures:
    """How a deployment measures. `survey_open_for` is how long a customer may answer; None where nobody is asked."""

    prices: Prices | None = None
    low_confidence: float = LOW_CONFIDENCE
    survey_open_for: timedelta | None = None
    scores_sentiment: bool = True

    def of_trace(
        self, case: CaseRow, work: ExamineEpisode, trace: Sequence[Step], ending: Resolution | Escalation | None
    ) -> list[FeedbackRow]:
        """What the steps of an episode tell."""
        steps = _of_episode(work, trace)
        opened_at = case.opened_at if work.number == 1 else None
        found = pieces_of_trace(
            steps, self.prices, episode=work.number, ending=ending, opened_at=opened_at, below=self.low_confidence
        )
        at = datetime.now(UTC)
        return [row_of_piece(case, piece, at) for piece in found]

    def to_do(self, case: CaseRow, work: ExamineEpisode, trace: Sequence[Step], at: datetime) -> list[OutboxRow]:
        """What is to be done now that an episode is about to be watched: ask the customer, score what was said."""
        rows = []
        if self.survey_open_for and work.watched:
            rows.append(survey_row(case.case_id, work.number, at, self.survey_open_for))
        if self.scores_sentiment and turns(_of_episode(work, trace)):
            rows.append(sentiment_row(case.case_id, work.number, work.steps_from, work.steps_to, at))
        return rows

    def of_case(self, case: CaseRow, state: CaseState, at: datetime) -> list[FeedbackRow]:
        """What the case as it settled tells. How a person's own episode was found is no evidence about the agent."""
        by_person = {episode.number for episode in state.episodes if episode.handled_by == "human"}
        rows = []
        for piece in pieces_of_case(snapshot_of(state)):
            row = row_of_piece(case, piece, at)
            if piece.kind in OF_EPISODE and piece.episode in by_person:
                row.handled_by = "human"
            rows.append(row)
        return rows


def _of_episode(work: ExamineEpisode, trace: Sequence[Step]) -> list[Step]:
    return [step for step in trace if work.steps_from <= step.number <= work.steps_to]


def measures_of(settings: Settings) -> Measures:
    """How a deployment measures, with the price table beside its policy books. Raises PricesInvalid."""
    file = (settings.policies or Path(policies.__file__).parent) / "prices.yaml"
    return Measures(
        prices=read_prices(file.read_text(), str(file)) if file.exists() else None,
        survey_open_for=settings.survey_open_for if settings.asks else None,
        scores_sentiment=settings.sentiment != "off",
    )
