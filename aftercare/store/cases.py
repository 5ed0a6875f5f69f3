"""What is written and asked about cases: named queries, nothing of SQL elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from aftercare.lifecycle.state import Taken
from aftercare.messages.base import NOT_REPORTED
from aftercare.messages.case import Case, CaseReport, Escalation, Resolution, Step
from aftercare.messages.outcome import Episode, Settlement, Stage
from aftercare.messages.policy import AuditResult, Finding, VerificationResult
from aftercare.messages.work import SettleCase, Standing
from aftercare.store import feedback
from aftercare.store.database import Database
from aftercare.store.erased import unless_erased
from aftercare.store.inbox import Inbox
from aftercare.store.steps import add_steps
from aftercare.store.tables import (
    BookRow,
    CaseRow,
    EpisodeRow,
    EvidenceRow,
    FeedbackRow,
    FindingRow,
    SettlementRow,
    StepRow,
)


class Cases:
    """The cases in the store."""

    def __init__(self, database: Database) -> None:
        self.database, self.inbox = database, Inbox(database)

    async def keep_book(self, domain: str, digest: str, texts: str, at: datetime) -> None:
        """Keep a policy book whole, by its digest."""
        await self.database.write(BookRow(digest=digest, domain=domain, texts=texts, stored_at=at))

    async def book(self, digest: str) -> BookRow | None:
        """The policy book of a digest."""
        async with self.database.session() as session:
            return await session.get(BookRow, digest)

    async def find(self, case_id: str) -> CaseRow | None:
        """A registered case."""
        async with self.database.session() as session:
            return await session.get(CaseRow, case_id)

    async def agent_of(self, case_id: str) -> str | None:
        """The agent of a case that is registered, or whose registration is held."""
        held = select(EvidenceRow.kind, EvidenceRow.body).where(
            EvidenceRow.case_id == case_id, col(EvidenceRow.kind).in_(("registration", "report"))
        )
        standing = col(EvidenceRow.standing).in_((Standing.WAITING, Standing.DELIVERED))
        async with self.database.session() as session:
            registered = select(CaseRow.agent).where(CaseRow.case_id == case_id)
            if agent := (await session.exec(registered)).first():
                return agent
            for kind, body in await session.exec(held.where(standing)):
                return str((body if kind == "registration" else body["case"])["agent"])
        return None

    async def register(self, case: Case, book: str, at: datetime, more: Sequence[SQLModel] = ()) -> None:
        """Write a case down, once, with what comes of its opening: what has become of it since is not written over."""
        row = CaseRow(
            case_id=case.id,
            agent=case.agent,
            domain=case.domain,
            release=case.release,
            customer=case.customer,
            intent=case.intent,
            book=book,
            opened_at=case.opened_at or at,
            body=case.model_dump(mode="json"),
            handled_by=case.handled_by,
            ticket=case.ticket,
        )
        async with self.database.session() as session:
            if await self.database.add_one(session, row):
                await self.database.add(session, more)

    async def add_steps(self, case_id: str, steps: Sequence[Step]) -> None:
        """Write steps of a trace down. Raises StepTaken: nothing is written over."""
        async with unless_erased(self.database, case_id) as session:
            await add_steps(self.database, session, case_id, steps)

    async def steps(self, case_id: str, up_to: int) -> list[Step]:
        """The trace of a case, up to a step."""
        async with self.database.session() as session:
            found = await session.exec(
                select(StepRow).where(StepRow.case_id == case_id, StepRow.number <= up_to).order_by(col(StepRow.number))
            )
            return [Step.model_validate(row.body) for row in found]

    async def keep_findings(
        self,
        case_id: str,
        episode: int,
        findings: Sequence[Finding],
        verdict: str | None = None,
        more: Sequence[SQLModel] = (),
        intent: str | None = None,
    ) -> None:
        """Write an audit's findings and verdict down, with what was measured and is to be done, all at once.

        `intent` is what the case is about by now, where that is known.
        """
        measured = [row for row in more if isinstance(row, FeedbackRow)]
        known = {"stage": Stage.WATCHING, "verdict": verdict} | ({"intent": intent} if intent else {})
        async with unless_erased(self.database, case_id) as session:
            await self.database.put(session, [_finding_row(case_id, episode, f) for f in findings])
            await feedback.keep(self.database, session, measured)
            await self.database.add(session, [row for row in more if not isinstance(row, FeedbackRow)])
            await _know(session, case_id, known)
            if intent:
                await feedback.follow(session, case_id, intent)

    async def ending_of(self, case_id: str) -> Resolution | Escalation | None:
        """How whoever handles the case last ended it, where that came by the inbox; and when, at least when it came."""
        kinds = col(EvidenceRow.kind).in_(("resolution", "escalation", "report"))
        standing = col(EvidenceRow.standing).in_((Standing.WAITING, Standing.DELIVERED))
        asked = select(EvidenceRow).where(EvidenceRow.case_id == case_id, kinds, standing)
        async with self.database.session() as session:
            row = (await session.exec(asked.order_by(col(EvidenceRow.at).desc()).limit(1))).first()
        if row is None or "id" not in row.body:
            return None
        ending: Resolution | Escalation | None
        if row.kind == "report":
            report = CaseReport.model_validate(row.body)
            ending = report.resolution or report.escalation
        else:
            ending = (Resolution if row.kind == "resolution" else Escalation).model_validate(row.body)
        return ending.model_copy(update={"at": ending.at or row.at}) if ending else None

    async def keep_feedback(self, rows: Sequence[FeedbackRow]) -> None:
        """Write pieces of evidence about one case down."""
        if not rows:
            return
        async with unless_erased(self.database, rows[0].case_id) as session:
            await feedback.keep(self.database, session, rows)

    async def findings(self, case_id: str, episode: int = 1) -> list[FindingRow]:
        """What the audit of an episode found."""
        async with self.database.session() as session:
            found = await session.exec(
                select(FindingRow)
                .where(FindingRow.case_id == case_id, FindingRow.episode == episode)
                .order_by(col(FindingRow.step), col(FindingRow.rule))
            )
            return list(found)

    async def last_settlement(self, case_id: str) -> SettlementRow | None:
        """How the case ended by its latest run."""
        async with self.database.session() as session:
            found = await session.exec(
                select(SettlementRow)
                .where(SettlementRow.case_id == case_id)
                .order_by(col(SettlementRow.revision).desc())
                .limit(1)
            )
            return found.first()

    async def settle(
        self,
        work: SettleCase,
        episodes: Sequence[Episode],
        taken: Mapping[str, Taken],
        measured: Sequence[FeedbackRow] = (),
    ) -> None:
        """Write down how a run ended, its episodes, what was taken in and what was measured, all at once."""
        settled = work.settlement
        rows: list[Any] = [
            SettlementRow(
                case_id=settled.case_id,
                revision=work.state["revision"],
                run_id=work.run_id,
                outcome=settled.outcome or "unregistered",
                settled_at=work.at,
                body=settled.model_dump(mode="json"),
                state=work.state,
            ),
            *(_episode_row(settled.case_id, e) for e in episodes),
        ]
        async with unless_erased(self.database, settled.case_id) as session:
            await self.database.put(session, rows)
            await feedback.keep(self.database, session, measured)
            await self.inbox.settle(session, settled.case_id, taken, work.at)
            if episodes:
                await _know(session, settled.case_id, _known_of(settled, episodes[-1]))
                await feedback.follow(session, settled.case_id, _intent(settled, episodes[-1]))


async def _know(session: AsyncSession, case_id: str, known: Mapping[str, Any]) -> None:
    """Let the list of cases show what is known of one."""
    await (await session.connection()).execute(update(CaseRow).where(col(CaseRow.case_id) == case_id).values(**known))


def _known_of(settled: Settlement, last: Episode) -> dict[str, Any]:
    return {
        "stage": Stage.SETTLED,
        "outcome": settled.outcome,
        "verdict": last.audit.verdict if last.audit else None,
        "intent": _intent(settled, last),
        "confidence": None if last.confidence == NOT_REPORTED else last.confidence,
    }


def _intent(settled: Settlement, last: Episode) -> str:
    """What the case turned out to be about: what the label says, which a person may have corrected."""
    return settled.label.intent if settled.label else last.intent


def _finding_row(case_id: str, episode: int, finding: Finding) -> FindingRow:
    told = finding.model_dump(include={"rule", "clause", "sentence", "facts"})
    return FindingRow(
        **told,
        case_id=case_id,
        episode=episode,
        step=finding.step or 0,
        verdict=finding.verdict,
        severity=finding.severity,
    )


def _episode_row(case_id: str, episode: Episode) -> EpisodeRow:
    verification: VerificationResult | None = episode.verification
    audit: AuditResult | None = episode.audit
    return EpisodeRow(
        case_id=case_id,
        number=episode.number,
        handled_by=episode.handled_by,
        ending=episode.ending,
        intent=episode.intent,
        verification=verification.status if verification else None,
        policy_verdict=audit.verdict if audit else None,
        body=episode.model_dump(mode="json"),
    )
