"""What was found in a trace, and where, so that a person can look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aftercare.messages.base import Json, Message
from aftercare.messages.case import Step

Numbers = tuple[int, ...]


class Findings(Message):
    """Everything of one kind that was found in the steps of an episode.

    Each entry of `found` names the steps that one finding is about, by number; its last is the step that made it one.
    `known` is false where the steps do not tell what this kind is read from: then the value is null, and not zero.
    `apart` names steps among them of which something more is to be said, by what that is.
    """

    kind: str
    found: tuple[Numbers, ...] = ()
    known: bool = True
    apart: dict[str, Numbers] = {}

    @property
    def value(self) -> int | None:
        """How many; null where it cannot be known."""
        return len(self.found) if self.known else None

    @property
    def payload(self) -> dict[str, Json]:
        """The steps to look at, all together and finding by finding."""
        steps = sorted({number for finding in self.found for number in finding})
        apart = {name: list(numbers) for name, numbers in self.apart.items()}
        return {"steps": steps, "findings": [list(finding) for finding in self.found], **apart}


def findings(kind: str, found: Iterable[Numbers], known: bool = True) -> Findings:
    """Findings in the order of the trace."""
    return Findings(kind=kind, found=tuple(sorted(found, key=lambda finding: (finding[-1], finding))), known=known)


def in_order(steps: Sequence[Step]) -> list[Step]:
    """The steps by number, in whatever order they came."""
    return sorted(steps, key=lambda step: step.number)
