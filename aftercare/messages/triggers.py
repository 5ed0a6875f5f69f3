"""The book of triggers: which evidence, watched how, starts which improvement. One row of the matrix each.

What stands here is declared by `policies/triggers.yaml` and detected by `aftercare.learning`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

TriggerName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
Kinds = Annotated[tuple[str, ...], Field(min_length=1)]

RETRAINING, KNOWLEDGE, PLAYBOOK = "retraining", "knowledge_update", "playbook_revision"
KINDS_OF_WORK: dict[str, tuple[str, ...]] = {
    RETRAINING: ("intent_classifier", "reasoning_model"),
    KNOWLEDGE: ("article", "gap", "policy_grounding"),
    PLAYBOOK: ("flow", "tone", "execution"),
}


def _written_out(given: Any) -> Any:
    """A time, or one in ISO 8601: a bare 7 would be seconds to the one, and days to whoever wrote it."""
    if isinstance(given, timedelta) or (isinstance(given, str) and given.lstrip("-").startswith("P")):
        return given
    raise PydanticCustomError("time_delta_parsing", "a duration in ISO 8601 is expected")


WRITTEN_OUT = BeforeValidator(_written_out)


class Declared(BaseModel):
    """Something a person wrote: a field nobody knows is a mistake, and is said to be one."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Counts(Declared):
    """Which values of a kind count against the agent: those of `at_least` so much, or of `at_most` so much.

    It also says which way is worse. Neither is given for a kind that a quantile detector watches: there a case counts
    that lies beyond the group's usual quantile.
    """

    at_least: float | None = None
    at_most: float | None = None


class Rate(Declared):
    """The share of cases that count against the agent, noticed when it is `notice` times the group's usual one.

    `of` names the kinds it looks at; all of the row's where none is named. A case counts once, whichever say so.
    """

    detector: Literal["rate"] = "rate"
    of: tuple[str, ...] = ()
    notice: Annotated[float, Field(gt=1, le=100)] = 2


class Mean(Declared):
    """The mean of one kind, noticed when it is worse by `notice` (in the kind's unit) than the group's usual one.

    `within` are the kind's bounds, where it has none of its own; values beyond them are cut.
    """

    detector: Literal["mean"] = "mean"
    of: tuple[str, ...] = ()
    notice: Annotated[float, Field(gt=0)]
    within: tuple[float, float] | None = None


class Quantile(Declared):
    """The share of cases beyond the group's usual quantile, noticed when it is `notice` times what it should be."""

    detector: Literal["quantile"] = "quantile"
    of: tuple[str, ...] = ()
    quantile: Annotated[float, Field(ge=0.5, lt=1)] = 0.9
    notice: Annotated[float, Field(gt=1, le=100)] = 2


class Burst(Declared):
    """How often each clause is flagged among the cases audited, noticed when it is `notice` times its usual share."""

    detector: Literal["burst"] = "burst"
    of: tuple[str, ...] = ()
    notice: Annotated[float, Field(gt=1, le=100)] = 5


class Volume(Declared):
    """So many cases against the agent that no firing has claimed: a schedule, and no alarm."""

    detector: Literal["volume"] = "volume"
    cases: Annotated[int, Field(ge=1, le=1_000_000)]


Detector = Annotated[Rate | Mean | Quantile | Burst | Volume, Field(discriminator="detector")]


class Baseline(Declared):
    """What is usual: learned from a group's first `cases` under a release, and bounded so as to be `sure` of it."""

    cases: Annotated[int, Field(ge=20, le=100_000)] = 300
    sure: Annotated[float, Field(ge=0.5, lt=1)] = 0.9


class Budget(Declared):
    """The most a row may start and spend in seven days; `cost` in the deployment's currency, null for no limit."""

    children: Annotated[int, Field(ge=1, le=1_000)] = 7
    cost: Annotated[float, Field(ge=0)] | None = None


class Starts(Declared):
    """The work that a firing starts: a workflow, and which kind of it."""

    workflow: Literal["retraining", "knowledge_update", "playbook_revision"]
    kind: str

    def __str__(self) -> str:
        """`knowledge_update (article)`"""
        return f"{self.workflow} ({self.kind})"


class TriggerRow(Declared):
    """A row of the matrix.

    `says` is what it means, in a sentence for people. `evidence` are the kinds it counts, each piece once, so that no
    other row may count the same kind. `tolerated` is how many cases of an agent may pass, on average, between two false
    alarms of this row. A group is not judged before its release has `minimum_sample` cases of it. Between two firings
    lies at least the `cooldown`.
    """

    says: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    evidence: Annotated[dict[str, Counts], Field(min_length=1)]
    group_by: Literal["intent", "clause", "release", "none"] = "none"
    detectors: Annotated[tuple[Detector, ...], Field(min_length=1)]
    baseline: Baseline = Baseline()
    tolerated: Annotated[int, Field(ge=10, le=10_000_000)] = 3_000
    minimum_sample: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    cooldown: Annotated[timedelta, Field(ge=timedelta(0)), WRITTEN_OUT]
    budget: Budget = Budget()
    starts: Starts


class Checking(Declared):
    """How often a supervisor looks: `every` so long while evidence comes, and up to `at_most` while none does."""

    every: Annotated[timedelta, Field(ge=timedelta(seconds=1)), WRITTEN_OUT] = timedelta(minutes=1)
    at_most: Annotated[timedelta, Field(ge=timedelta(seconds=1)), WRITTEN_OUT] = timedelta(minutes=15)


class Matrix(Declared):
    """The whole book."""

    check: Checking = Checking()
    triggers: dict[TriggerName, TriggerRow]
