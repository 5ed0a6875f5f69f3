"""Many intents in one row, most of them small: `aftercare bench triggers` looks at them together.

Twelve intents with usual rates from 1% to 12%, of which the most frequent has 32% of the cases and the least 3%. What a
group does not know yet it is lent by the others. One that is neither large nor small becomes worse.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import accumulate
from random import Random

from aftercare.bench.streams import Told, either, pieces
from aftercare.bench.windows import Fixed, Wilson
from aftercare.learning.watching import Watch
from aftercare.messages.triggers import TriggerRow

RATES = (0.04, 0.02, 0.08, 0.04, 0.01, 0.12, 0.06, 0.03, 0.10, 0.05, 0.07, 0.02)
SHARES = tuple(accumulate(1 / place for place in range(1, len(RATES) + 1)))
WORSE, TO = 3, 0.16
QUIET, LONG, CHANGE = 2_000, 10_000, 6_000
NEVER = math.inf


def quiet(row: TriggerRow, seed: int) -> dict[str, float]:
    """After how many cases of the row each way alarms, while nothing changes."""
    watch, fixed = Watch(row), [Fixed() for _ in RATES]
    wilson = [Wilson(row.baseline.cases) for _ in RATES]
    found = dict.fromkeys(("aftercare", "window", "wilson"), NEVER)
    for number, intent, told in _cases(seed, LONG, LONG):
        against = any(value for _, value, _ in told)
        watch.take(pieces(number, told, str(intent)))
        for way, alarms in (
            ("aftercare", bool(watch.alarmed())),
            ("window", fixed[intent].alarms(against)),
            ("wilson", wilson[intent].alarms(against)),
        ):
            if alarms:
                found[way] = min(found[way], number)
        if NEVER not in found.values():
            break
    return found


def delay(row: TriggerRow, seed: int) -> float:
    """After how many of its own cases the intent that became worse is seen; 0 where anything alarmed before."""
    watch, own = Watch(row), 0
    for number, intent, told in _cases(seed, CHANGE, CHANGE + LONG):
        watch.take(pieces(number, told, str(intent)))
        own += number > CHANGE and intent == WORSE
        if number <= CHANGE and watch.alarmed():
            return 0
        if str(WORSE) in watch.alarmed():
            return own
    return NEVER


def _cases(seed: int, change: int, cases: int) -> Iterator[tuple[int, int, Sequence[Told]]]:
    random = Random(seed)  # noqa: S311 - a die, not a secret
    usual = [either("override", "escalation", rate) for rate in RATES]
    worse = either("override", "escalation", TO)
    for number in range(1, cases + 1):
        (intent,) = random.choices(range(len(RATES)), cum_weights=SHARES)
        source = worse if number > change and intent == WORSE else usual[intent]
        yield number, intent, source(random)
