"""All evidence that is computed of an episode or of a case, as pieces for the store.

Null means: it was looked for, and could not be told. No piece means: nobody told what it is read from, or it is too
early to say. Which kind does which stands in docs/evidence.md.
"""

from __future__ import annotations

from collections.abc import Sequence

from aftercare.evidence import comparative, operational, outcomes, trace
from aftercare.evidence.pieces import Piece
from aftercare.evidence.prices import Prices
from aftercare.evidence.retrievals import irrelevant_retrievals
from aftercare.messages.base import Instant, Json
from aftercare.messages.case import Escalation, Resolution, Step
from aftercare.messages.outcome import Snapshot

LOW_CONFIDENCE = 0.5  # unless the deployment says otherwise


def pieces_of_trace(
    steps: Sequence[Step],
    prices: Prices | None = None,
    *,
    episode: int = 1,
    ending: Resolution | Escalation | None = None,
    opened_at: Instant | None = None,
    below: float = LOW_CONFIDENCE,
) -> list[Piece]:
    """What the steps of one episode tell. `below` is the confidence from which on down a step counts as unsure.

    `ending` is how the agent ended it: what it told there is a use of what it had retrieved, and its time ends the
    handling time. Of an episode without steps there is no piece.
    """
    if not steps:
        return []
    found = (
        trace.loops(steps),
        irrelevant_retrievals(steps, _told(ending)),
        trace.dead_ends(steps),
        trace.backtracks(steps),
        trace.low_confidence(steps, below),
        trace.fallbacks(steps),
        trace.errors(steps),
    )
    took = (
        operational.latency(steps),
        operational.tokens(steps),
        operational.cost(steps, prices),
        operational.energy(steps, prices),
        operational.handling_time(steps, opened_at, ending.at if ending else None),
    )
    counts = [Piece(kind=f.kind, value=f.value, payload=f.payload) for f in found if f.known]
    pieces = [*counts, *(piece for piece in took if piece.value is not None or piece.payload)]
    return [piece.model_copy(update={"episode": episode}) for piece in pieces]


def pieces_of_case(case: Snapshot) -> list[Piece]:
    """What the case as it stands tells: per episode what was verified and audited, and once what came of it all."""
    per_episode = [of(episode) for episode in case.episodes for of in (outcomes.verification, outcomes.policy_audit)]
    of_the_case = (
        outcomes.reopen(case),
        outcomes.recontact(case),
        outcomes.override(case),
        outcomes.escalation(case),
        outcomes.first_contact_resolution(case),
        comparative.shadow_agreement(case),
    )
    return [piece for piece in (*per_episode, *of_the_case) if piece is not None]


def _told(ending: Resolution | Escalation | None) -> Json:
    """What the ending told, in which a retrieval may have been used."""
    if ending is None:
        return None
    said = ending.reply if isinstance(ending, Resolution) else ending.reason
    return [part for part in (said, *(action.arguments for action in ending.actions)) if part]
