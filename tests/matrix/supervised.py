"""What the tests of the matrix share: a book of triggers, supervisors that wait, checks when the test says so."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHandle, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError

import policies
from activities.matrices import Matrices
from aftercare.demo.embedded import Place, embedded
from aftercare.messages.improvement import CheckNow, Firing, FiringStatus, TriggerStanding
from aftercare.store.datasets import Datasets
from aftercare.store.tables import DatasetRow, ExampleRow
from aftercare.store.triggers import Triggers
from aftercare.supervisors import Supervisors
from policies.triggers import FILE, load_matrix
from workflows.conventions import supervisor_id

SHIPPED = Path(policies.__file__).parent
SELDOM = "PT12H"  # nothing is counted but when a test asks for it
WAITS = {"watch": timedelta(seconds=3), "resolve_within": timedelta(seconds=20), "verify_within": timedelta(seconds=20)}


_numbers = itertools.count(1)


class Known(Triggers):
    """The agents of a test, before any of them has a case."""

    def __init__(self, place: Place, agents: Sequence[str]) -> None:
        super().__init__(place.cases.database)
        self._agents = agents

    async def agents(self) -> list[str]:
        return [*self._agents]


class Supervised:
    """A running Aftercare whose supervisors look when they are asked to, and at no other time."""

    def __init__(self, place: Place, folder: Path) -> None:
        self.place, self._folder = place, folder
        self.triggers, self.datasets = Triggers(place.cases.database), Datasets(place.cases.database)

    async def watch(self, *agents: str) -> None:
        """Start the supervisors of agents that nobody knows of yet, as every worker does."""
        matrices = Matrices(self.place.cases, self._folder)
        brought = await Supervisors(self.place.client, Known(self.place, agents), matrices).bring_back()
        assert brought == len(agents) * len(self.rows)

    @property
    def rows(self) -> tuple[str, ...]:
        """The rows of the book."""
        return tuple(load_matrix(self._folder).matrix.triggers)

    def supervisor(self, agent: str, trigger: str) -> WorkflowHandle[Any, Any]:
        return self.place.client.get_workflow_handle(supervisor_id(agent, trigger))

    async def check(self, agent: str, trigger: str, id: str = "") -> TriggerStanding:
        """One boundary: everything that has come is counted, and what is due has fired. Asked until it is answered."""
        supervisor, asked = self.supervisor(agent, trigger), CheckNow(by="a test")
        id = id or f"check-{next(_numbers)}"
        while True:
            try:
                standing: TriggerStanding = await supervisor.execute_update(
                    "check_now", asked, id=id, result_type=TriggerStanding
                )
                return standing
            except (RPCError, WorkflowUpdateRPCTimeoutOrCancelledError):  # its worker may be away
                await asyncio.sleep(0.2)

    async def check_all(self, agent: str) -> dict[str, TriggerStanding]:
        """The same for every row."""
        standings = await asyncio.gather(*(self.check(agent, row) for row in self.rows))
        return dict(zip(self.rows, standings, strict=True))

    async def ended(self, agent: str, trigger: str, within: float = 120) -> None:
        """Wait until no improvement of it is under way: the store knows, whoever is away."""
        async with asyncio.timeout(within):
            while True:
                last = await self.triggers.firings(agent, trigger, limit=1)
                if not last or last[0].status is not FiringStatus.STARTED:
                    return
                await asyncio.sleep(0.1)

    async def firings(self, agent: str) -> list[Firing]:
        """What has fired for an agent, the first one first."""
        found = await self.triggers.firings(agent=agent, limit=1_000)
        return sorted(found, key=lambda firing: (firing.trigger, firing.cycle))

    async def dataset(self, firing: Firing) -> tuple[DatasetRow, list[ExampleRow]]:
        """What a firing froze."""
        found = await self.datasets.find(firing.id)
        assert found, f"{firing.id} has no dataset"
        return found, [row async for row in self.datasets.rows(firing.id)]


def book_in(folder: Path, text: str) -> Path:
    """A folder of policies with this book of triggers."""
    shutil.copytree(SHIPPED, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (folder / FILE).write_text(text, "utf-8")
    return folder


def seldom(text: str) -> str:
    """A book under which nobody looks unless asked."""
    return text.replace("every: PT1M", f"every: {SELDOM}").replace("at_most: PT15M", f"at_most: {SELDOM}")


@asynccontextmanager
async def supervised(
    folder: Path, book: str, data: Mapping[str, Path] | None = None, ui: bool = False
) -> AsyncIterator[Supervised]:
    """Temporal, a store and a worker, with a book of triggers."""
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - a moment
    policies_of_test = book_in(folder / "policies", book)
    env = {"AFTERCARE_POLICIES": str(policies_of_test)}
    async with embedded(folder, data or {}, WAITS, ui=ui, more_env=env) as place:
        yield Supervised(place, policies_of_test)


def accounted(dataset: DatasetRow) -> list[tuple[str, str]]:
    """The pieces that a dataset accounts for, whatever became of them."""
    return [(account["case"], account["piece"]) for account in dataset.accounts]


def pieces_of(rows: Iterable[ExampleRow]) -> list[tuple[str, str]]:
    """The pieces of evidence that rows were made of."""
    return [(row.case_id, piece["id"]) for row in rows for piece in row.provenance["pieces"]]
