"""The table of prices: what a model's tokens cost, in money and in energy, and since when."""

from __future__ import annotations

from datetime import date
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

MILLION, THOUSAND = 1_000_000, 1_000


class PricesInvalid(ValueError):
    """A table that cannot be used: every problem found, each with its row and field."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class PriceRow(_Entry):
    """What the tokens of a model cost from a day on.

    `model` is its name, or the beginning of one and `*`; `*` alone stands for every model, and for one that was not
    told. `input` and `output` are prices per million tokens in the table's currency, `energy` is in Wh per thousand
    tokens; what is left out is unknown, never zero. `source` says where the figures are from.
    """

    model: str = Field(min_length=1, max_length=120)
    since: date
    source: str = Field(min_length=1, max_length=500)
    input: float | None = Field(default=None, ge=0)
    output: float | None = Field(default=None, ge=0)
    energy: float | None = Field(default=None, ge=0)

    @field_validator("model")
    @classmethod
    def _star_at_the_end(cls, model: str) -> str:
        if "*" in model[:-1]:
            raise ValueError("a * stands for the rest of a name, so it may only be its last character")
        return model

    @model_validator(mode="after")
    def _tells_something(self) -> PriceRow:
        if (self.input is None) != (self.output is None):
            raise ValueError("input and output are given together, or neither")
        if self.input is None and self.energy is None:
            raise ValueError("a row tells input and output, or energy, or all three")
        return self

    def stands_for(self, model: str) -> bool:
        """Whether the row is about a model of this name."""
        return model.startswith(self.model[:-1]) if self.model.endswith("*") else model == self.model

    @property
    def closeness(self) -> tuple[bool, int, date]:
        """The closer to one model the row is, the greater; of the same name the later one."""
        return not self.model.endswith("*"), len(self.model), self.since


class Prices(_Entry):
    """The table. `currency` is that of the whole deployment: sums of different ones mean nothing."""

    currency: str = Field(pattern=r"^[A-Z]{3}$")
    prices: tuple[PriceRow, ...] = ()

    @model_validator(mode="after")
    def _each_once(self) -> Prices:
        seen: set[tuple[str, date]] = set()
        for row in self.prices:
            if (row.model, row.since) in seen:
                raise ValueError(f"{row.model} since {row.since} stands here a second time")
            seen.add((row.model, row.since))
        return self

    def cost(self, model: str, tokens_in: int, tokens_out: int, on: date | None = None) -> float | None:
        """What so many tokens cost on a day (the latest price where no day is told). None where that is unknown."""
        row = self._row(model, on, "input")
        if row is None or row.input is None or row.output is None:
            return None
        return (tokens_in * row.input + tokens_out * row.output) / MILLION

    def energy(self, model: str, tokens: int, on: date | None = None) -> float | None:
        """The energy of so many tokens in Wh. None where it is unknown."""
        row = self._row(model, on, "energy")
        return None if row is None or row.energy is None else tokens * row.energy / THOUSAND

    def _row(self, model: str, on: date | None, told: str) -> PriceRow | None:
        """The closest row of those that tell this of the model and were valid on that day."""
        valid = (row for row in self.prices if on is None or row.since <= on)
        rows = [row for row in valid if row.stands_for(model) and getattr(row, told) is not None]
        return max(rows, key=lambda row: row.closeness, default=None)


def read_prices(text: str, file: str = "prices.yaml") -> Prices:
    """The table in a YAML text. Raises PricesInvalid with everything that is wrong, by row and field."""
    try:
        told = yaml.safe_load(text)
        return Prices.model_validate(told)
    except yaml.YAMLError as error:
        raise PricesInvalid([f"{file}: {' '.join(str(error).split())}"]) from None
    except ValidationError as error:
        raise PricesInvalid([f"{file}{_place(told, e['loc'])}: {_said(e)}" for e in error.errors()]) from None


def _place(told: Any, loc: tuple[int | str, ...]) -> str:
    """`, row 2 (example-small), field input`"""
    if len(loc) < 2 or not isinstance(loc[1], int):
        return f", field {loc[0]}" if loc else ""
    row = told["prices"][loc[1]]
    model = f" ({row['model']})" if isinstance(row, dict) and "model" in row else ""
    return f", row {loc[1] + 1}{model}" + (f", field {loc[2]}" if len(loc) > 2 else "")


def _said(error: Any) -> str:
    return str(error["msg"]).removeprefix("Value error, ")
