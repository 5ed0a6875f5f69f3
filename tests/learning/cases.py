"""Cases as detectors see them, made up: by a seed, or by hypothesis."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from hypothesis import strategies as st

from aftercare.learning.watching import Kept, Key, Piece, Watch
from aftercare.messages.triggers import Baseline, Burst, Counts, Mean, Quantile, Rate, Starts, TriggerRow

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
EVIDENCE = {
    "override": Counts(at_least=1),
    "csat": Counts(at_most=2),
    "handling_time": Counts(),
    "policy_audit": Counts(at_most=0),
}


def row(*kinds: str, **declared: Any) -> TriggerRow:
    """A row that looks at these kinds; it judges early and alarms soon unless it is told otherwise."""
    told: dict[str, Any] = {
        "says": "Something is worse.",
        "evidence": {kind: EVIDENCE.get(kind, Counts(at_least=1)) for kind in kinds or ("override",)},
        "detectors": (Rate(),),
        "baseline": Baseline(cases=20),
        "tolerated": 10,
        "minimum_sample": 3,
        "cooldown": timedelta(0),
        "starts": Starts(workflow="retraining", kind="intent_classifier"),
    }
    return TriggerRow(**told | declared)


RATE = row("override", group_by="intent")
MEAN = row("csat", detectors=(Mean(notice=0.5),))
SLOW = row(
    "handling_time", "override", group_by="intent", detectors=(Quantile(of=("handling_time",)), Rate(of=("override",)))
)
CLAUSES = row("policy_audit", group_by="clause", detectors=(Burst(),))
ROWS: Mapping[str, TriggerRow] = {"rate": RATE, "mean": MEAN, "quantile": SLOW, "burst": CLAUSES}


def piece(case: object, kind: str = "override", value: float | None = 1, **told: Any) -> Piece:
    """A piece of evidence about a case."""
    return Piece(**{"case_id": str(case), "id": kind, "kind": kind, "value": value, "intent": "cancel", "release": "r1",
                    "at": NOW, **told})  # fmt: skip


def told(rates: Sequence[tuple[int, float]], seed: int, **more: Any) -> list[Piece]:
    """So many cases, each overridden with this rate; and then so many with another."""
    random = Random(seed)  # noqa: S311 - a die, not a secret
    drawn = [random.random() < rate for cases, rate in rates for _ in range(cases)]
    return [piece(number, value=float(against), **more) for number, against in enumerate(drawn)]


def first_alarm(watch: Watch, pieces: Iterable[Piece]) -> int | None:
    """After how many cases it first alarms, one piece each."""
    for number, one in enumerate(pieces, 1):
        watch.take([one])
        if watch.alarmed():
            return number
    return None


def stored(watch: Watch, before: Mapping[Key, Kept] = {}) -> dict[Key, Kept]:
    """What a store holds after it has written what changed: JSON."""
    changed = {k: Kept(v.spec, v.alarmed, json.loads(json.dumps(v.state))) for k, v in watch.changed().items()}
    return {**before, **changed}


def _of_case(kinds: Sequence[str]) -> st.SearchStrategy[list[dict[str, Any]]]:
    values = {
        "override": st.sampled_from([0.0, 1.0]),
        "csat": st.integers(1, 5).map(float),
        "handling_time": st.floats(0, 1_000),
        "policy_audit": st.sampled_from([0.0, 1.0]),
    }
    one = st.sampled_from(kinds).flatmap(
        lambda kind: st.fixed_dictionaries(
            {
                "kind": st.just(kind),
                "value": st.none() | values[kind],
                "clauses": st.sets(st.sampled_from(["c.1", "c.2", "c.3"])).map(lambda c: tuple(sorted(c))),
            }
        )
    )
    return st.lists(one, min_size=1, max_size=3)


def batches(of: TriggerRow) -> st.SearchStrategy[list[list[Piece]]]:
    """Cases of several intents and releases, cut into batches without cutting a case."""
    where = st.fixed_dictionaries(
        {"intent": st.sampled_from(["cancel", "refund"]), "release": st.sampled_from(["r1", "r1", "r1", "r2"])}
    )
    case = st.tuples(where, _of_case(list(of.evidence)), st.booleans())
    return st.lists(case, min_size=1, max_size=80).map(_cut)


def _cut(cases: list[tuple[dict[str, Any], list[dict[str, Any]], bool]]) -> list[list[Piece]]:
    found: list[list[Piece]] = [[]]
    for number, (where, pieces, ends) in enumerate(cases):
        found[-1] += [piece(number, **{**one, "id": str(n)}, **where) for n, one in enumerate(pieces)]
        if ends:
            found.append([])
    return found
