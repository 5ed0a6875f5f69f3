"""People to be forgotten, their cases, and a search for them through everything that Aftercare keeps."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlmodel import SQLModel

from aftercare.messages.case import Case, Resolution, Step, StepKind
from aftercare.messages.erasure import ErasureRequest
from aftercare.messages.outcome import Stage
from aftercare.store.database import Database
from tests.cases.desk import Desk, Told

COLUMNS = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
_numbers = itertools.count(1047)


@dataclass(frozen=True)
class Customer:
    """Somebody whose name JSON has to escape."""

    number: int

    @property
    def id(self) -> str:
        return f"c-{self.number}"

    @property
    def name(self) -> str:
        return f"Zoë Brandt{self.number}"

    @property
    def mail(self) -> str:
        return f"zoe{self.number}@example.org"

    @property
    def request(self) -> ErasureRequest:
        """Erase her; her e-mail address is in her own cases."""
        return ErasureRequest(customer=self.id, known=(self.name,))

    def case(self, desk: Desk, name: str) -> Hers:
        """A new case of hers."""
        return Hers(desk, f"{name}-{next(_numbers)}", self)


def customer() -> Customer:
    """Somebody new."""
    return Customer(next(_numbers))


class Hers(Told):
    """A case full of its customer: in the registration, in what is said, and in what the agent looked up."""

    def __init__(self, desk: Desk, id: str, customer: Customer) -> None:
        super().__init__(desk, id)
        self.customer = customer
        desk.shop.records[f"orders/{self.order}"]["user_id"] = customer.id
        desk.shop.before[self.receipt, f"orders/{self.order}"]["user_id"] = customer.id

    @property
    def about(self) -> Case:
        contact = f"mailto:{self.customer.mail}"
        return super().about.model_copy(
            update={"customer": self.customer.id, "contact": contact, "ticket": f"desk:{self.customer.number}"}
        )

    @property
    def steps(self) -> tuple[Step, ...]:
        who, (found, order, said, act) = self.customer, super().steps
        record = json.dumps({"id": who.id, "email": who.mail, "name": {"first_name": "Zoë", "last_name": "Brandt"}})
        thought = Step(number=5, kind=StepKind.REASON, name="think", output=record, latency=0.5, tokens=12)
        return (
            found.model_copy(update={"input": {"email": who.mail}, "output": who.id}),
            order.model_copy(update={"output": {"status": "pending", "user_id": who.id}}),
            said.model_copy(update={"heard": f"I am {who.name} ({who.mail}). Cancel my order, I no longer need it."}),
            act,
            thought,
        )

    def resolution(self, id: str = "resolution", **other: Any) -> Resolution:
        return super().resolution(id, **{"reply": f"Done, {self.customer.name}."} | other)

    async def watched(self) -> Hers:
        """The case is reported whole, verified, and in its watch."""
        self.cancelled()
        await self.reported()
        await self.until(Stage.WATCHING)
        return self


async def places(database: Database, *values: str) -> list[str]:
    """Where any of the values still stands: in which file of a store, or in which column."""
    if database.engine.dialect.name == "postgresql":
        return await _columns(database, values)
    folder = Path(str(make_url(database.url).database)).parent
    needles = [v.encode() for v in values] + [_escaped(v).encode() for v in values]
    return [file.name for file in folder.iterdir() if any(n in file.read_bytes() for n in needles)]


async def _columns(database: Database, values: tuple[str, ...]) -> list[str]:
    found = []
    async with database.engine.connect() as connection:
        for table, column in (await connection.execute(text(COLUMNS))).all():
            asked = f'SELECT count(*) FROM {table} WHERE position(:value in "{column}"::text) > 0'  # noqa: S608
            for value in {*values, *map(_escaped, values)}:
                if (await connection.execute(text(asked), {"value": value})).scalar_one():
                    found.append(f"{table}.{column}")
    return found


def _escaped(value: str) -> str:
    return json.dumps(value)[1:-1]


async def rows(database: Database) -> dict[str, list[Any]]:
    """Everything in the store, but for the receipts of erasures."""
    async with database.engine.connect() as connection:
        return {
            table.name: [tuple(map(repr, row)) for row in await connection.execute(table.select())]
            for table in SQLModel.metadata.sorted_tables
            if table.name != "erasure"
        }
