"""What is written and asked about cases: named queries, nothing of SQL elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from aftercare.lifecycle.state import Taken
from aftercare.messages.case import Case, Step
from aftercare.messages.outcome import Episode
from aftercare.messages.policy import AuditResult, Finding, VerificationResult
from aftercare.messages.work import SettleCase, Standing
from aftercare.store.database import Database
from aftercare.store.erased import unless_erased
from aftercare.store.inbox import Inbox
from aftercare.store.steps import add_steps
from aftercare.store.tables import (
    BookRow,
    CaseRow,
    EpisodeRow,
    EvidenceRow,
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

    async def register(self, case: Case, book: str, at: datetime) -> None:
        """Write a case down, once: what has become of it since is not written over."""
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
            await self.database.add(session, [row])

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

    async def keep_findings(self, case_id: str, episode: int, findings: Sequence[Finding]) -> None:
        """Write an audit's findings down."""
        rows = [
            FindingRow(
                case_id=case_id,
                episode=episode,
                rule=f.rule,
                step=f.step or 0,
                clause=f.clause,
                verdict=f.verdict,
                severity=f.severity,
                sentence=f.sentence,
                facts=f.facts,
            )
            for f in findings
        ]
        async with unless_erased(self.database, case_id) as session:
            await self.database.put(session, rows)

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

    async def settle(self, work: SettleCase, episodes: Sequence[Episode], taken: Mapping[str, Taken]) -> None:
        """Write down how a run ended, its episodes, and what was taken in, all at once."""
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
            await self.inbox.settle(session, settled.case_id, taken, work.at)


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
