"""What an episode took: time, tokens, money, energy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from aftercare.evidence.findings import in_order
from aftercare.evidence.pieces import Piece
from aftercare.evidence.prices import Prices
from aftercare.messages.base import Instant, Json
from aftercare.messages.case import Step


def latency(steps: Sequence[Step]) -> Piece:
    """The time its steps took, in seconds, with p50 and p95 of a step; of those that told any, which are counted."""
    told = sorted(step.latency for step in steps if step.latency is not None and step.latency >= 0)
    if not told:
        return Piece(kind="latency", value=None)
    spread = {"p50": percentile(told, 0.5), "p95": percentile(told, 0.95), "told": len(told), "of": len(steps)}
    return Piece(kind="latency", value=sum(told), payload=spread)


def tokens(steps: Sequence[Step]) -> Piece:
    """All tokens of the steps that used a model. Null where none told any, or one that used a model did not."""
    split: dict[str, Json] = {
        "input": _known_sum(step.input_tokens for step in steps),
        "output": _known_sum(step.output_tokens for step in steps),
    }
    return _summed("tokens", steps, tokens_of, split)


def cost(steps: Sequence[Step], prices: Prices | None) -> Piece:
    """What the steps cost: as the agent told it, else by the price table. Null as soon as one of them is unknown.

    The payload then says which steps are unknown, and what the others came to.
    """
    piece = _summed("cost", steps, lambda step: cost_of(step, prices))
    return piece.model_copy(update={"told_unit": prices.currency if prices else ""})


def energy(steps: Sequence[Step], prices: Prices | None) -> Piece:
    """The energy of the steps in Wh, by the table. Null as soon as one of them is unknown."""
    return _summed("energy", steps, lambda step: energy_of(step, prices))


def handling_time(steps: Sequence[Step], opened_at: Instant | None, ended_at: Instant | None) -> Piece:
    """Seconds from the opening, or from the first step where that was earlier, to the ending.

    Null where either end is untold, or the clocks that told them contradict each other.
    """
    began = [at for at in (opened_at, *(step.at for step in steps)) if at is not None]
    if ended_at is None or not began or min(began) > ended_at:
        return Piece(kind="handling_time", value=None)
    return Piece(kind="handling_time", value=(ended_at - min(began)).total_seconds())


def tokens_of(step: Step) -> int | None:
    """All tokens of a step: the told sum, else input and output together. None where they are not told."""
    if step.tokens is not None:
        return _counted(step.tokens)
    read, written = _counted(step.input_tokens), _counted(step.output_tokens)
    return None if read is None or written is None else read + written


def cost_of(step: Step, prices: Prices | None) -> float | None:
    """What a step cost. None where neither the agent nor the table tells it."""
    if step.cost is not None:
        return step.cost if step.cost >= 0 else None
    read, written = _counted(step.input_tokens), _counted(step.output_tokens)
    if prices is None or read is None or written is None:
        return None
    return prices.cost(step.model, read, written, step.at.date() if step.at else None)


def energy_of(step: Step, prices: Prices | None) -> float | None:
    """The energy of a step in Wh. None where its tokens, or those of its model, are unknown."""
    used = tokens_of(step)
    if prices is None or used is None:
        return None
    return prices.energy(step.model, used, step.at.date() if step.at else None)


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which that share of them lies, between neighbours in proportion. `ordered` is not empty."""
    place = (len(ordered) - 1) * share
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _counted(told: int | None) -> int | None:
    """A number of tokens; one below zero tells nothing."""
    return told if told is not None and told >= 0 else None


def _known_sum(told: Iterable[int | None]) -> int | None:
    """The sum of what is known; null where nothing is."""
    known = [value for value in told if _counted(value) is not None]
    return sum(value for value in known if value) if known else None


def _summed(
    kind: str, steps: Sequence[Step], of: Callable[[Step], float | None], more: dict[str, Json] | None = None
) -> Piece:
    """The sum over the steps that used a model, where each of them is known."""
    used = [(step.number, of(step)) for step in in_order(steps) if _used_a_model(step)]
    if not used:
        return Piece(kind=kind, value=None)
    known = [value for _, value in used if value is not None]
    unknown: list[Json] = [number for number, value in used if value is None]
    payload: dict[str, Json] = {"of": len(used), "unknown": len(unknown), **(more or {})}
    if unknown:
        payload |= {"steps": unknown, "known": sum(known) if known else None}
    return Piece(kind=kind, value=None if unknown else sum(known), payload=payload)


def _used_a_model(step: Step) -> bool:
    told = (step.tokens, step.input_tokens, step.output_tokens, step.cost)
    return bool(step.model) or any(value is not None for value in told)
