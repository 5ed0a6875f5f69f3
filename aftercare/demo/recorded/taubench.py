"""Reads the published tau-bench runs as they are, and parts what the agent did from what only the graders know."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from aftercare.demo.recorded.format import Afterwards, Correction, Recorded, RecordedCase, live_or_whole
from aftercare.demo.shops import SYSTEMS
from aftercare.messages.case import Action, Case, Step, StepKind
from aftercare.messages.override import Actions, FinalAction, NothingToDo, RecordFact, Undo

Row = dict[str, Any]

# No run has timestamps. The airline's agents were told what time it is, and what they may do depends on it: "The
# current time is 2024-05-15 15:00:00 EST." The retail agents were told no time, and their steps have none.
CLOCKS = {"airline": datetime(2024, 5, 15, 15, tzinfo=timezone(timedelta(hours=-5), "EST"))}


def is_row(row: Any) -> bool:
    """Whether this is a tau-bench row, rather than one of our own format."""
    return isinstance(row, dict) and "agent_config" in row and "outcome" in row


def case_of(row: Row) -> RecordedCase:
    """One recorded run, in our format."""
    return RecordedCase(agent=recorded(row), afterwards=afterwards(row))


def recorded(row: Row) -> Recorded:
    """What the agent itself saw and did: nothing here is read from the answers."""
    crashed = bool(row.get("crashed"))
    silent = crashed or row["ended_by"] == "step_limit"
    transfer = row.get("human_transfer")
    ending = "falls_silent" if silent else "escalates" if transfer else "resolves"
    steps, writes = ((), ()) if crashed else _trace(row)
    replies = [s for s in steps if s.kind is StepKind.REPLY]
    return Recorded(
        case=Case(
            id=row["case_id"],
            agent=row["domain"],
            domain=row["domain"],
            release=row["agent_config"],
            customer=(row.get("customer") or {}).get("user_id"),
            environment=row["case_id"],
        ),
        steps=steps,
        writes=writes,
        ending=ending,
        reply=replies[-1].said[:4_000] if replies else "",
        reason=(transfer or {}).get("summary", ""),
        reported=live_or_whole(row["case_id"], ending),
    )


def afterwards(row: Row) -> Afterwards:
    """What the graders know, told as what people do: come back, correct the records, say what decided it."""
    outcome = row["outcome"]
    if row.get("crashed") or row["ended_by"] == "step_limit" or row.get("human_transfer"):
        return Afterwards()
    if outcome["db_match"] is False:
        return _override(row)
    if outcome["outputs_ok"] is False:
        return Afterwards(comes_back=True, says="The answer was wrong.")
    return Afterwards()


def _trace(row: Row) -> tuple[tuple[Step, ...], tuple[int, ...]]:
    steps: list[Step] = []
    writes: list[int] = []
    clock = {"at": CLOCKS[row["domain"]]} if row["domain"] in CLOCKS else {}
    for message, call in _turns(row):
        number = len(steps) + 1
        shared: Row = {"number": number, **message, **clock}
        if call is None:
            steps.append(Step(kind=StepKind.REPLY, name="reply", **shared))
            continue
        if call["is_write"]:
            writes.append(number)
        steps.append(
            Step(
                kind=_kind(call),
                name=call["tool"],
                input=call["args"],
                output=_output(call["result"]),
                error=(str(_output(call["result"])) or "no answer")[:500] if call["is_error"] else None,
                **shared,
            )
        )
    return tuple(steps), tuple(writes)


def _turns(row: Row) -> Iterator[tuple[dict[str, str], Row | None]]:
    """What was heard and said at each of the agent's turns, with the tool call it made, if it made one."""
    heard = ""
    calls = iter(row["steps"])
    for message in row["messages"]:
        if message["role"] == "user":
            heard = message["content"].replace("###STOP###", "").strip()
        elif message["role"] == "assistant":
            yield {"heard": heard, "said": message["content"] or ""}, next(calls) if message.get("tool_call") else None
            heard = ""


def _kind(call: Row) -> StepKind:
    if call["is_write"] or call["tool"].startswith("transfer"):
        return StepKind.ACT
    return StepKind.REASON if call["tool"] in ("think", "calculate") else StepKind.RETRIEVE


def _output(result: Any) -> Any:
    """A tool's answer as data. Program-writing agents recorded it as an assignment: `# var_0 = ...`."""
    if not isinstance(result, str):
        return result
    text = re.sub(r"^# var_\d+ = ", "", result)
    try:
        return json.loads(text)
    except ValueError:
        return text


def _override(row: Row) -> Afterwards:
    # Of a whole record that differs there is no field to name; the customer's list of them differs with it.
    first = next(difference for difference in row["outcome"]["db_diff"] if len(difference["path"]) > 2)
    wanted = [w["tool"] for w in row["expected"]["writes"]]
    attempted = [s["tool"] for s in row["steps"] if s["is_write"]]
    right = wanted[-1] if wanted else "none"
    return Afterwards(
        comes_back=True,
        says="What I asked for was not done.",
        corrections=tuple(_corrections(row)),
        final=_final(row),
        corrected_intent="unchanged" if attempted[-1:] == [right] else right,
        rationale=f"The record says {first['actual']!r} where it should say {first['expected']!r}."[:2_000],
        deciding=RecordFact(
            system=SYSTEMS[row["domain"]],
            record="/".join(map(str, first["path"][:2])),
            field=".".join(map(str, first["path"][2:])),
            expected=first["expected"],
            found=first["actual"],
        ),
    )


def _final(row: Row) -> FinalAction:
    wanted = row["expected"]["writes"]
    if wanted:
        return Actions(actions=tuple(Action(name=w["tool"], arguments=w["args"]) for w in wanted))
    return Undo() if row["actual"]["writes"] else NothingToDo()


def _corrections(row: Row) -> Iterator[Correction]:
    """The differing facts by record, as pointers; what exists in the agent's end state alone is taken away.

    A whole record that differs has the empty pointer, and is null in the end state that does not have it.
    """
    fields: dict[str, dict[str, Any]] = {}
    for difference in row["outcome"]["db_diff"]:
        kind, identity, *path = difference["path"]
        pointer = "".join("/" + str(p).replace("~", "~0").replace("/", "~1") for p in path)
        value = None if difference["kind"] == "only_in_actual" else difference["expected"]
        fields.setdefault(f"{kind}/{identity}", {})[pointer] = value
    return (Correction(record=record, fields=changes) for record, changes in fields.items())
