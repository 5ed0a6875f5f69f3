"""What counts against an agent: written with the count, claimed by a firing, given back where its work failed.

How many cases wait is carried along, since a heap that nothing claims grows with history: it is counted anew only
where something was claimed or given back, and after an erasure, since nobody may claim what an erased case left.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, func, literal, not_, or_, select, true, update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from aftercare.learning.detectors import counts_against
from aftercare.learning.watching import Against, Piece
from aftercare.messages.triggers import Counts, TriggerRow
from aftercare.store.counting import FEEDBACK, chunks
from aftercare.store.database import Database
from aftercare.store.tables import AgainstRow, CaseRow, DetectorRow, ErasureRow

Named = tuple[str, str]
WAITING = "waiting"  # the name, among the detectors of a row, under which it is kept how many cases wait


class Unclaimed:
    """What counts against an agent by one row, and waits for a firing. To be used by who holds the supervisor."""

    def __init__(self, database: Database, session: AsyncSession, agent: str, trigger: str) -> None:
        self._database, self._session, self._agent, self._trigger = database, session, agent, trigger
        self._of_row = and_(col(AgainstRow.agent) == agent, col(AgainstRow.trigger) == trigger)
        self._heap = and_(self._of_row, col(AgainstRow.firing).is_(None))

    async def waiting(self) -> int:
        """How many cases no firing has claimed."""
        whose = and_(col(DetectorRow.agent) == self._agent, col(DetectorRow.trigger) == self._trigger)
        kept = await self._run(select(col(DetectorRow.state)).where(whose, col(DetectorRow.detector) == WAITING))
        state = kept.scalar_one_or_none()
        if state is None or state["erasures"] != await self._erasures():
            return await self._count()
        return int(state["cases"])

    async def write(self, pieces: Sequence[Piece], against: Sequence[Against]) -> int:
        """Write down which of these pieces count against the agent; gives how many cases wait now.

        What is claimed stays as it was claimed; of what is not, a piece that has turned harmless goes.
        """
        waiting = await self.waiting()
        cases = list(dict.fromkeys(piece.case_id for piece in pieces))
        before, erased = await self._known(cases), await self._erased(cases)
        counting = {(a.piece.case_id, a.piece.id): a for a in against if a.piece.case_id not in erased}
        unclaimed = {name for name, firing in before.items() if firing is None and name[0] not in erased}
        harmless = (unclaimed & {(piece.case_id, piece.id) for piece in pieces}) - set(counting)
        new = {name: one for name, one in counting.items() if before.get(name) is None}
        await self._drop(harmless)
        await self._database.put(self._session, [self._row(one) for one in new.values()])
        after = (unclaimed | set(new)) - harmless
        waiting += len({case for case, _ in after}) - len({case for case, _ in unclaimed})
        return await self._keep(waiting)

    async def has(self, row: TriggerRow, group: str) -> bool:
        """Whether anything of a group waits."""
        found = select(literal(1)).where(self._heap, self._present(), self._of_groups(row, [group])).limit(1)
        return (await self._run(found)).first() is not None

    async def claim(self, firing: str, row: TriggerRow, groups: Collection[str] | None) -> tuple[int, int]:
        """Claim all that waits of these groups, or of all; gives how many cases and pieces that were."""
        which = true() if groups is None else self._of_groups(row, groups)
        await self._run(update(AgainstRow).where(self._heap, self._present(), which).values(firing=firing))
        cases = func.count(col(AgainstRow.case_id).distinct())
        counted = await self._run(select(cases, func.count()).where(col(AgainstRow.firing) == firing))
        found: tuple[int, int] = tuple(counted.one())
        await self._keep(await self._count())
        return found

    async def give_back(self, firing: str, row: TriggerRow | None) -> None:
        """What a firing had claimed is free again; what has turned harmless meanwhile goes."""
        await self._drop(await self._harmless(firing, row))
        await self._run(update(AgainstRow).where(col(AgainstRow.firing) == firing).values(firing=None))
        await self._keep(await self._count())

    async def _known(self, cases: Sequence[str]) -> dict[Named, str | None]:
        """What is written down about these cases, and which firing has claimed it."""
        columns = (col(AgainstRow.case_id), col(AgainstRow.piece), col(AgainstRow.firing))
        found: dict[Named, str | None] = {}
        for some in chunks(cases):
            of_some = select(*columns).where(self._of_row, col(AgainstRow.case_id).in_(some))
            found |= {(case_id, piece): firing for case_id, piece, firing in await self._run(of_some)}
        return found

    async def _erased(self, cases: Sequence[str]) -> set[str]:
        gone: set[str] = set()
        for some in chunks(cases):
            asked = select(col(CaseRow.case_id)).where(
                col(CaseRow.case_id).in_(some), col(CaseRow.erased_at).is_not(None)
            )
            gone |= {case_id for (case_id,) in await self._run(asked)}
        return gone

    async def _harmless(self, firing: str, row: TriggerRow | None) -> set[Named]:
        about = and_(FEEDBACK.case_id == col(AgainstRow.case_id), FEEDBACK.id == col(AgainstRow.piece))
        columns = (FEEDBACK.case_id, FEEDBACK.id, FEEDBACK.kind, FEEDBACK.value)
        asked = select(*columns).where(about, col(AgainstRow.firing) == firing)
        return {(p.case_id, p.id) for p in await self._run(asked) if _is_harmless(row, p.kind, p.value)}

    async def _drop(self, pieces: Collection[Named]) -> None:
        for case_id, piece in sorted(pieces):
            is_one = and_(col(AgainstRow.case_id) == case_id, col(AgainstRow.piece) == piece)
            await self._run(delete(AgainstRow).where(self._of_row, is_one))

    async def _count(self) -> int:
        cases = func.count(col(AgainstRow.case_id).distinct())
        return int((await self._run(select(cases).where(self._heap, self._present()))).scalar_one())

    async def _keep(self, waiting: int) -> int:
        state = {"cases": waiting, "erasures": await self._erasures()}
        whose: dict[str, Any] = {"agent": self._agent, "trigger": self._trigger, "release": "", "grouping": ""}
        await self._database.put(self._session, [DetectorRow(**whose, detector=WAITING, state=state)])
        return waiting

    async def _erasures(self) -> int:
        return int((await self._run(select(func.count()).select_from(ErasureRow))).scalar_one())

    async def _run(self, statement: Any) -> Any:
        return await (await self._session.connection()).execute(statement)

    def _present(self) -> ColumnElement[bool]:
        """Its case was not erased."""
        gone = and_(col(CaseRow.case_id) == col(AgainstRow.case_id), col(CaseRow.erased_at).is_not(None))
        return not_(exists().where(gone))

    def _of_groups(self, row: TriggerRow, groups: Collection[str]) -> ColumnElement[bool]:
        match row.group_by:
            case "none":
                return true()
            case "clause":
                # Written as `,c.1,c.2,`. SQLite's LIKE would take C.1 for c.1.
                named = (func.replace(AgainstRow.grouping, f",{group},", "") for group in groups)
                return or_(*(without != col(AgainstRow.grouping) for without in named))
            case _:
                return col(AgainstRow.grouping).in_(groups)

    def _row(self, one: Against) -> AgainstRow:
        piece = one.piece
        return AgainstRow(
            agent=self._agent,
            trigger=self._trigger,
            case_id=piece.case_id,
            piece=piece.id,
            kind=piece.kind,
            grouping=one.group,
            release=piece.release,
            at=piece.at,
        )


def _is_harmless(row: TriggerRow | None, kind: str, value: float | None) -> bool:
    """A value that counts against nobody, by the bounds of its kind where it has any."""
    counts = row.evidence.get(kind) if row else None
    bounded = counts is not None and counts != Counts()
    return value is None or (bounded and not counts_against(counts, value))
