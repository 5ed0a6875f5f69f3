"""An erasure: who is to be forgotten, what there was of them, and the receipt."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from aftercare.messages.base import Instant, Message

# Not every database takes a NUL character.
Known = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=r"^[^\x00]+$")]


class ErasureRequest(Message):
    """A customer's id, and what else is known of the person: a name, an e-mail address, a telephone number.

    Only the id tells which cases are theirs; the other values are looked for in what others said.
    """

    customer: Known
    known: Annotated[tuple[Known, ...], Field(max_length=20)] = ()


class ErasedDataset(Message):
    """A dataset out of which a person was taken: its digest `before` and `after`, and what was `built` from it before.

    `rows` were made of the person's own cases and are gone, `changed` mentioned the person. What was built still holds
    what it was built from: whether to build it anew is for people to decide.
    """

    dataset: str
    before: str
    after: str
    rows: int = 0
    changed: int = 0
    built: tuple[str, ...] = ()


class Traces(Message):
    """What there is of a person in the store, counted and never named.

    `cases` are their own. `rows` counts by table the rows that were theirs, `mentions` those of others in which a known
    value stood. `learned` is how many known values were read off their own cases. `running` are cases of others that
    mention them and have not settled; `problems` is what Aftercare finds and does not change. `datasets` are those
    whose digest is another one now.
    """

    cases: int = 0
    learned: int = 0
    rows: dict[str, int] = {}
    mentions: dict[str, int] = {}
    running: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    datasets: tuple[ErasedDataset, ...] = ()

    @property
    def any(self) -> bool:
        """Whether there is anything to erase."""
        return bool(self.cases or self.rows or self.mentions or self.datasets)


class ErasureReceipt(Message):
    """What was erased, and nothing about whom.

    `terminated` counts open workflows that were ended, `histories` the runs deleted in Temporal. `left` is what was not
    erased and what to do about it; `complete` is false where the same erasure has to be asked for again because of it.
    `elsewhere` is what is not Aftercare's to erase.
    """

    id: str
    at: Instant
    by: str
    complete: bool = False
    traces: Traces = Traces()
    terminated: int = 0
    histories: int = 0
    left: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
