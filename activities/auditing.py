"""An audit that reads what it needs: asked again with what was read, until nothing is missing. Writes nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from aftercare.messages.case import Case, Step, StepKind
from aftercare.messages.policy import Finding, Verdict
from aftercare.messages.work import ExamineEpisode
from policies import engine
from policies.book import PolicyBook
from policies.facts import Known, RecordRef, action_as_step

Read = Callable[[set[RecordRef]], Awaitable[Known]]


async def findings_of(book: PolicyBook, case: Case, steps: Sequence[Step], first: int, read: Read) -> list[Finding]:
    """The findings on the steps from number `first` on; `read` fetches the records that turn out to be needed."""
    known: Known = {}
    while True:
        findings, missing = engine.audit(book, case, steps, known, first)
        if not missing:
            return findings
        known = {**known, **await read(missing)}


def trace_of(work: ExamineEpisode, trace: Sequence[Step]) -> tuple[Sequence[Step], int]:
    """The trace to audit, and the number of the first step that is judged."""
    if work.final is None:
        untold = work.actions and not any(s.kind is StepKind.ACT for s in trace)
        return [*trace, *_actions(work)] if untold else trace, work.steps_from
    return _as_steps(work, trace), work.steps_to + 1


def verdict_of(findings: Sequence[Finding], whole: bool) -> Verdict:
    """The verdict of a trace of which a part is missing is never `compliant`."""
    verdict = engine.verdict_of(findings)
    return Verdict.UNDETERMINED if verdict is Verdict.COMPLIANT and not whole else verdict


def _as_steps(work: ExamineEpisode, trace: Sequence[Step]) -> list[Step]:
    """What a person did, in place of what the agent did, against the records as the agent first found them."""
    opening = next((s.receipt for s in trace if s.receipt), None)
    return [s for s in trace if s.kind is not StepKind.ACT] + _actions(work, opening)


def _actions(work: ExamineEpisode, opening: str | None = None) -> list[Step]:
    """Actions that no step tells of, as steps after the last one."""
    return [
        action_as_step(a.model_copy(update={"step": None, "receipt": opening or a.receipt}), work.steps_to + n)
        for n, a in enumerate(work.actions, 1)
    ]
