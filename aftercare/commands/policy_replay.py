"""`aftercare policy replay`: stored cases audited again under today's book. Nothing is written anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from activities.auditing import findings_of, trace_of, verdict_of
from aftercare.lifecycle.state import CaseState
from aftercare.messages.case import Case, Step
from aftercare.messages.outcome import Episode
from aftercare.messages.policy import Finding, Verdict
from aftercare.messages.work import ExamineEpisode
from aftercare.store.cases import Cases
from aftercare.store.looking import findings_of_case, registered
from aftercare.store.tables import CaseRow
from aftercare.systems.records import SystemMisconfigured, Systems, SystemUnavailable
from policies.book import PolicyBook, load
from policies.facts import Known, RecordRef

AT_ONCE = 8
OPEN = "it has not settled yet"


@dataclass(frozen=True)
class Changed:
    """What became of one finding: it appears, it disappears, or its verdict is another."""

    rule: str
    clause: str
    step: int
    before: Verdict | None
    after: Verdict | None
    sentence: str


@dataclass(frozen=True)
class Judged:
    """One episode, judged again. `cannot` says why the new verdict does not count."""

    case_id: str
    episode: int
    domain: str
    same_book: bool
    before: Verdict
    after: Verdict
    changed: Sequence[Changed]
    cannot: str = ""
    not_in_force: Sequence[str] = ()

    @property
    def differs(self) -> bool:
        """Whether the verdict of the whole is another."""
        return not self.cannot and self.before is not self.after


@dataclass
class Replay:
    """What today's books make of the stored cases."""

    books: Mapping[str, PolicyBook]
    judged: list[Judged] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)

    def leave_out(self, why: str, case_id: str) -> None:
        """A case with nothing to judge again."""
        self.left_out.setdefault(why, []).append(case_id)


@dataclass(frozen=True)
class Which:
    """The cases to replay. With `every_rule`, rules are asked of cases that were opened before they came into force."""

    domain: str | None = None
    ids: Sequence[str] = ()
    since: datetime | None = None
    every_rule: bool = False


async def replay(cases: Cases, systems: Systems, which: Which, folder: Path | None) -> Replay:
    """Audit the cases again. Raises BookInvalid where today's book cannot be used."""
    rows = await registered(cases, which.domain, which.ids, which.since)
    done = Replay({domain: load(domain, folder) for domain in sorted({r.domain for r in rows})})
    places = asyncio.Semaphore(AT_ONCE)

    async def one(row: CaseRow) -> None:
        async with places:
            await _Again(cases, systems, done, which.every_rule).case(row)

    await asyncio.gather(*(one(row) for row in rows))
    done.judged.sort(key=lambda j: (j.case_id, j.episode))
    return done


class _Again:
    def __init__(self, cases: Cases, systems: Systems, done: Replay, every_rule: bool) -> None:
        self._cases, self._systems, self._done, self._every_rule = cases, systems, done, every_rule

    async def case(self, row: CaseRow) -> None:
        settled = await self._cases.last_settlement(row.case_id)
        if settled is None:
            return self._done.leave_out(OPEN, row.case_id)
        state = CaseState.model_validate(settled.state)
        stored = await self._cases.steps(row.case_id, max(state.steps.last, 1))
        audited = [e for e in state.episodes if e.audit]
        if not audited:
            return self._done.leave_out("nothing in it was ever audited", row.case_id)
        whole = len(stored) >= state.steps.count
        case = state.case or Case.model_validate(row.body)
        before = await findings_of_case(self._cases, row.case_id)
        for episode in audited:
            judged = await self._episode(case, row.book, episode, stored, whole, before.get(episode.number, []))
            self._done.judged.append(judged)

    async def _episode(
        self, case: Case, pinned: str, episode: Episode, stored: list[Step], whole: bool, before: list[Finding]
    ) -> Judged:
        book, reading = self._done.books[case.domain], _Reading(self._systems, case.environment)
        steps, first = trace_of(_examination(case, episode), [s for s in stored if s.number <= episode.steps_to])
        asked = case.model_copy(update={"opened_at": None}) if self._every_rule else case
        after = await findings_of(book, asked, steps, first, reading)
        changed = tuple(_changes(before, after))
        assert episode.audit
        return Judged(
            case_id=case.id,
            episode=episode.number,
            domain=case.domain,
            same_book=pinned == book.digest,
            before=episode.audit.verdict,
            after=verdict_of(after, whole),
            changed=changed,
            cannot=reading.unreadable or (reading.gone if _lost(changed) else ""),
            not_in_force=[] if self._every_rule else _not_in_force(book, case),
        )


class _Reading:
    """Reads as the audit does, and remembers what could not be read."""

    def __init__(self, systems: Systems, environment: str) -> None:
        self._systems, self._environment = systems, environment
        self.unreadable = self.gone = ""

    async def __call__(self, missing: set[RecordRef]) -> Known:
        try:
            known = await self._systems.read_all(missing, self._environment)
        except (SystemUnavailable, SystemMisconfigured) as error:
            self.unreadable = str(error)
            return dict.fromkeys(missing)
        gone = sorted(f"{r.system} has no {r.kind}/{r.id} as before {r.before}" for r, b in known.items() if b is None)
        self.gone = self.gone or (gone[0] if gone else "")
        return known


def _examination(case: Case, episode: Episode) -> ExamineEpisode:
    return ExamineEpisode(
        case_id=case.id,
        number=episode.number,
        steps_from=episode.steps_from,
        steps_to=episode.steps_to,
        actions=episode.actions,
        final=episode.ending if episode.handled_by == "human" else None,
    )


def _changes(before: Sequence[Finding], after: Sequence[Finding]) -> Iterator[Changed]:
    old, new = ({(f.rule, f.step or 0): f for f in found} for found in (before, after))
    for key in sorted(old.keys() | new.keys(), key=lambda k: (k[1], k[0])):
        was, now = old.get(key), new.get(key)
        told = now or was
        verdicts = [f.verdict if f else None for f in (was, now)]
        if told and verdicts[0] is not verdicts[1]:
            yield Changed(told.rule, told.clause, key[1], verdicts[0], verdicts[1], told.sentence)


def _lost(changed: Sequence[Changed]) -> bool:
    """Whether something that had been decided cannot be told any more."""
    return any(c.after is Verdict.UNDETERMINED and c.before not in (None, Verdict.UNDETERMINED) for c in changed)


def _not_in_force(book: PolicyBook, case: Case) -> list[str]:
    opened = case.opened_at
    return [r.entry.id for r in book.rules if opened and r.entry.since > opened.date()]
