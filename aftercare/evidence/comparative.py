"""Shadow mode: what the agent proposed, beside what the person did."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from aftercare.evidence.matching import matched
from aftercare.evidence.pieces import Piece
from aftercare.evidence.values import canonical
from aftercare.messages.base import Json, Message
from aftercare.messages.case import Action, Proposal
from aftercare.messages.outcome import Episode, Snapshot


class Agreement(Message):
    """How far two lists of actions agree, in whatever order they were taken.

    `value` is the share of equal arguments over all actions of both; an action that only one side took has none equal,
    and one without arguments counts as one. `by_action` is the F1 of the names, `by_field` the share of equal arguments
    among the actions that both took: null where there is none.
    """

    value: float
    by_action: float
    by_field: float | None
    intent: bool
    only_proposed: tuple[str, ...] = ()
    only_done: tuple[str, ...] = ()
    differing: tuple[dict[str, Json], ...] = ()


def agreement(proposal: Proposal, done: Episode) -> Agreement:
    """The agent's proposal beside what the person did. Nothing proposed and nothing done agree wholly."""
    pairs, only_proposed, only_done = _paired(_acts(proposal.actions), _acts(done.actions))
    fields = [_fields(one, other) for one, other in pairs]
    equal = sum(len(both) - len(differ) for both, differ in fields)
    of = sum(len(both) for both, _ in fields)
    alone = sum(_size(act) for act in (*only_proposed, *only_done))
    actions = len(proposal.actions) + len(done.actions)
    return Agreement(
        value=equal / (of + alone) if of + alone else 1,
        by_action=2 * len(pairs) / actions if actions else 1,
        by_field=equal / of if of else None,
        intent=proposal.intent == done.intent,
        only_proposed=tuple(act.name for act in only_proposed),
        only_done=tuple(act.name for act in only_done),
        differing=tuple(
            {"action": one.name, "fields": sorted(differ)}
            for (one, _), (_, differ) in zip(pairs, fields, strict=True)
            if differ
        ),
    )


def shadow_agreement(case: Snapshot) -> Piece | None:
    """The agent's last proposal beside what the first person did; no piece before there are both."""
    by_person = case.case is not None and case.case.handled_by == "human"
    ended = (episode for episode in case.episodes if episode.ending)
    done = next((episode for episode in ended if by_person or episode.handled_by == "human"), None)
    if done is None or not case.proposals:
        return None
    found = agreement(case.proposals[-1], done)
    payload = found.model_dump(mode="json", exclude={"value"}) | {"proposal": case.proposals[-1].id}
    return Piece(kind="shadow_agreement", value=found.value, payload=payload, episode=done.number)


class _Act(NamedTuple):
    """An action, its arguments in canonical form."""

    name: str
    arguments: dict[str, str]


def _acts(actions: Iterable[Action]) -> list[_Act]:
    return [_Act(a.name, {key: canonical(value) for key, value in a.arguments.items()}) for a in actions]


def _paired(proposed: Sequence[_Act], done: Sequence[_Act]) -> tuple[list[tuple[_Act, _Act]], list[_Act], list[_Act]]:
    """Actions of the same name in pairs, so that as many arguments as possible are equal; and the rest of each side."""
    pairs, only_proposed, only_done = [], [], []
    for name in dict.fromkeys(act.name for act in (*proposed, *done)):
        ours = [act for act in proposed if act.name == name]
        theirs = [act for act in done if act.name == name]
        places = matched([[_worth(one, other) for other in theirs] for one in ours])
        pairs += [(ours[i], theirs[j]) for i, j in places]
        only_proposed += _rest(ours, {i for i, _ in places})
        only_done += _rest(theirs, {j for _, j in places})
    return pairs, only_proposed, only_done


def _worth(one: _Act, other: _Act) -> int:
    """What it is worth to pair two actions: equal arguments first, then arguments that are at least the same ones."""
    both, differ = _fields(one, other)
    saved = _size(one) + _size(other) - len(both)
    return (len(both) - len(differ)) * 1_000_000 + saved


def _fields(one: _Act, other: _Act) -> tuple[set[str], set[str]]:
    """The arguments of either action, and those that differ. Two without any agree in one thing: in having none."""
    both = one.arguments.keys() | other.arguments.keys()
    differ = {key for key in both if one.arguments.get(key) != other.arguments.get(key)}
    return both or {""}, differ


def _size(act: _Act) -> int:
    return max(1, len(act.arguments))


def _rest(acts: Sequence[_Act], taken: set[int]) -> list[_Act]:
    return [act for place, act in enumerate(acts) if place not in taken]
