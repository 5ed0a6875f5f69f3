"""What a row of the matrix would have made of evidence that is there already: when it would have fired, and for what.

A rehearsal looks after each case, where a supervisor looks every minute or so; an improvement takes no time in it and
costs nothing, so that cooldown and the number of children hold it back, by the times of the evidence, and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from aftercare.learning.watching import Piece, Watch, because, volume_of
from aftercare.messages.triggers import TriggerRow

A_WEEK = timedelta(days=7)
A_LOOK = timedelta(minutes=1)  # what comes of one case within so long is found by one look


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A firing there would have been: at the `number_of_case`th case it watched, claiming so many `cases`.

    `groups` are those that alarmed, none where the volume was reached.
    """

    at: datetime
    case: str
    number_of_case: int
    groups: tuple[str, ...]
    because: str
    cases: int


@dataclass(frozen=True, slots=True)
class Compared:
    """A firing under the edited book beside the one it stands for under the book in force; either may have none."""

    edited: Rehearsed | None
    in_force: Rehearsed | None

    @property
    def earlier(self) -> int | None:
        """By how many cases the edited book is earlier; below zero it is later."""
        if self.edited is None or self.in_force is None:
            return None
        return self.in_force.number_of_case - self.edited.number_of_case

    @property
    def at(self) -> datetime:
        """When it would have fired, or fired."""
        (first, *_) = (one for one in (self.edited, self.in_force) if one)
        return first.at


class _Heap:
    """What counts against the agent and nothing has claimed: by case, its pieces with the group of each."""

    def __init__(self, row: TriggerRow) -> None:
        self._row = row
        self._cases: dict[str, dict[str, str]] = {}
        self._groupings: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._cases)

    def write(self, pieces: Sequence[Piece], against: Mapping[str, str]) -> None:
        """These pieces of one case were looked at: some count against the agent, and the others do so no more."""
        case_id = pieces[0].case_id
        before = self._cases.get(case_id, {})
        seen = {piece.id for piece in pieces}
        self._put(case_id, {piece: of for piece, of in before.items() if piece not in seen} | dict(against))

    def has(self, group: str) -> bool:
        """Whether anything of a group waits."""
        return any(self._is_of(group, grouping) for grouping in self._groupings)

    def claim(self, groups: Sequence[str] | None) -> int:
        """Claim what waits of these groups, or all; gives how many cases that were."""
        claimed = 0
        for case_id, pieces in list(self._cases.items()):
            left = {p: of for p, of in pieces.items() if groups is not None and not self._is_any_of(groups, of)}
            claimed += len(left) < len(pieces)
            self._put(case_id, left)
        return claimed

    def _put(self, case_id: str, pieces: dict[str, str]) -> None:
        if not pieces and case_id not in self._cases:
            return
        self._groupings.subtract(self._cases.pop(case_id, {}).values())
        self._groupings.update(pieces.values())
        self._groupings += Counter()  # nothing stays for a grouping of which nothing waits
        if pieces:
            self._cases[case_id] = pieces

    def _is_any_of(self, groups: Sequence[str], grouping: str) -> bool:
        return any(self._is_of(group, grouping) for group in groups)

    def _is_of(self, group: str, grouping: str) -> bool:
        match self._row.group_by:
            case "none":
                return True
            case "clause":
                return f",{group}," in grouping
            case _:
                return group == grouping


class Rehearsal:
    """One row, rehearsed for one agent: it takes cases in the order of their times, and tells every firing."""

    def __init__(self, row: TriggerRow) -> None:
        self.row, self.watch = row, Watch(row)
        self.fired: list[Rehearsed] = []
        self.cases = 0
        self._heap = _Heap(row)
        self._is_due = False  # and has not fired, for cooldown or budget
        self._last_case = ""

    def take(self, pieces: Sequence[Piece]) -> None:
        """Take up what came of one case. What is no evidence of the row is passed over; the case counts all the same,
        so that two rows that count different evidence count the same cases.
        """
        self.until(pieces[0].at)
        self.cases, self._last_case = self.cases + 1, pieces[0].case_id
        if mine := [piece for piece in pieces if piece.kind in self.row.evidence]:
            against = self.watch.take(mine)
            self._heap.write(mine, {one.piece.id: one.group for one in against})
            self._look(pieces[-1].at)

    def until(self, at: datetime) -> None:
        """Let time pass: what was due and held back fires as soon as nothing holds it back."""
        free = self._free_at()
        if self._is_due and free is not None and free <= at:
            self._look(free)

    @property
    def held_back(self) -> str:
        """Why it is due, where it is and has not fired, for cooldown or budget; else empty."""
        return self._because(self._alarmed()) if self._is_due else ""

    def _look(self, at: datetime) -> None:
        groups, volume, free = self._alarmed(), volume_of(self.row), self._free_at()
        everything = volume is not None and len(self._heap) >= volume
        self._is_due = bool(groups) or everything
        if self._is_due and (free is None or at >= free):
            which, told = None if everything else groups, tuple(filter(None, groups))
            why, cases = self._because(groups), self._heap.claim(which)
            self.fired.append(Rehearsed(at, self._last_case, self.cases, told, why, cases))
            self.watch.begin_anew(which)
            self._is_due = False

    def _alarmed(self) -> list[str]:
        """The groups whose alarm has evidence that waits."""
        return [group for group in self.watch.alarmed() if self._heap.has(group)]

    def _because(self, groups: Sequence[str]) -> str:
        alarmed = [standing for standing in self.watch.standings() if standing.alarmed and standing.group in groups]
        return because(self.row, alarmed, len(self._heap))

    def _free_at(self) -> datetime | None:
        """From when on neither cooldown nor budget holds it back; None where nothing ever did."""
        if not self.fired:
            return None
        cooled, children = self.fired[-1].at + self.row.cooldown, self.row.budget.children
        return max(cooled, self.fired[-children].at + A_WEEK) if len(self.fired) >= children else cooled


class Beside:
    """A row of the edited book beside that of the book in force, for one agent; either may be missing there.

    Both see the same cases, so that their firings can be told apart by numbers of cases.
    """

    def __init__(self, edited: TriggerRow | None, in_force: TriggerRow | None) -> None:
        self.edited = Rehearsal(edited) if edited else None
        self.in_force = self.edited if edited == in_force else Rehearsal(in_force) if in_force else None
        self._each = list({id(one): one for one in (self.edited, self.in_force) if one}.values())
        self.kinds = frozenset(kind for one in self._each for kind in one.row.evidence)

    def take(self, pieces: Sequence[Piece]) -> None:
        """Take up what came of one case, where it is any evidence of either."""
        mine = [piece for piece in pieces if piece.kind in self.kinds]
        for one in self._each if mine else ():
            one.take(mine)

    def until(self, at: datetime) -> None:
        """Let time pass."""
        for one in self._each:
            one.until(at)

    @property
    def cases(self) -> int:
        """How many cases both watched."""
        return self._each[0].cases

    def compared(self) -> list[Compared]:
        """What fired under the one beside what fired under the other."""
        return compare(self.edited.fired if self.edited else (), self.in_force.fired if self.in_force else ())


def rehearse(row: TriggerRow, pieces: Iterable[Piece]) -> list[Rehearsed]:
    """Every firing there would have been of these pieces, which are in the order of their times."""
    rehearsal = Rehearsal(row)
    for of_case in looks(pieces):
        rehearsal.take(of_case)
    return rehearsal.fired


def looks(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """The pieces of one case that one look finds, look by look."""
    found: list[Piece] = []
    for piece in pieces:
        if found and not is_found_with(found, piece):
            yield found
            found = []
        found.append(piece)
    if found:
        yield found


def is_found_with(found: Sequence[Piece], piece: Piece) -> bool:
    """Whether a look that finds these finds this one too."""
    return piece.case_id == found[0].case_id and piece.at - found[0].at <= A_LOOK


def compare(edited: Sequence[Rehearsed], in_force: Sequence[Rehearsed]) -> list[Compared]:
    """The firings under two books beside each other, in the order of their times.

    Two stand for each other where they are about the same group, or both about none, and no other pair that does is
    nearer in time: what was held back may fire long after the last case. Both counted the same cases.
    """
    apart = sorted(
        (abs(one.at - other.at), n, m)
        for n, one in enumerate(edited)
        for m, other in enumerate(in_force)
        if _are_alike(one, other)
    )
    pairs: dict[int, int] = {}
    taken: Counter[int] = Counter()
    for _, n, m in apart:
        if n not in pairs and not taken[m]:
            pairs[n], taken[m] = m, 1
    both = [Compared(one, in_force[pairs[n]] if n in pairs else None) for n, one in enumerate(edited)]
    both += [Compared(None, other) for m, other in enumerate(in_force) if not taken[m]]
    return sorted(both, key=lambda compared: compared.at)


def _are_alike(one: Rehearsed, other: Rehearsed) -> bool:
    return bool(set(one.groups) & set(other.groups)) if one.groups and other.groups else one.groups == other.groups
