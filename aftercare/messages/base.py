"""What every message is: frozen, and patient with fields it does not know yet."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field


def _near(moment: datetime) -> datetime:
    """Times at the ends of the calendar cannot be told in UTC, nor counted on from: no store would keep them."""
    if not 1900 <= moment.year < 3000:
        raise ValueError("a time between the years 1900 and 3000 is expected")
    return moment


# Ids appear in workflow ids and in paths, so they stay short and plain. They must never carry personal data.
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:\-]{0,119}$")]
Text = Annotated[str, Field(max_length=20_000)]
Line = Annotated[str, Field(max_length=500)]
Name = Annotated[str, Field(max_length=120)]  # fits a search attribute and a summary in any script
Json = Any
Instant = Annotated[AwareDatetime, AfterValidator(_near)]
Confidence = Annotated[float, Field(ge=0, le=1)] | Literal["not_reported"]

NOT_REPORTED: Literal["not_reported"] = "not_reported"


class Message(BaseModel):
    """A value that crosses a boundary. Fields are only ever added, with defaults: histories outlive code."""

    # What is no JSON stays so when it is written, and is refused, instead of turning into null. An error that is not
    # ours to tell (it ends in a history or a log) quotes nothing of what was sent.
    model_config = ConfigDict(
        frozen=True, extra="ignore", allow_inf_nan=False, ser_json_inf_nan="constants", hide_input_in_errors=True
    )
