"""What is often done instead of a detector: a fixed window, and a bound that is looked at after every case."""

from __future__ import annotations

import math
from collections import deque

WINDOW, MANY = 100, 5
RECENT, FEWEST, SURE = 200, 30, 1.959964


class Recent:
    """How many of the last cases counted against the agent."""

    def __init__(self, most: int) -> None:
        self._cases: deque[bool] = deque(maxlen=most)
        self._most, self.against = most, 0

    def __len__(self) -> int:
        return len(self._cases)

    def add(self, against: bool) -> None:
        """One case more, and the oldest goes."""
        if len(self._cases) == self._most:
            self.against -= self._cases[0]
        self._cases.append(against)
        self.against += against


class Fixed:
    """Alarms at 5 cases against the agent among the last 100."""

    def __init__(self) -> None:
        self._recent = Recent(WINDOW)

    def alarms(self, against: bool) -> bool:
        """Take one case more."""
        self._recent.add(against)
        return self._recent.against >= MANY


class Wilson:
    """Alarms where Wilson's 95% lower bound of the last 200 cases lies above the rate of the first `learned`."""

    def __init__(self, learned: int) -> None:
        self._learned, self._seen, self._against = learned, 0, 0
        self._recent = Recent(RECENT)

    def alarms(self, against: bool) -> bool:
        """Take one case more."""
        if self._seen < self._learned:
            self._seen, self._against = self._seen + 1, self._against + against
            return False
        self._recent.add(against)
        cases = len(self._recent)
        return cases >= FEWEST and lower(self._recent.against, cases) > self._against / self._seen


def lower(part: int, whole: int) -> float:
    """Wilson's lower bound: that of learning.intervals, which is too slow to be asked after every single case."""
    square, share = SURE * SURE, part / whole
    half = SURE * math.sqrt(share * (1 - share) / whole + square / (4 * whole * whole))
    return (share + square / (2 * whole) - half) / (1 + square / whole)
