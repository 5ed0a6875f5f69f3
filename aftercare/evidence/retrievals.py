"""Retrievals of which nothing was used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aftercare.evidence.findings import Findings, in_order
from aftercare.evidence.uses import Uses
from aftercare.messages.base import Json
from aftercare.messages.case import Step, StepKind


def irrelevant_retrievals(steps: Sequence[Step], told: Json = None) -> Findings:
    """Retrievals whose output was never used: nothing that they brought is in a later input or in later words.

    `told` is what the ending told: its actions, its reply. Not counted are: what failed; what brought one bare value,
    which may have been but a check, or nothing by which it could be known again; what the agent acted on or spoke of
    next; a search of which nothing was used and after which it answered, for that answer may be "there is none"; and
    what only ruled out an entry of a list that was gone through until another was used: these stand apart as
    `ruled_out`. Unknown where no retrieval told its output.
    """
    ordered = in_order(steps)
    uses = Uses(ordered, told)
    retrieved = [step for step in ordered if step.kind is StepKind.RETRIEVE and step.error is None]
    unused: list[int] = []
    ruled_out: list[int] = []
    for search, answered in _searches(ordered, told):
        alone = uses.alone(search)
        left = [step for step in search if not uses.used(step, alone)]
        if answered and len(left) == len(search):
            continue
        for step in left:
            if _can_be_told(step) and uses.brought(step) & alone:
                through_a_list = len(left) < len(search) and uses.listed(step)
                (ruled_out if through_a_list else unused).append(step.number)
    return Findings(
        kind="irrelevant_retrieval",
        found=tuple((number,) for number in unused),
        known=not retrieved or any(step.output is not None for step in retrieved),
        apart={"ruled_out": tuple(ruled_out)},
    )


def _can_be_told(step: Step) -> bool:
    return step.error is None and isinstance(step.output, dict | list | tuple)


def _searches(ordered: Sequence[Step], told: Json) -> Iterator[tuple[list[Step], bool]]:
    """Retrievals by the same tool in a row, and whether the agent answered right after; thoughts do not interrupt."""
    search: list[Step] = []
    for step in ordered:
        if step.kind is StepKind.REASON:
            continue
        goes_on = step.kind is StepKind.RETRIEVE and not step.heard and search and search[0].name == step.name
        if search and not goes_on:
            yield search, step.kind is StepKind.REPLY
            search = []
        if step.kind is StepKind.RETRIEVE:
            search.append(step)
    if search:
        yield search, bool(told)
