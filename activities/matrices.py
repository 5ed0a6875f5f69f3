"""The book of triggers: an edited one is taken up at once, every one is kept whole, and never is there no valid one."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from aftercare.messages.triggers import Matrix
from aftercare.store.cases import Cases
from aftercare.store.newest import newest_book
from policies.triggers import DOMAIN, FILE, TriggersInvalid, file_in, from_texts, load_matrix

log = logging.getLogger(__name__)
GONE = f"{FILE} is gone from its folder: put it back, or start the worker anew to have the shipped one"


@dataclass(frozen=True)
class InForce:
    """The book that is in force, and what is wrong with an edited one that is not."""

    matrix: Matrix
    digest: str
    problem: str = ""


class Matrices:
    """The book of triggers of this deployment. A folder without one has the shipped one.

    A book of its own that is gone stays in force for as long as the worker runs: while it is being written anew,
    another one would make every detector begin from nothing.
    """

    def __init__(self, cases: Cases, folder: Path | None = None) -> None:
        self._cases, self._folder = cases, folder
        self._valid: InForce | None = None
        self._own = False
        self._told = ""

    async def now(self) -> InForce:
        """The book in force. An edited one takes over where it is valid; otherwise the last valid one stays."""
        own = file_in(self._folder) != file_in()
        try:
            if self._own and not own:
                raise TriggersInvalid([GONE])
            found = load_matrix(self._folder)
        except TriggersInvalid as error:
            self._tell(str(error))
            return replace(self._valid or await self._last(), problem=str(error))
        self._told = ""
        self._own = own
        if self._valid is None or self._valid.digest != found.digest:
            await self._cases.keep_book(DOMAIN, found.digest, found.texts, datetime.now(UTC))
            self._valid = InForce(found.matrix, found.digest)
        return self._valid

    async def kept(self, digest: str) -> Matrix | None:
        """The book of a digest, as the store keeps it; None where it has none, or one that is no longer understood."""
        row = await self._cases.book(digest)
        return _understood(row.texts) if row and row.domain == DOMAIN else None

    def _tell(self, problem: str) -> None:
        """Once, and again only where something else is wrong: every supervisor looks every minute or so."""
        if problem != self._told:
            log.warning("triggers_book_does_not_hold", extra={"reason": problem})
            self._told = problem

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
