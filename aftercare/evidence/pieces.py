"""One piece of computed evidence, in the form in which the store keeps it."""

from __future__ import annotations

from aftercare.messages.base import Json, Message
from aftercare.messages.evidence import Family
from aftercare.messages.kinds import KINDS


class Piece(Message):
    """What was computed of one kind, about an episode or one of its steps.

    `value` is null where it was looked for and could not be told: unknown is never zero. `told_unit` is given where
    the unit is the deployment's own, such as its currency.
    """

    kind: str
    value: float | None
    payload: dict[str, Json] = {}
    step: int | None = None
    episode: int = 1
    told_unit: str = ""

    @property
    def family(self) -> Family:
        """The family of its kind."""
        return KINDS[self.kind].family

    @property
    def unit(self) -> str:
        """In what the value is."""
        return self.told_unit or KINDS[self.kind].unit

    @property
    def id(self) -> str:
        """Its id in the store: computed anew, it takes the place of what was computed before."""
        of_step = f"/{self.step}" if self.step is not None else ""
        return f"computed/{self.kind}/{self.episode}{of_step}"
