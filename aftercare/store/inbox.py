"""The inbox: what came in about a case, committed before anybody is told that it was, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Delete, Update, delete, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from aftercare.lifecycle.intake import digest_in_inbox
from aftercare.lifecycle.state import Taken
from aftercare.messages.case import Step
from aftercare.messages.work import RecordEvidence, Standing
from aftercare.store.database import Database
from aftercare.store.erased import unless_erased
from aftercare.store.holding import Erased, Together, hold_rows
from aftercare.store.steps import add_steps
from aftercare.store.tables import CaseRow, EvidenceRow, SettlementRow, StepRow

BATCH = 1_000


class IdTaken(ValueError):
    """A case has another message under this id. Final."""


def message_row(
    case_id: str, id: str, kind: str, body: Any, digest: str, at: datetime, by: str | None = None
) -> EvidenceRow:
    """A message that has just come, as the inbox keeps it."""
    waiting = Standing.WAITING
    return EvidenceRow(
        case_id=case_id, id=id, kind=kind, standing=waiting, digest=digest, reasons=[], body=body, at=at, by=by
    )


class Inbox:
    """The messages in the store."""

    def __init__(self, database: Database) -> None:
        self.database, self._together = database, Together(database)

    async def hold(self, row: EvidenceRow, steps: Sequence[Step] = ()) -> EvidenceRow:
        """Commit a message, with the steps it brings; gives the row that is there under its id, new or earlier.

        Messages that come at the same time share a transaction. Raises StepTaken where a step's number is in use,
        Erased where the case is; and then nothing is kept.
        """
        if not steps:
            return await self._together.hold(row)
        async with self.database.session() as session:
            (there,) = await hold_rows(self.database, session, [row])
            if isinstance(there, Erased):
                raise there
            if (there.kind, there.digest) == (row.kind, row.digest):
                await add_steps(self.database, session, row.case_id, steps, batch=row.id)
            return there

    async def hold_all(self, rows: Sequence[EvidenceRow]) -> list[EvidenceRow]:
        """The same for many messages without steps, in one transaction: all are committed, or none is.

        Raises IdTaken where another message is there under the id of one of them, or twice among them.
        """
        async with self.database.session() as session:
            held = []
            for row, there in zip(rows, await hold_rows(self.database, session, rows), strict=True):
                if isinstance(there, Erased):
                    raise there
                if (row.kind, row.digest) != (there.kind, there.digest):
                    raise IdTaken(f"case {row.case_id!r} has another message {row.id!r}; nothing of this was taken in")
                held.append(there)
            return held

    async def find(self, case_id: str, id: str) -> EvidenceRow | None:
        """One message about a case."""
        async with self.database.session() as session:
            return await session.get(EvidenceRow, (case_id, id))

    async def registering(self, case_id: str) -> bool:
        """Whether a registration of the case is held, and has not arrived yet."""
        waits = (col(EvidenceRow.case_id) == case_id) & (col(EvidenceRow.standing) == Standing.WAITING)
        announced = select(EvidenceRow.id).where(waits, col(EvidenceRow.kind).in_(("registration", "report")))
        async with self.database.session() as session:
            return (await session.exec(announced.limit(1))).first() is not None

    async def before(self, row: EvidenceRow, orphans: Sequence[str] = ()) -> list[EvidenceRow]:
        """What came about a case before a message and did not go out yet, with the orphans of these kinds."""
        waits = (col(EvidenceRow.standing) == Standing.WAITING) & col(EvidenceRow.sent_at).is_(None)
        lies = waits | ((col(EvidenceRow.standing) == Standing.ORPHAN) & col(EvidenceRow.kind).in_(orphans))
        earlier = (col(EvidenceRow.case_id) == row.case_id) & (col(EvidenceRow.at) < row.at)
        async with self.database.session() as session:
            found = await session.exec(select(EvidenceRow).where(earlier, lies).order_by(col(EvidenceRow.at)))
            return list(found)

    async def last_refusal(self, case_id: str, id: str) -> EvidenceRow | None:
        """The message that was last sent under an id and refused."""
        named = (col(EvidenceRow.case_id) == case_id) & col(EvidenceRow.id).startswith(
            f"{id}~refused~", autoescape=True
        )
        async with self.database.session() as session:
            return (await session.exec(select(EvidenceRow).where(named).order_by(col(EvidenceRow.at).desc()))).first()

    async def of_case(self, case_id: str) -> list[EvidenceRow]:
        """Every message about a case, in the order in which they came."""
        async with self.database.session() as session:
            found = await session.exec(
                select(EvidenceRow).where(EvidenceRow.case_id == case_id).order_by(col(EvidenceRow.at))
            )
            return list(found)

    async def sent(self, row: EvidenceRow, at: datetime) -> None:
        """Temporal holds it now; the case itself will say what it made of it."""
        await self._change(_same(update(EvidenceRow), row).values(sent_at=at))

    async def orphaned(self, row: EvidenceRow) -> None:
        """Nobody has registered its case: it is kept until somebody does."""
        await self._change(_same(update(EvidenceRow), row).values(standing=Standing.ORPHAN))

    async def taken_up(self, row: EvidenceRow) -> None:
        """An orphan whose case was registered after all waits again."""
        await self._change(_same(update(EvidenceRow), row).values(standing=Standing.WAITING, sent_at=None))

    async def delivered(self, row: EvidenceRow) -> bool:
        """The case took it in. False where the row is gone: another attempt at the same message was refused."""
        async with self.database.session() as session:
            return bool(await _run(session, _of(row).values(standing=Standing.DELIVERED)))

    async def refused(self, row: EvidenceRow, refusal_id: str, reasons: Sequence[str]) -> None:
        """The case would not have it: kept under the refusal's own id, so that a better one may come; steps let go."""
        kept = EvidenceRow(**{**row.model_dump(), "id": refusal_id, "reasons": list(reasons), "standing": "refused"})
        async with unless_erased(self.database, row.case_id) as session:
            await self.database.put(session, [kept])
            await _let_go(session, row.case_id, row.id, row.digest)

    async def record(self, evidence: RecordEvidence) -> None:
        """Write down what the case itself made of a message, whether it came by the inbox or past it."""
        row = _row_of(evidence)
        named = evidence.body.get("id") if isinstance(evidence.body, dict) else None
        async with unless_erased(self.database, evidence.case_id) as session:
            match evidence.standing:
                case Standing.REFUSED:
                    await self.database.put(session, [row])
                    await _let_go(session, row.case_id, str(named), row.digest)
                case Standing.ORPHAN:
                    await self.database.add(session, [row])
                    await _run(session, _same(update(EvidenceRow), row).values(standing=row.standing))
                case _:
                    change = (
                        {"standing": row.standing} if evidence.standing == Standing.DELIVERED else {"kind": row.kind}
                    )
                    if not await _run(session, _of(row).values(**change)):
                        await self.database.put(session, [row])  # it came past the inbox, or another lies under its id

    async def settle(self, session: AsyncSession, case_id: str, taken: Mapping[str, Taken], at: datetime) -> None:
        """Everything a case took in is in the inbox, and delivered."""
        brief = [
            RecordEvidence(case_id=case_id, id=id, kind=t.kind, body={"digest": t.digest}, at=at)
            for id, t in taken.items()
        ]
        rows = [_row_of(e, taken[e.id].digest) for e in brief]
        await self.database.add(session, rows)
        for row in rows:
            await _run(session, _same(update(EvidenceRow), row).values(standing=row.standing))

    async def waiting(
        self, held_before: datetime, sent_before: datetime, after: datetime | None = None
    ) -> list[EvidenceRow]:
        """What no case has answered for: never sent, or sent so long ago that its run must be gone.

        Orphans are among them once their case has been registered. At most BATCH, the oldest first, of those that came
        `after` a moment.
        """
        unsent = col(EvidenceRow.sent_at).is_(None) & (EvidenceRow.at < held_before)
        lost = col(EvidenceRow.sent_at) < sent_before
        waiting = (col(EvidenceRow.standing) == Standing.WAITING) & (unsent | lost)
        # An override corrects what the agent decided: it waits until that is settled.
        is_override, case_id = col(EvidenceRow.kind) == "override", col(EvidenceRow.case_id)
        home = (~is_override & case_id.in_(select(CaseRow.case_id))) | case_id.in_(select(SettlementRow.case_id))
        found_home = (col(EvidenceRow.standing) == Standing.ORPHAN) & home
        asked = select(EvidenceRow).where(waiting | found_home).order_by(col(EvidenceRow.at)).limit(BATCH)
        if after:
            asked = asked.where(col(EvidenceRow.at) > after)
        async with self.database.session() as session:
            return list(await session.exec(asked))

    async def orphans(self) -> list[EvidenceRow]:
        """What was sent about cases that nobody registered."""
        async with self.database.session() as session:
            found = await session.exec(
                select(EvidenceRow).where(EvidenceRow.standing == Standing.ORPHAN).order_by(col(EvidenceRow.at))
            )
            return list(found)

    async def attach(self, case_id: str, id: str, to: str) -> bool:
        """Move an orphan to the case it was meant for, where it waits; False where there is no such orphan.

        Raises IdTaken where that case has a message of its own under the id.
        """
        is_it = _where(case_id, id) & (col(EvidenceRow.standing) == Standing.ORPHAN)
        moved = {"case_id": to, "standing": Standing.WAITING, "sent_at": None}
        try:
            async with self.database.session() as session:
                return bool(await _run(session, update(EvidenceRow).where(is_it).values(**moved)))
        except IntegrityError:
            raise IdTaken(f"case {to!r} has a message {id!r} of its own") from None

    async def _change(self, statement: Update) -> None:
        async with self.database.session() as session:
            await _run(session, statement)


async def _found(session: AsyncSession, case_id: str, id: str) -> EvidenceRow:
    return (await session.exec(select(EvidenceRow).where(_where(case_id, id)))).one()


async def _let_go(session: AsyncSession, case_id: str, id: str, digest: str) -> None:
    """Free the id of a message that was refused, and the numbers of the steps it brought."""
    waiting = _where(case_id, id) & (EvidenceRow.digest == digest) & (EvidenceRow.standing != Standing.DELIVERED)
    if await _run(session, delete(EvidenceRow).where(waiting)):
        await _run(session, delete(StepRow).where((col(StepRow.case_id) == case_id) & (col(StepRow.batch) == id)))


async def _run(session: AsyncSession, statement: Update | Delete) -> int:
    connection = await session.connection()
    return (await connection.execute(statement)).rowcount


def _where(case_id: str, id: str) -> ColumnElement[bool]:
    return (col(EvidenceRow.case_id) == case_id) & (col(EvidenceRow.id) == id)


def _of(row: EvidenceRow) -> Update:
    """A change of the row of this very message."""
    return update(EvidenceRow).where(_where(row.case_id, row.id) & (col(EvidenceRow.digest) == row.digest))


def _same(statement: Update, row: EvidenceRow) -> Update:
    """A change of the row of this very message, unless its case has taken it in: that stands."""
    mine = _where(row.case_id, row.id) & (col(EvidenceRow.digest) == row.digest)
    return statement.where(mine & (col(EvidenceRow.standing) != Standing.DELIVERED))


def _row_of(evidence: RecordEvidence, digest: str | None = None) -> EvidenceRow:
    return EvidenceRow(
        case_id=evidence.case_id,
        id=evidence.id,
        kind=evidence.kind,
        standing=evidence.standing,
        digest=digest or digest_in_inbox(evidence.kind, evidence.body),
        reasons=list(evidence.reasons),
        body=json.loads(json.dumps(evidence.body, default=str)),
        at=evidence.at,
    )
