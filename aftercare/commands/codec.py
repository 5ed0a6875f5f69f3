"""`aftercare codec`: keys for the encryption of Temporal's histories."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter
from rich.text import Text

from aftercare.codec import VARIABLE, BadKeys, new_key
from aftercare.commands.answering import Answer, AsJson, answered, to_people, wrong

HINT = f"""
The first key of {VARIABLE} encrypts, all of them decrypt. To begin, stop all workers, start them with it, then
all doors. To rotate, add it behind the keys that are there, everywhere; then put it first, everywhere. Keep old ones
for as long as Temporal keeps a history. The key stands nowhere else: a lost key is a lost history (docs/codec.md)."""

codec = App(name="codec", help="Make keys that encrypt Temporal's histories.")


@codec.command
async def key(
    *,
    id: Annotated[
        str | None, Parameter(help="Its id, at most 20 of A-Z a-z 0-9 . _ -; a new one where not given.")
    ] = None,
    json: AsJson = False,
) -> int:
    """Make a key, as an entry of AFTERCARE_CODEC_KEYS. It is printed this once, and kept nowhere."""

    async def work() -> Answer:
        try:
            entry = new_key(id)
        except BadKeys as error:
            raise wrong(str(error)) from None
        if not json:
            to_people(stderr=True).print(Text(HINT), soft_wrap=True)  # so that the entry alone can be piped on
        return Answer({"id": entry.partition(":")[0], "entry": entry}, [Text(entry)])

    return await answered(json, work())
