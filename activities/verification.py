"""Verification: the net effects of what was claimed, looked for in the systems of record until they show."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from temporalio import activity

from activities.books import Books
from activities.looking import look_again, time_left
from aftercare.messages.case import Case
from aftercare.messages.policy import FactCheck, Verification, VerificationResult
from aftercare.messages.work import ExamineEpisode
from aftercare.store.cases import Cases
from aftercare.systems.records import SystemMisconfigured, Systems, SystemUnavailable
from policies.book import PolicyBook
from policies.effects import Expected, corrected, expected, met, status_of, undone
from policies.facts import Known

SHOWN = 20


class VerificationActivities:
    """What the case workflow asks of the systems of record."""

    def __init__(self, cases: Cases, books: Books, systems: Systems) -> None:
        self._cases, self._books, self._systems = cases, books, systems

    @activity.defn
    async def verify_outcome(self, work: ExamineEpisode) -> VerificationResult:
        """Look once. What is not there yet is asked for again by the server, until the deadline."""
        if not work.actions and work.final in (None, "nothing_to_do"):
            return VerificationResult(status=Verification.UNVERIFIABLE, note="nothing was claimed to be done")
        case, book = await self._books.pinned(work.case_id)
        try:
            checks = await self._look(book, case, work)
        except (SystemUnavailable, SystemMisconfigured) as error:
            if isinstance(error, SystemUnavailable) and time_left(work) > timedelta(0):
                raise look_again(work, str(error)) from error
            return VerificationResult(status=Verification.UNVERIFIABLE, note=str(error))
        result = _result(checks, [a.name for a in work.actions if a.name not in book.outcomes.actions])
        if result.status is Verification.FAILED and time_left(work) > timedelta(0):
            raise look_again(work, f"{len(result.differing)} of {result.checked} facts are not there yet")
        return result

    async def _look(self, book: PolicyBook, case: Case, work: ExamineEpisode) -> list[FactCheck]:
        effects = await self._expected(book, case, work)
        now = await self._systems.read_all({e.ref for e in effects if e.known}, case.environment)
        return [met(effect, now.get(effect.ref)) for effect in effects]

    async def _expected(self, book: PolicyBook, case: Case, work: ExamineEpisode) -> list[Expected]:
        """The effects to look for; what has to be read to tell them is read, until nothing is missing."""
        opening = await self._opening(work)
        known: Known = {}
        while True:
            effects, missing = _effects(book, work, known, opening)
            if not missing:
                return effects
            known = {**known, **await self._systems.read_all(missing, case.environment)}

    async def _opening(self, work: ExamineEpisode) -> str | None:
        """The first operation of the case: before it, the records stood as the agent found them."""
        if work.final is None:
            return None
        steps = await self._cases.steps(work.case_id, work.steps_to)
        receipts = [s.receipt for s in steps if s.receipt] + [a.receipt for a in work.agents if a.receipt]
        return next(iter(receipts), None)


def _effects(
    book: PolicyBook, work: ExamineEpisode, known: Known, opening: str | None
) -> tuple[list[Expected], set[object]]:
    if work.final is None:
        right, missing = expected(book, work.actions, known)
        return right, set(missing)
    # A person's actions stand in for the agent's: both are judged from where the case began.
    instead = [a.model_copy(update={"receipt": opening or a.receipt}) for a in work.actions]
    right, missing = expected(book, instead, known)
    agents, more = expected(book, work.agents, known)
    undo, still = undone(agents, opening, known)
    return corrected(undo, right), set(missing | more | still)


def _result(checks: Sequence[FactCheck], unknown: Sequence[str]) -> VerificationResult:
    status = status_of(checks)
    note = ""
    if unknown:
        note = f"the policy book expects nothing of {', '.join(sorted(set(unknown)))}"
    elif status is Verification.UNVERIFIABLE:
        note = next((c.note for c in checks if c.note), "there was nothing to look for")
    if unknown and status is Verification.VERIFIED:
        status = Verification.UNVERIFIABLE
    result = VerificationResult(status=status, checked=len(checks))
    differing = tuple(c for c in checks if not c.held)[:SHOWN]
    told = {"differing": differing, "note": note}
    return result.model_copy(update={name: value for name, value in told.items() if value})
