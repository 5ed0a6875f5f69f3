"""Policy books: read from the policies folder when a case opens, and from the store ever after."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

from temporalio.exceptions import ApplicationError

from aftercare.messages.case import Case
from aftercare.messages.policy import BookPin
from aftercare.store.cases import Cases
from policies.book import BookInvalid, NoSuchBook, PolicyBook, from_texts, load


class Books:
    """The books of this deployment."""

    def __init__(self, cases: Cases, folder: Path | None = None, waits: dict[str, timedelta] | None = None) -> None:
        self._cases, self._folder, self._waits = cases, folder, waits or {}
        self._kept: set[str] = set()

    async def pin(self, domain: str, at: datetime) -> BookPin:
        """Pin today's book of a domain, and keep it whole by its digest."""
        try:
            book = load(domain, self._folder)
        except NoSuchBook as error:
            raise ApplicationError(str(error), type="NoSuchBook", non_retryable=True) from error
        except BookInvalid as error:
            # A book that was broken while it was edited will be mended; its cases wait for that.
            raise ApplicationError(str(error), type="BookInvalid") from error
        if book.digest not in self._kept:
            await self._cases.keep_book(domain, book.digest, json.dumps(dict(book.texts), sort_keys=True), at)
            self._kept.add(book.digest)
        return self._waiting(book)

    async def repin(self, digest: str) -> BookPin:
        """Pin again the book a case was opened under, whatever today's book says."""
        return self._waiting(await self.kept(digest))

    def _waiting(self, book: PolicyBook) -> BookPin:
        pin = book.pin()
        return pin.model_copy(update={"timing": pin.timing.model_copy(update=self._waits)})

    async def pinned(self, case_id: str) -> tuple[Case, PolicyBook]:
        """A case, and the book it was opened under, as the store keeps them."""
        case = await self._cases.find(case_id)
        if case is None:
            raise ApplicationError(f"no case {case_id!r} in the store", type="CaseMissing", non_retryable=True)
        return Case.model_validate(case.body), await self.kept(case.book)

    async def kept(self, digest: str) -> PolicyBook:
        """The book of a digest, as the store keeps it."""
        row = await self._cases.book(digest)
        if row is None:
            raise ApplicationError(f"no policy book {digest[:12]} in the store", type="BookMissing", non_retryable=True)
        return from_texts(row.domain, row.texts)
