"""The finders on recorded runs of real agents: plausible figures, and hardly anything where nothing was reported."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from aftercare.demo.recorded.files import read
from aftercare.demo.recorded.format import Recorded
from aftercare.evidence.pieces import Piece
from aftercare.evidence.rows import pieces_of_trace
from aftercare.messages.case import Escalation, Resolution
from aftercare.messages.kinds import KINDS

DATA = Path(__file__).parents[3] / "shared" / "data"
DOMAINS = ("retail", "airline")
COUNTS = ("loop", "irrelevant_retrieval", "dead_end", "backtrack", "error", "fallback")

each_domain = pytest.mark.parametrize("domain", DOMAINS)


@cache
def pieces(domain: str) -> dict[str, list[Piece]]:
    """All evidence of the trace of every recorded case, by case."""
    path = DATA / f"taubench_{domain}_cases.jsonl.gz"
    if not path.exists():
        pytest.skip(f"the recorded cases are not here ({path.name})")
    agents = [case.agent for case in read(path)]
    return {agent.case.id: pieces_of_trace(agent.steps, ending=ending(agent)) for agent in agents}


def ending(agent: Recorded) -> Resolution | Escalation | None:
    if agent.ending == "resolves":
        return Resolution(id="r", reply=agent.reply)
    return Escalation(id="e", reason=agent.reason) if agent.ending == "escalates" else None


def total(domain: str, kind: str) -> float:
    return sum(piece.value or 0 for of_case in pieces(domain).values() for piece in of_case if piece.kind == kind)


@each_domain
def test_every_piece_is_within_its_bounds(domain: str) -> None:
    """And every case that has steps has all the counts."""
    for of_case in pieces(domain).values():
        assert not of_case or {piece.kind for piece in of_case} == set(COUNTS)
        assert all(KINDS[piece.kind].problem(piece.value) is None for piece in of_case)


@each_domain
def test_what_these_agents_never_reported_is_unknown(domain: str) -> None:
    """No latency, no tokens, no confidence were recorded: there are no pieces of them, rather than zeros."""
    told = {piece.kind for of_case in pieces(domain).values() for piece in of_case}
    assert not told & {"latency", "tokens", "cost", "energy", "handling_time", "low_confidence"}


@pytest.mark.parametrize(
    ("domain", "kind", "found"),
    [
        ("retail", "loop", 28),
        ("retail", "irrelevant_retrieval", 2),
        ("retail", "dead_end", 40),
        ("retail", "backtrack", 4),
        ("airline", "loop", 13),
        ("airline", "irrelevant_retrieval", 4),
        ("airline", "dead_end", 3),
        ("airline", "backtrack", 5),
    ],
)
def test_the_figures_of_the_page_are_those_of_the_recordings(domain: str, kind: str, found: int) -> None:
    """docs/evidence.md tells them, and how many of them a reader found right."""
    assert total(domain, kind) == found


@pytest.mark.parametrize(("domain", "ruled_out"), [("retail", 66), ("airline", 61)])
def test_what_only_ruled_something_out_stands_apart(domain: str, ruled_out: int) -> None:
    """Told, and not counted."""
    found = [piece for of_case in pieces(domain).values() for piece in of_case if piece.kind == "irrelevant_retrieval"]
    assert sum(len(piece.payload["ruled_out"]) for piece in found) == ruled_out
