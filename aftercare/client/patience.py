"""Waiting for something that nobody announces."""

from __future__ import annotations

import time
from collections.abc import Iterator


def patience(seconds: float) -> Iterator[float]:
    """Short pauses, until so many seconds are over."""
    until, pause = time.monotonic() + seconds, 0.005
    while (left := until - time.monotonic()) > 0:
        yield min(pause, left)
        pause = min(pause * 1.5, 0.1)
