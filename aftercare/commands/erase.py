"""`aftercare erase`: a customer's every trace, once somebody has said yes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Sequence
from typing import Annotated

from cyclopts import App, Parameter
from pydantic import ValidationError
from rich.text import Text

from aftercare.commands.answering import DONE, NO, NOT_ASKED, Answer, AsJson, NotAsked, answered, problems_of, wrong
from aftercare.commands.door import opened
from aftercare.erasure import Erasure, NotErased
from aftercare.messages.erasure import ErasedDataset, ErasureReceipt, ErasureRequest, Traces

STDIN, BY = "-", "cli"

erase = App(name="erase")
Flag = Annotated[bool, Parameter(negative=(), show_default=False)]


@erase.default
async def erase_customer(
    *,
    customer: Annotated[str, Parameter(allow_leading_hyphen=True)],
    known: Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)] = (),
    dry_run: Flag = False,
    yes: Flag = False,
    json: AsJson = False,
) -> int:
    """Erase a customer: every trace goes or names nobody any more, running cases are ended, the figures stay.

    What was erased stands on a receipt. Asked for again, it goes on where it was broken off, or finds nothing left.
    What goes, what stays, and what is not Aftercare's to erase: docs/erasure.md. Exit code 0: done; 1: you said no;
    2: not asked, no answer, or not finished.

    Parameters
    ----------
    customer
        The customer's id; - reads it from the standard input, and further known values from the lines that follow, so
        that they do not end up in the shell's history.
    known
        Something else known of the person, looked for in what others said: a name, an address. May be given repeatedly.
    dry_run
        Only count what would be erased.
    yes
        Do not ask first.
    """

    async def work() -> Answer:
        asked = _asked(customer, known)
        async with opened() as door:
            erasure = Erasure(door.client, door.cases)
            if dry_run:
                traces = await erasure.preview(asked)
                return Answer({"dry_run": True, "traces": traces}, [*_found(traces), Text("nothing was changed")])
            if not yes and not await _agreed(await erasure.preview(asked), json or customer == STDIN):
                return Answer({"erased": False}, [Text("nothing was erased")], NO)
            try:
                return _told(await erasure.erase(asked, BY))
            except NotErased as error:
                raise NotAsked("not_erased", [str(error)]) from None

    return await answered(json, work())


def _asked(customer: str, known: Sequence[str]) -> ErasureRequest:
    if customer == STDIN:
        customer, *more = [line for line in map(str.strip, sys.stdin) if line] or [""]
        known = (*known, *more)
    elif customer.startswith("-"):
        raise wrong(f"--customer takes an id, or {STDIN}; an id that begins with - comes by the standard input")
    try:
        return ErasureRequest(customer=customer, known=tuple(known))
    except ValidationError as error:  # what was given is personal: only where and why is told
        raise wrong(*(p.split(" (given:")[0] for p in problems_of(error))) from None


async def _agreed(traces: Traces, unattended: bool) -> bool:
    """Whether somebody at the terminal says yes. Raises NotAsked where nobody can be asked."""
    if unattended or not sys.stdin.isatty():
        raise wrong("nobody can be asked here: say --yes, or --dry-run to see what would be erased")
    for line in _found(traces):
        print(line)
    return (await asyncio.to_thread(input, "Erase it for good? Type yes: ")).strip().lower() == "yes"


def _told(receipt: ErasureReceipt) -> Answer:
    how = ("erased", "green") if receipt.complete else ("not finished", "red")
    ended = f"{receipt.terminated} running cases ended, {receipt.histories} histories deleted"
    lines = [Text.assemble(how, f": receipt {receipt.id}"), *_found(receipt.traces), Text(f"  {ended}")]
    lines += [Text(f"  left: {what}", "yellow") for what in receipt.left]
    lines += [Text(f"  not ours: {what}", "dim") for what in receipt.elsewhere]
    return Answer(receipt, lines, DONE if receipt.complete else NOT_ASKED)


def _found(traces: Traces) -> Iterator[Text]:
    yield Text(f"  {traces.cases} cases of this customer" if traces.any else "  nothing of this customer is here")
    for what, counts in (("their own", traces.rows), ("of others who mention them", traces.mentions)):
        if counts:
            yield Text(f"  rows {what}: {', '.join(f'{table} {count}' for table, count in sorted(counts.items()))}")
    for dataset in traces.datasets:
        yield Text(f"  dataset {_of_dataset(dataset)}")
    for problem in traces.problems:
        yield Text(f"  look at {problem}", "yellow")


def _of_dataset(of: ErasedDataset) -> str:
    rows = f"{_rows(of.rows)} gone, {_rows(of.changed)} of others changed"
    built = ", ".join(of.built) or "nothing"
    return f"{of.dataset}: {rows}; digest {of.before[:12]} -> {of.after[:12]}; built from it: {built}"


def _rows(count: int) -> str:
    return f"{count} row{'' if count == 1 else 's'}"
