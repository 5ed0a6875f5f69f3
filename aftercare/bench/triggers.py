"""`aftercare bench triggers`: how often each row cries wolf, and how soon it sees what has become worse.

Each row of the shipped book watches made-up cases of one group (`bench/scenarios`), and has to learn what is usual from
the first of them: once nothing changes, once something becomes worse 500 cases after those. A false alarm is one within
2,000 cases after those it learned from, or before. The delay is that of the runs without an alarm before the change;
one that does not see it within 2,000 cases counts as never. Many small groups in one row: `bench/crowd`. The seeds are
not those it was tuned on (10,000 to 10,400).

Beside them, on the same cases, stand a fixed window and Wilson's bound looked at after every case (`bench/windows`).
--quick takes so few seeds that a bar counts as missed only where chance would do so once in a hundred times.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from itertools import product
from multiprocessing import get_context
from random import Random
from statistics import median
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from scipy.stats import binom  # type: ignore[import-untyped]

from aftercare.bench import crowd
from aftercare.bench.scenarios import SCENARIOS, Scenario
from aftercare.bench.streams import Source, pieces
from aftercare.bench.windows import Fixed, Wilson
from aftercare.learning.detectors import counts_against
from aftercare.learning.watching import Piece, Watch
from aftercare.messages.triggers import TriggerRow
from policies.triggers import load_matrix

SEEDS, QUICK_SEEDS = range(100_000, 100_200), range(100_000, 100_012)
QUIET = 2_000  # drift-free cases
SETTLED = 500  # between what is learned from and the change
MOST_FALSE = 0.10
BY_CHANCE = 0.01
IN_CROWD = 90  # cases of its own until one intent among many is seen, at most
WAYS = ("aftercare", "window", "wilson")
NEVER = math.inf
Delay = tuple[float | None, float | None, float | None]
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Run:
    """One seed of one scenario, with one of its shifts; None where nothing changes."""

    scenario: int
    worse: int | None
    seed: int


@dataclass(frozen=True)
class Seen:
    """What a way of watching comes to in a scenario: of each shift the median delay, that of nine in ten, and the
    share of runs that never saw it."""

    false: float
    delays: tuple[Delay, ...]


def first_alarms(run: Run) -> dict[str, float]:
    """After which case each way of watching first alarmed."""
    scenario = SCENARIOS[run.scenario]
    row = _row_of(scenario.row)
    watch, fixed, wilson = Watch(row), Fixed(), Wilson(row.baseline.cases)
    found = dict.fromkeys(WAYS if scenario.watched != "quantile" else WAYS[:1], NEVER)
    for number, case in enumerate(_cases(run, scenario, row), 1):
        watch.take(case)
        against = any(counts_against(row.evidence.get(p.kind), p.value) for p in case if p.value is not None)
        alarms = {
            "aftercare": bool(watch.alarmed()),
            "window": fixed.alarms(against),
            "wilson": wilson.alarms(against),
        }
        found = {way: min(at, number) if alarms[way] else at for way, at in found.items()}
        if NEVER not in found.values():
            break
    return found


def change_of(scenario: Scenario, row: TriggerRow, worse: int) -> int:
    """After how many cases of the release the shift begins."""
    told = scenario.worse[worse].after
    return row.baseline.cases + SETTLED if told is None else told


def _cases(run: Run, scenario: Scenario, row: TriggerRow) -> Iterator[list[Piece]]:
    random = Random(run.seed)  # noqa: S311 - a die, not a secret
    if run.worse is None:
        yield from _told(random, scenario.usual, 0, row.baseline.cases + QUIET)
        return
    change = change_of(scenario, row, run.worse)
    yield from _told(random, scenario.usual, 0, change)
    yield from _told(random, scenario.worse[run.worse].source, change, change + QUIET)


def _told(random: Random, source: Source, first: int, after: int) -> Iterator[list[Piece]]:
    return (pieces(case, source(random)) for case in range(first, after))


@cache
def _row_of(name: str) -> TriggerRow:
    return load_matrix().matrix.triggers[name]


def crowd_quiet(seed: int) -> dict[str, float]:
    """One seed of many intents in which nothing changes."""
    return crowd.quiet(_row_of("override"), seed)


def crowd_delay(seed: int) -> float:
    """One seed of many intents of which one becomes worse."""
    return crowd.delay(_row_of("override"), seed)


async def measure(console: Console, quick: bool) -> dict[str, Any]:
    """Every scenario over all seeds, on all cores."""
    return await asyncio.to_thread(_measured, console, QUICK_SEEDS if quick else SEEDS)


def _measured(console: Console, seeds: range) -> dict[str, Any]:
    runs = [
        Run(number, worse, seed)
        for number, scenario in enumerate(SCENARIOS)
        for worse, seed in product((None, *range(len(scenario.worse))), seeds)
    ]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool, Progress(console=console) as progress:

        def all_of(what: str, work: Callable[[T], R], parts: Sequence[T]) -> list[R]:
            return list(progress.track(pool.map(work, parts, chunksize=4), total=len(parts), description=what))

        alarms = all_of("one group", first_alarms, runs)
        many = _crowd(
            all_of("many, and nothing changes", crowd_quiet, seeds), all_of("many, and one", crowd_delay, seeds)
        )
    rows = [_row(number, scenario, runs, alarms) for number, scenario in enumerate(SCENARIOS)]
    kept = many["kept"] and all(row["kept"] for row in rows)
    return {"seeds": [seeds.start, seeds.stop - 1], "rows": rows, "many": many, "kept": kept}


def _row(number: int, scenario: Scenario, runs: Sequence[Run], alarms: Sequence[dict[str, float]]) -> dict[str, Any]:
    row = _row_of(scenario.row)
    mine = [(run, found) for run, found in zip(runs, alarms, strict=True) if run.scenario == number]
    changes = [change_of(scenario, row, worse) for worse in range(len(scenario.worse))]
    ways = {way: asdict(_seen([(run, found[way]) for run, found in mine], changes)) for way in mine[0][1]}
    quiet = [found["aftercare"] for run, found in mine if run.worse is None]
    late = [
        is_late([found["aftercare"] - changes[n] for run, found in mine if run.worse == n], worse.bar)
        for n, worse in enumerate(scenario.worse)
    ]
    return {
        "row": scenario.row,
        "watched": scenario.watched,
        "usual": scenario.usual_said,
        "tolerated": row.tolerated,
        "worse": [{"said": w.said, "bar": w.bar} for w in scenario.worse],
        "ways": ways,
        "kept": not (cries_wolf(quiet) or any(late)),
    }


def _seen(found: Sequence[tuple[Run, float]], changes: Sequence[int]) -> Seen:
    quiet = [at for run, at in found if run.worse is None]
    delays = [_delay([at - change for run, at in found if run.worse == n]) for n, change in enumerate(changes)]
    return Seen(_share(quiet), tuple(delays))


def cries_wolf(quiet: Sequence[float], within: float = NEVER) -> bool:
    """Whether more runs alarmed than may; of few seeds, more than chance would make of as many as may."""
    false, runs = sum(at < NEVER and at <= within for at in quiet), len(quiet)
    most = MOST_FALSE * runs if runs >= len(SEEDS) else binom.isf(BY_CHANCE, runs, MOST_FALSE)
    return bool(false > most)


def is_late(delays: Sequence[float], bar: int | None) -> bool:
    """Whether more than half of the runs take longer than the bar; of few seeds, more than chance makes of half."""
    after = [delay for delay in delays if delay > 0]
    if bar is None or not after:
        return bar is not None
    late, runs = sum(delay > bar for delay in after), len(after)
    return bool(median(after) > bar if len(delays) >= len(SEEDS) else late > binom.isf(BY_CHANCE, runs, 0.5))


def _share(alarms: Sequence[float], within: float = NEVER) -> float:
    return sum(at < NEVER and at <= within for at in alarms) / len(alarms)


def _delay(delays: Sequence[float]) -> Delay:
    """The median, nine tenths, and the share that never saw it; of zero cases or less it was an alarm before.

    Where every run had alarmed before, nothing is known of any of them.
    """
    after = sorted(delay for delay in delays if delay > 0)
    if not after:
        return None, None, None
    nine_tenths = after[int(0.9 * len(after))]
    return _known(median(after)), _known(nine_tenths), sum(d == NEVER for d in after) / len(after)


def _known(delay: float) -> float | None:
    return None if delay == NEVER else delay


def _crowd(quiet: Sequence[dict[str, float]], delays: Sequence[float]) -> dict[str, Any]:
    false = {way: [_share([one[way] for one in quiet], at) for at in (crowd.QUIET, crowd.LONG)] for way in WAYS}
    delay = _delay(delays)
    kept = not (cries_wolf([one["aftercare"] for one in quiet], crowd.QUIET) or is_late(delays, IN_CROWD))
    return {"within": [crowd.QUIET, crowd.LONG], "false": false, "delay": delay, "bar": IN_CROWD, "kept": kept}


def show(figures: Mapping[str, Any], console: Console) -> None:
    """A part for each row, and in it a line for each shift."""
    table = Table("", "Aftercare", "9 of 10", "never", "Bar", "Window", "Wilson", box=None, padding=(0, 2, 0, 0))
    for row in figures["rows"]:
        _show_row(table, row)
    _show_many(table, figures["many"])
    console.print(table)
    first, last = figures["seeds"]
    console.print(
        f"\nSeeds {first} to {last}. False alarms: the share of runs with one within {QUIET:,} cases in which nothing "
        "changed. Delays in cases: the median, what nine of ten stay below, and the share that never saw it; before: "
        "every run had alarmed before the change.",
        highlight=False,
    )


def _show_row(table: Table, row: Mapping[str, Any]) -> None:
    own, ways = row["ways"]["aftercare"], row["ways"]
    name = row["row"] + (f" ({row['watched']})" if row["watched"] else "")
    table.add_row(f"[bold]{name}[/bold], {row['usual']}", "" if row["kept"] else "[red]missed[/red]")
    false = [f"{ways[way]['false']:.3f}" if way in ways else "" for way in WAYS[1:]]
    table.add_row("  false alarms", f"{own['false']:.3f}", "", "", f"{MOST_FALSE:.2f}", *false)
    for n, worse in enumerate(row["worse"]):
        others = [_cases_of(*ways[way]["delays"][n][::2]) if way in ways else "" for way in WAYS[1:]]
        _show_delay(table, f"  {worse['said']}", own["delays"][n], worse["bar"], others)


def _show_many(table: Table, many: Mapping[str, Any]) -> None:
    table.add_row(
        f"[bold]override, {len(crowd.RATES)} intents[/bold], 1% to 12%", "" if many["kept"] else "[red]missed[/red]"
    )
    for n, within in enumerate(many["within"]):
        shares = {way: f"{many['false'][way][n]:.3f}" for way in WAYS}
        bar = "" if n else f"{MOST_FALSE:.2f}"
        table.add_row(
            f"  false alarms in {within:,}", shares["aftercare"], "", "", bar, shares["window"], shares["wilson"]
        )
    _show_delay(table, f"  one from 4% to {crowd.TO:.0%}", many["delay"], many["bar"], ["", ""])


def _show_delay(table: Table, said: str, delay: Sequence[Any], bar: int | None, others: Sequence[str]) -> None:
    middle, late, never = delay
    share = "" if never is None else f"{never:.2f}"
    table.add_row(said, _cases_of(middle, never), _cases_of(late, never), share, str(bar or ""), *others)


def _cases_of(delay: float | None, never: float | None) -> str:
    if delay is None:
        return "before" if never is None else "never"
    return f"{delay:.0f}"
