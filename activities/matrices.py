"""The book of triggers: an edited one is taken up at once, every one is kept whole, and never is there no valid one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from aftercare.messages.triggers import Matrix
from aftercare.store.cases import Cases
from aftercare.store.newest import newest_book
from policies.triggers import DOMAIN, TriggersInvalid, from_texts, load_matrix


@dataclass(frozen=True)
class InForce:
    """The book that is in force, and what is wrong with an edited one that is not."""

    matrix: Matrix
    digest: str
    problem: str = ""


class Matrices:
    """The book of triggers of this deployment. A folder without one has the shipped one."""

    def __init__(self, cases: Cases, folder: Path | None = None) -> None:
        self._cases, self._folder = cases, folder
        self._valid: InForce | None = None

    async def now(self) -> InForce:
        """The book in force. An edited one takes over where it is valid; otherwise the last valid one stays."""
        try:
            found = load_matrix(self._folder)
        except TriggersInvalid as error:
            return replace(self._valid or await self._last(), problem=str(error))
        if self._valid is None or self._valid.digest != found.digest:
            await self._cases.keep_book(DOMAIN, found.digest, found.texts, datetime.now(UTC))
            self._valid = InForce(found.matrix, found.digest)
        return self._valid

    async def kept(self, digest: str) -> Matrix | None:
        """The book of a digest, as the store keeps it; None where it has none, or one that is no longer understood."""
        row = await self._cases.book(digest)
        return _understood(row.texts) if row and row.domain == DOMAIN else None

    async def _last(self) -> InForce:
        """The last valid one the store knows of; where it knows none, nothing is watched until there is one."""
        row = await newest_book(self._cases.database, DOMAIN)
        matrix = _understood(row.texts) if row else None
        return InForce(matrix, row.digest) if row and matrix else InForce(Matrix(triggers={}), "")


def _understood(texts: str) -> Matrix | None:
    try:
        return from_texts(texts).matrix
    except TriggersInvalid:
        return None
