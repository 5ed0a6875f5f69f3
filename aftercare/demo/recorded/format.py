"""The format of recorded cases (docs/recorded-cases.md): one JSON object a line, plain or gzipped, or a YAML file.

`agent` is what the agent did and all that the system under test may see. `afterwards` is what came of it: only the
people's process may read it, and only after the resolution.
"""

from __future__ import annotations

import hashlib
from typing import Literal

from pydantic import Field

from aftercare.messages.base import Json, Message
from aftercare.messages.case import Case, Step
from aftercare.messages.override import Deciding, FinalAction


class Recorded(Message):
    """What the agent did, in order. A step that `writes` is performed on the case's own copy of the shop.

    `claims_only` names steps that the agent says it took, although it did not, or although the shop refused.
    """

    case: Case
    steps: tuple[Step, ...] = ()
    writes: tuple[int, ...] = ()
    claims_only: tuple[int, ...] = ()
    ending: Literal["resolves", "escalates", "falls_silent"]
    reply: str = ""
    reason: str = ""
    confidence: float | Literal["not_reported"] = "not_reported"
    reported: Literal["live", "whole"] = "live"


class Correction(Message):
    """What a person changes in a record: JSON pointers to new values, null to remove; "" is the whole record."""

    record: str
    fields: dict[str, Json]


class Afterwards(Message):
    """What people do after the resolution, by what they know of the world and the agent does not."""

    comes_back: bool = False
    asks_again: Literal["same_issue", "other_issue"] | None = None
    says: str = ""
    corrections: tuple[Correction, ...] = ()
    final: FinalAction | None = None
    corrected_intent: str = "unchanged"
    rationale: str = ""
    deciding: Deciding | None = None
    csat: int | None = Field(default=None, ge=1, le=5)
    comment: str = ""


class RecordedCase(Message):
    """One line of a file. The title is for whoever reads the file, and nobody else is given it."""

    title: str = ""
    agent: Recorded
    afterwards: Afterwards = Afterwards()


def live_or_whole(case_id: str, ending: str) -> Literal["live", "whole"]:
    """Half of the cases are reported live, by hash of their id; those without a resolution always are."""
    even = hashlib.sha256(case_id.encode()).digest()[0] % 2 == 0
    return "live" if even or ending == "falls_silent" else "whole"
